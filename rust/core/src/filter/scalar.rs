//! Scalars of metadata and filters, in the form in which equal values are equal and the greater one is greater.

use serde_json::{Number, Value};

/// What a value of the table `field_values` is (SPEC.md section 5); elements of lists have [`ELEMENT`] added.
pub(crate) const NULL: u8 = 0;
pub(crate) const BOOLEAN: u8 = 1;
pub(crate) const NUMBER: u8 = 2;
pub(crate) const STRING: u8 = 3;
pub(crate) const CONTAINER: u8 = 4;
pub(crate) const ELEMENT: u8 = 8;

/// Null, a boolean, a number or a string: its kind and a key that compares bytewise as the values do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Scalar {
    pub(crate) kind: u8,
    pub(crate) key: Vec<u8>,
}

impl Scalar {
    /// `None` for lists and objects.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let (kind, key) = match value {
            Value::Null => (NULL, Vec::new()),
            Value::Bool(value) => (BOOLEAN, vec![u8::from(*value)]),
            Value::Number(number) => (NUMBER, number_key(number)),
            Value::String(text) => (STRING, text.as_bytes().to_vec()),
            Value::Array(_) | Value::Object(_) => return None,
        };
        Some(Self { kind, key })
    }

    /// Whether `gt` and its like can be true at all.
    pub(crate) fn ordered(&self) -> bool {
        matches!(self.kind, NUMBER | STRING)
    }
}

/// An order-preserving key of a decimal number: a byte for the sign, the power of ten (the number is `0.d1d2d3... * 10^power`), the
/// digits. The bytes of negative numbers are complemented and closed by 0xFF, so that the longer one is the lesser.
///
/// Floats would be shorter, but no float holds every integer that Python writes.
fn number_key(number: &Number) -> Vec<u8> {
    let text = number.to_string();
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, &*text),
    };
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let zeros = digits.iter().take_while(|&&d| d == b'0').count();
    let end = digits.len() - digits.iter().rev().take_while(|&&d| d == b'0').count();
    if zeros >= end {
        return vec![0x80];
    }
    // An exponent beyond 64 bits is cut to the largest: such numbers only have to stay where they are, at the far end.
    let exponent = exponent.parse::<i64>().unwrap_or_else(|_| {
        if exponent.starts_with('-') {
            i64::MIN
        } else {
            i64::MAX
        }
    });
    let power = exponent.saturating_add(whole.len() as i64 - zeros as i64);
    let power = power.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
    let mut key = Vec::with_capacity(6 + end - zeros);
    key.push(0x81);
    key.extend(((power as u32) ^ (1 << 31)).to_be_bytes());
    key.extend(&digits[zeros..end]);
    if negative {
        key.iter_mut().for_each(|byte| *byte = !*byte);
        key.push(0xFF);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(text: &str) -> Vec<u8> {
        number_key(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn numbers_are_equal_by_value() {
        for group in [
            &["1", "1.0", "1e0", "10e-1", "0.1E+1", "1.000"][..],
            &["0", "-0", "0.0", "-0.0e5", "0e99"],
            &["-120", "-1.2e2", "-12E1"],
            &[
                "123456789012345678901234567890",
                "1.2345678901234567890123456789e29",
            ],
        ] {
            assert!(
                group.iter().all(|text| key(text) == key(group[0])),
                "{group:?}"
            );
        }
    }

    #[test]
    fn numbers_keep_their_order() {
        let ascending = [
            "-1e999999999999999999999",
            "-1e400",
            "-18446744073709551617",
            "-18446744073709551616",
            "-10",
            "-9.5",
            "-9.49",
            "-9",
            "-1.01",
            "-1",
            "-0.1",
            "-0.01",
            "-1e-400",
            "0",
            "1e-400",
            "0.009",
            "0.01",
            "0.1",
            "0.11",
            "1",
            "1.01",
            "9",
            "9.49",
            "9.5",
            "10",
            "100",
            "9007199254740992",
            "9007199254740993",
            "1e400",
            "1e999999999999999999999",
        ];
        let keys: Vec<_> = ascending.iter().map(|text| key(text)).collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(keys.iter().all(|key| key[..] < [0xFF][..]));
    }

    proptest! {
        #[test]
        fn integers_and_floats_keep_their_order(a in any::<i64>(), b in any::<i64>(), x in -1e9..1e9_f64, y in -1e9..1e9_f64) {
            prop_assert_eq!(a.cmp(&b), key(&a.to_string()).cmp(&key(&b.to_string())));
            prop_assert_eq!(x.total_cmp(&y), key(&format!("{x:?}")).cmp(&key(&format!("{y:?}"))));
        }
    }
}
