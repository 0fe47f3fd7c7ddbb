//! The knobs of a search and their defaults: the one place for each.

use super::tuned::TunedSet;

/// Default number of results.
pub const DEFAULT_K: usize = 10;

/// The range of `k` that shares its defaults, as PLAID's: up to 10, up to 100, more.
pub(crate) fn range_of(k: usize) -> usize {
    match k {
        0..=10 => 0,
        11..=100 => 1,
        _ => 2,
    }
}

/// What a caller may set. `None` takes the default for `k`: what was tuned for the index, else the built-in one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchParams {
    /// How many passages come back, whenever so many are alive.
    pub k: usize,
    /// Cells probed for every query token.
    pub nprobe: Option<usize>,
    /// Candidates that enter the centroid interaction; a quarter of them is scored with residuals.
    pub ndocs: Option<usize>,
    /// PLAID's pruning: candidates are first ranked by centroids whose best score is at least this, and all stages cut as colbert-ai's
    /// do, by float32 scores (`refine.rs`). Off by default: with u8 rows it costs more than it saves.
    pub centroid_score_threshold: Option<f32>,
    /// Score everything, without stages.
    pub exact: bool,
}

impl Default for SearchParams {
    fn default() -> Self {
        Self {
            k: DEFAULT_K,
            nprobe: None,
            ndocs: None,
            centroid_score_threshold: None,
            exact: false,
        }
    }
}

/// Parameters with nothing left open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resolved {
    /// See [`SearchParams::k`].
    pub k: usize,
    /// See [`SearchParams::nprobe`].
    pub nprobe: usize,
    /// See [`SearchParams::ndocs`].
    pub ndocs: usize,
    /// See [`SearchParams::centroid_score_threshold`].
    pub centroid_score_threshold: Option<f32>,
}

impl SearchParams {
    /// Fills in the built-in defaults, which grow with k as PLAID's do.
    ///
    /// They are eight times PLAID's for k = 10. On SciFact with 2 bits and queries of 32 tokens, 1 / 256 keeps only 0.79 of
    /// the exhaustive top 10, 4 / 1024 keeps 0.964, 8 / 2048 0.982, 8 / 4096 0.988, 16 / 4096 the same (vectors of an
    /// early default model with mask expansion; the present one, without, is easier).
    pub fn resolve(&self) -> Resolved {
        self.resolve_among(&TunedSet::default(), 1, 1)
    }

    /// The same for a search of `some` passages among `all`, with what was tuned for this index. The best k of a tenth lie as deep as the
    /// best 10 k of all, so as many cells are probed as for those; candidates are as few as ever, since only what matches becomes one.
    pub(crate) fn resolve_among(&self, tuned: &TunedSet, some: usize, all: usize) -> Resolved {
        let depth = self.k.saturating_mul(all.max(1)) / some.max(1);
        let (here, deep) = (tuned.serving(self.k), tuned.serving(depth.max(1)));
        let ndocs = match (here, range_of(self.k)) {
            (Some(tuned), _) => tuned.ndocs,
            (None, 0) => 2048,
            (None, 1) => 8192,
            (None, _) => 16_384.max(self.k.saturating_mul(8)),
        };
        let nprobe = match (deep, range_of(depth)) {
            (Some(tuned), _) => tuned.nprobe,
            (None, range) => {
                let built_in = [8, 16, 32][range];
                // What lies deeper never needs fewer cells than what was measured.
                here.map_or(built_in, |tuned| tuned.nprobe.max(built_in))
            }
        };
        Resolved {
            k: self.k,
            nprobe: self.nprobe.unwrap_or(nprobe).max(1),
            ndocs: self.ndocs.unwrap_or(ndocs).max(self.k).max(1),
            centroid_score_threshold: self.centroid_score_threshold,
        }
    }
}

impl Resolved {
    /// Passages scored with residuals: PLAID's quarter, but never fewer than k.
    pub fn full_docs(&self) -> usize {
        (self.ndocs / 4).max(self.k).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tuned::{Tuned, TunedSet};
    use super::*;

    fn resolved(params: SearchParams, some: usize, all: usize) -> (usize, usize) {
        let mut set = TunedSet::default();
        set.put(Tuned {
            k: 10,
            nprobe: 3,
            ndocs: 300,
            target: 0.9,
            overlap: 0.92,
            standard_error: 0.01,
            queries: 50,
            passages: 1000,
        });
        let found = params.resolve_among(&set, some, all);
        (found.nprobe, found.ndocs)
    }

    #[test]
    fn what_is_given_wins_over_what_was_tuned_and_that_over_the_built_in() {
        let k = |k| SearchParams {
            k,
            ..SearchParams::default()
        };
        assert_eq!(resolved(k(10), 1, 1), (3, 300));
        assert_eq!(resolved(k(4), 1, 1), (3, 300));
        assert_eq!(resolved(k(11), 1, 1), (16, 8192));
        assert_eq!(
            resolved(
                SearchParams {
                    nprobe: Some(5),
                    ..k(10)
                },
                1,
                1
            ),
            (5, 300)
        );
        assert_eq!(
            resolved(
                SearchParams {
                    ndocs: Some(77),
                    ..k(10)
                },
                1,
                1
            ),
            (3, 77)
        );
        let built_in = k(10).resolve();
        assert_eq!((built_in.nprobe, built_in.ndocs), (8, 2048));
    }

    #[test]
    fn a_filter_probes_as_deep_as_the_best_of_all_would_lie() {
        let k = |k| SearchParams {
            k,
            ..SearchParams::default()
        };
        assert_eq!(resolved(k(10), 100, 1000), (16, 300));
        assert_eq!(resolved(k(2), 200, 1000), (3, 300));
    }
}
