//! The staged search (DESIGN: PLAID, CIKM 2022, section 4, with integer scores).
//!
//! 1. [`probe`]: scores of all centroids, one u8 a query token; the best cells of every query token.
//! 2. [`candidates`]: passages of those cells, with a first score from the lists alone.
//! 3. [`interaction`]: centroid interaction of the best `ndocs`.
//! 4. [`interaction`]: residuals of the best `ndocs / 4`, in integers.
//! 5. [`exact`]: float scores of the few that can still be among the best k.
//!
//! Scores that come back are always those of the last stage, so a passage has the same score in every search, on every machine
//! and with any number of threads.

pub(crate) mod candidates;
pub(crate) mod exact;
pub(crate) mod executor;
pub(crate) mod interaction;
pub(crate) mod params;
pub(crate) mod probe;

use std::collections::BTreeMap;

use weft_kernels::Query;

use self::candidates::Candidate;
use self::executor::Executor;
use self::params::{Resolved, SearchParams};
use crate::bitmap::Bitmap;
use crate::codec::codebook::Codebook;
use crate::error::Result;
use crate::index::snapshot::Snapshot;
use crate::segment::SegmentKind;
use crate::segment::read::Segment;

/// A passage with its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scored {
    pub(crate) score: f32,
    pub(crate) docno: u32,
}

/// Best first; equal scores by docno.
pub(crate) fn order(a: &Scored, b: &Scored) -> std::cmp::Ordering {
    b.score.total_cmp(&a.score).then(a.docno.cmp(&b.docno))
}

/// Keeps the best `k`, best first.
pub(crate) fn top(mut scored: Vec<Scored>, k: usize) -> Vec<Scored> {
    if scored.len() > k && k > 0 {
        scored.select_nth_unstable_by(k - 1, order);
    }
    scored.truncate(k);
    scored.sort_unstable_by(order);
    scored
}

/// What a search works on.
pub(crate) struct Searcher<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) executor: Executor<'a>,
    /// Called between blocks of long work; its error ends the search.
    pub(crate) poll: &'a (dyn Fn() -> Result<()> + Sync),
}

/// Segments that share a codebook.
pub(crate) struct Family<'a> {
    pub(crate) codebook: &'a Codebook,
    pub(crate) segments: Vec<&'a Segment>,
}

impl Searcher<'_> {
    pub(crate) fn deleted(&self) -> &Bitmap {
        &self.snapshot.deleted
    }

    /// The k best live passages.
    pub(crate) fn search(&self, query: &Query, params: &SearchParams) -> Result<Vec<Scored>> {
        let resolved = params.resolve();
        let mut scored = Vec::new();
        for segment in self
            .snapshot
            .segments
            .iter()
            .filter(|s| s.kind == SegmentKind::Float)
        {
            scored.extend(self.scan_float(query, segment)?);
        }
        for family in self.families() {
            if params.exact {
                for segment in &family.segments {
                    scored.extend(self.scan_coded(query, family.codebook, segment)?);
                }
            } else {
                scored.extend(self.search_family(query, &family, &resolved)?);
            }
        }
        Ok(top(scored, params.k))
    }

    fn families(&self) -> Vec<Family<'_>> {
        let mut families: BTreeMap<u64, Family<'_>> = BTreeMap::new();
        for segment in self
            .snapshot
            .segments
            .iter()
            .filter(|s| s.kind == SegmentKind::Coded)
        {
            if let Some(codebook) = self.snapshot.codebooks.get(&segment.codebook) {
                let family = families.entry(segment.codebook).or_insert_with(|| Family {
                    codebook,
                    segments: Vec::new(),
                });
                family.segments.push(segment);
            }
        }
        families.into_values().collect()
    }

    fn search_family(
        &self,
        query: &Query,
        family: &Family<'_>,
        params: &Resolved,
    ) -> Result<Vec<Scored>> {
        let rows = self.centroid_rows(query, family.codebook)?;
        let live = self.live(family)?;
        let mut nprobe = params.nprobe;
        let mut candidates = loop {
            let cells = probe::best_cells(&rows, nprobe);
            let found = self.candidates(family, &rows, &cells)?;
            // Deletions and short lists must not cost results: k come back whenever k passages are alive.
            if found.len() >= params.k.min(live) || nprobe >= family.codebook.head.centroids {
                break found;
            }
            nprobe = nprobe.saturating_mul(4);
        };
        if let Some(threshold) = params.centroid_score_threshold {
            self.pruned_interaction(family, &rows, threshold, &mut candidates)?;
        }
        keep_best(&mut candidates, params.ndocs);
        if candidates.len() > params.full_docs() {
            self.interaction(family, &rows, &mut candidates)?;
            keep_best(&mut candidates, params.full_docs());
        }
        self.residual_scores(query, family, &rows, &candidates, params.k)
    }

    fn live(&self, family: &Family<'_>) -> Result<usize> {
        let mut live = 0;
        for segment in &family.segments {
            live += match self.deleted().len() {
                0 => segment.passages(),
                _ => segment
                    .docnos()?
                    .iter()
                    .filter(|&&d| !self.deleted().contains(d))
                    .count(),
            };
        }
        Ok(live)
    }
}

/// Keeps the best candidates, in the order of segments and positions, so that what follows reads forwards.
fn keep_best(candidates: &mut Vec<Candidate>, count: usize) {
    if candidates.len() > count && count > 0 {
        candidates.select_nth_unstable_by(count - 1, |a, b| {
            b.score
                .cmp(&a.score)
                .then((a.segment, a.position).cmp(&(b.segment, b.position)))
        });
    }
    candidates.truncate(count);
    candidates.sort_unstable_by_key(|c| (c.segment, c.position));
}
