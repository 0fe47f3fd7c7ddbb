//! Postings: for every centroid the passages that have it, as differences in LEB128.
//!
//! One or two bytes a posting against four: 0.95 postings a token are the rule (late-interaction.md 4.2), so this is most of
//! what an index needs beside codes and residuals. Decoding costs about a nanosecond a posting, a hundredth of a query.

use crate::error::Result;
use crate::format::write::ContainerWriter;

/// Appends a number in LEB128.
fn push_leb128(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes postings of all passages: returns the exclusive end of every centroid's list in bytes. `codes` are those of all tokens,
/// `ends` the ends of the passages. The section must have been begun.
pub(crate) fn write(
    codes: &[u32],
    ends: &[u32],
    centroids: usize,
    out: &mut ContainerWriter,
) -> Result<Vec<u64>> {
    let (starts, passages) = by_centroid(codes, ends, centroids);
    let mut list_ends = Vec::with_capacity(centroids);
    let mut buffer = Vec::new();
    let mut bytes = 0_u64;
    for c in 0..centroids {
        let mut last = 0;
        for &passage in &passages[starts[c]..starts[c + 1]] {
            push_leb128(passage - last, &mut buffer);
            last = passage;
        }
        list_ends.push(bytes + buffer.len() as u64);
        if buffer.len() >= 1 << 20 {
            out.write(&buffer)?;
            bytes += buffer.len() as u64;
            buffer.clear();
        }
    }
    out.write(&buffer)?;
    Ok(list_ends)
}

/// Starts of the lists (one more than centroids) and the lists: passages of every centroid, ascending, each once.
pub(crate) fn by_centroid(codes: &[u32], ends: &[u32], centroids: usize) -> (Vec<usize>, Vec<u32>) {
    let mut last = vec![u32::MAX; centroids];
    let mut starts = vec![0_usize; centroids + 1];
    each(codes, ends, &mut last, |code, _| starts[code + 1] += 1);
    for c in 0..centroids {
        starts[c + 1] += starts[c];
    }
    let mut at = starts.clone();
    let mut passages = vec![0_u32; starts[centroids]];
    last.fill(u32::MAX);
    each(codes, ends, &mut last, |code, passage| {
        passages[at[code]] = passage;
        at[code] += 1;
    });
    (starts, passages)
}

/// Calls once for every pair of a passage and a centroid it has.
fn each(codes: &[u32], ends: &[u32], last: &mut [u32], mut call: impl FnMut(usize, u32)) {
    let mut start = 0;
    for (passage, &end) in ends.iter().enumerate() {
        for &code in &codes[start..end as usize] {
            let seen = &mut last[code as usize];
            if *seen != passage as u32 {
                *seen = passage as u32;
                call(code as usize, passage as u32);
            }
        }
        start = end as usize;
    }
}

/// Reads a list; stops at the first number that is cut off or above `limit` and says so by `false`.
pub(crate) fn read(bytes: &[u8], limit: u32, mut call: impl FnMut(u32)) -> bool {
    let mut at = 0;
    let mut passage = 0_u32;
    let mut first = true;
    while at < bytes.len() {
        let mut value = u32::from(bytes[at] & 0x7F);
        let mut shift = 7;
        while bytes[at] & 0x80 != 0 {
            at += 1;
            if at == bytes.len() || shift > 28 {
                return false;
            }
            value |= u32::from(bytes[at] & 0x7F) << shift;
            shift += 7;
        }
        at += 1;
        // A difference of zero would count a passage twice.
        if !first && value == 0 {
            return false;
        }
        first = false;
        match passage.checked_add(value) {
            Some(next) if next < limit => passage = next,
            _ => return false,
        }
        call(passage);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_reference_lists() {
        // colbert-plaid.md section 11, point 5.
        let (starts, passages) = by_centroid(&[1, 0, 1, 1, 1, 2], &[2, 3, 6], 3);
        assert_eq!(starts, [0, 1, 4, 5]);
        assert_eq!(passages, [0, 0, 1, 2, 2]);
    }

    proptest! {
        #[test]
        fn lists_come_back(mut passages in prop::collection::btree_set(0_u32..5_000_000, 0..60)) {
            let mut bytes = Vec::new();
            let mut last = 0;
            for &p in &passages {
                push_leb128(p - last, &mut bytes);
                last = p;
            }
            let mut back = Vec::new();
            prop_assert!(read(&bytes, 5_000_000, |p| back.push(p)));
            prop_assert_eq!(back, passages.iter().copied().collect::<Vec<_>>());
            if let Some(greatest) = passages.pop_last() {
                prop_assert!(!read(&bytes, greatest, |_| {}), "greatest was read");
            }
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut last = None;
            read(&bytes, 1000, |p| {
                assert!(p < 1000 && last.is_none_or(|l| p > l));
                last = Some(p);
            });
        }
    }
}
