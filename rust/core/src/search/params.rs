//! The knobs of a search and their defaults: the one place for each.

/// Default number of results.
pub const DEFAULT_K: usize = 10;

/// What a caller may set. `None` takes the default for `k`.
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
    /// Fills in the defaults, which grow with k as PLAID's do.
    ///
    /// They are eight times PLAID's for k = 10. On SciFact with 2 bits and queries of 32 tokens, 1 / 256 keeps only 0.79 of
    /// the exhaustive top 10, 4 / 1024 keeps 0.964, 8 / 2048 0.982, 8 / 4096 0.988, 16 / 4096 the same (vectors of an
    /// early default model with mask expansion; the present one, without, is easier).
    pub fn resolve(&self) -> Resolved {
        self.resolve_among(1, 1)
    }

    /// The same for a search of `some` passages among `all`. The best k of a tenth lie as deep as the best 10 k of all, so as many cells
    /// are probed as for those; candidates are as few as ever, since only what matches becomes one.
    pub(crate) fn resolve_among(&self, some: usize, all: usize) -> Resolved {
        let ndocs = match self.k {
            0..=10 => 2048,
            11..=100 => 8192,
            k => 16_384.max(k.saturating_mul(8)),
        };
        let nprobe = match self.k.saturating_mul(all.max(1)) / some.max(1) {
            0..=10 => 8,
            11..=100 => 16,
            _ => 32,
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
