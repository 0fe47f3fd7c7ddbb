//! Parameters that were measured on this index, with the queries of its user, and are its defaults since.

use serde_json::{Map, Value, json};

use super::params::range_of;

/// What one tuning found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuned {
    /// Results that were asked for. The parameters serve searches for as many and for fewer, down to the next range of the built-in defaults
    /// (1 to 10, 11 to 100, more): what is enough for `k` is enough for less.
    pub k: usize,
    /// See [`SearchParams::nprobe`](crate::SearchParams::nprobe).
    pub nprobe: usize,
    /// See [`SearchParams::ndocs`](crate::SearchParams::ndocs).
    pub ndocs: usize,
    /// The overlap that was wanted.
    pub target: f64,
    /// Share of the exhaustive top `k` that these parameters found, mean over the queries.
    pub overlap: f64,
    /// Standard error of that mean.
    pub standard_error: f64,
    /// Queries it was measured on.
    pub queries: u64,
    /// Passages the index had then.
    pub passages: u64,
}

impl Tuned {
    /// What is wrong with it, if anything is.
    pub(crate) fn problem(&self) -> Option<String> {
        let shares = [self.target, self.overlap];
        match self {
            Self { k: 0, .. } => Some("k is 0".into()),
            Self { nprobe: 0, .. } => Some("nprobe is 0".into()),
            Self { ndocs, k, .. } if ndocs < k => Some(format!("ndocs is {ndocs}, below k, {k}")),
            _ if !shares.iter().all(|s| (0.0..=1.0).contains(s)) => {
                Some(format!("shares are {shares:?}, not between 0 and 1"))
            }
            Self {
                standard_error: e, ..
            } if !(e.is_finite() && *e >= 0.0) => Some(format!("standard_error is {e}")),
            _ => None,
        }
    }

    fn json(&self) -> Value {
        json!({
            "k": self.k, "nprobe": self.nprobe, "ndocs": self.ndocs,
            "target": self.target, "overlap": self.overlap, "standard_error": self.standard_error,
            "queries": self.queries, "passages": self.passages,
        })
    }

    /// Members that are not known are passed over: a newer version may have measured more.
    fn parse(members: &Map<String, Value>) -> Option<Self> {
        let whole = |name: &str| members.get(name).and_then(Value::as_u64);
        let size = |name: &str| whole(name).and_then(|n| usize::try_from(n).ok());
        let share = |name: &str| members.get(name).and_then(Value::as_f64);
        let tuned = Self {
            k: size("k")?,
            nprobe: size("nprobe")?,
            ndocs: size("ndocs")?,
            target: share("target")?,
            overlap: share("overlap")?,
            standard_error: share("standard_error")?,
            queries: whole("queries")?,
            passages: whole("passages")?,
        };
        tuned.problem().is_none().then_some(tuned)
    }
}

/// All that were stored, by ascending `k`, one each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TunedSet(Vec<Tuned>);

impl TunedSet {
    /// Reads what [`json`](Self::json) wrote; `None` when it did not.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rows: Vec<Map<String, Value>> = serde_json::from_str(text).ok()?;
        let all: Vec<Tuned> = rows.iter().map(Tuned::parse).collect::<Option<_>>()?;
        all.is_sorted_by(|a, b| a.k < b.k).then_some(Self(all))
    }

    /// The setting's value (SPEC.md section 5).
    pub(crate) fn json(&self) -> String {
        Value::Array(self.0.iter().map(Tuned::json).collect()).to_string()
    }

    /// By ascending `k`.
    pub(crate) fn all(&self) -> &[Tuned] {
        &self.0
    }

    /// Takes one in, in place of the one with the same `k`.
    pub(crate) fn put(&mut self, tuned: Tuned) {
        self.remove(tuned.k);
        let at = self.0.partition_point(|other| other.k < tuned.k);
        self.0.insert(at, tuned);
    }

    /// Takes the one for `k` out; says whether it was there.
    pub(crate) fn remove(&mut self, k: usize) -> bool {
        let before = self.0.len();
        self.0.retain(|tuned| tuned.k != k);
        self.0.len() < before
    }

    /// The one that serves a search for `k`: the nearest above, within its range.
    pub(crate) fn serving(&self, k: usize) -> Option<&Tuned> {
        let nearest = self.0.iter().find(|tuned| tuned.k >= k)?;
        (range_of(nearest.k) == range_of(k)).then_some(nearest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tuned(k: usize) -> Tuned {
        Tuned {
            k,
            nprobe: 3,
            ndocs: k.max(64),
            target: 0.95,
            overlap: 0.962,
            standard_error: 0.004,
            queries: 120,
            passages: 5183,
        }
    }

    fn set(ks: &[usize]) -> TunedSet {
        let mut set = TunedSet::default();
        ks.iter().for_each(|&k| set.put(tuned(k)));
        set
    }

    #[test]
    fn a_tuning_serves_as_many_and_fewer_within_its_range() {
        let set = set(&[100, 5, 10, 1000]);
        let served = |k| set.serving(k).map(|t| t.k);
        assert_eq!(
            [1, 5, 6, 10, 11, 100, 101, 1000, 1001].map(served),
            [
                Some(5),
                Some(5),
                Some(10),
                Some(10),
                Some(100),
                Some(100),
                Some(1000),
                Some(1000),
                None
            ]
        );
        assert_eq!(self::set(&[50]).serving(10), None);
        assert_eq!(self::set(&[50]).serving(51), None);
    }

    #[test]
    fn damage_is_noticed() {
        let good = set(&[10]).json();
        assert_eq!(TunedSet::parse(&good), Some(set(&[10])));
        for (from, to) in [
            ("\"nprobe\":3", "\"nprobe\":0"),
            ("\"nprobe\":3", "\"nprobe\":-3"),
            ("\"ndocs\":64", "\"ndocs\":9"),
            ("\"target\":0.95", "\"target\":1.5"),
            ("\"k\":10", "\"j\":10"),
            ("[", "{"),
            ("]", ",1]"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good);
            assert_eq!(TunedSet::parse(&bad), None, "{bad}");
        }
        let twice = format!("[{0},{0}]", &good[1..good.len() - 1]);
        assert_eq!(TunedSet::parse(&twice), None);
    }

    #[test]
    fn a_newer_member_is_passed_over() {
        let newer = set(&[10]).json().replacen('{', "{\"seconds\":0.5,", 1);
        assert_eq!(TunedSet::parse(&newer), Some(set(&[10])));
    }

    proptest! {
        #[test]
        fn what_was_put_in_comes_back(ks in proptest::collection::vec(1_usize..2000, 0..8)) {
            let set = set(&ks);
            prop_assert_eq!(TunedSet::parse(&set.json()), Some(set.clone()));
            prop_assert!(ks.iter().all(|&k| set.serving(k) == Some(&tuned(k))));
        }
    }
}
