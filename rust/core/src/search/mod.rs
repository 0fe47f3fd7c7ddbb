//! The staged search (DESIGN: PLAID, CIKM 2022, section 4, with integer scores).
//!
//! 1. [`probe`]: scores of all centroids, one u8 a query token; the best cells of every query token.
//! 2. [`candidates`]: passages of those cells, with a first score from the lists alone.
//! 3. [`interaction`]: centroid interaction of the best `ndocs`.
//! 4. [`interaction`]: residuals of the best `ndocs / 4`, in integers.
//! 5. [`exact`]: float scores of the few that can still be among the best k.
//!
//! With a `centroid_score_threshold` stages 1 to 3 are PLAID's own, made exact by [`refine`].
//!
//! Scores that come back are always those of the last stage, so a passage has the same score in every search, on every machine
//! and with any number of threads.

pub(crate) mod candidates;
pub(crate) mod exact;
pub(crate) mod executor;
pub(crate) mod fusion;
pub(crate) mod interaction;
pub(crate) mod keyword;
pub(crate) mod locate;
pub(crate) mod params;
pub(crate) mod probe;
pub(crate) mod profile;
pub(crate) mod refine;
pub(crate) mod tuned;

use std::collections::BTreeMap;

use weft_kernels::Query;

use self::candidates::Candidate;
use self::executor::Executor;
use self::params::{Resolved, SearchParams};
use self::probe::{CentroidRows, TokenCells};
use self::profile::{Meter, SearchStage, timed};
use self::refine::Refinement;
use crate::bitmap::Bitmap;
use crate::codec::codebook::Codebook;
use crate::error::Result;
use crate::index::snapshot::Snapshot;
use crate::segment::SegmentKind;
use crate::segment::read::Segment;

/// Up to so many passages are scored in floats at once: cheaper than the scores of all centroids.
const FEW: usize = 64;

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
    /// The live passages that a filter lets through; all live ones without a filter.
    pub(crate) live: Option<&'a Bitmap>,
    pub(crate) executor: Executor<'a>,
    /// Called between blocks of long work; its error ends the search.
    pub(crate) poll: &'a (dyn Fn() -> Result<()> + Sync),
    /// Told what the stages do, when somebody asked.
    pub(crate) meter: Option<&'a Meter>,
}

/// Segments that share a codebook.
pub(crate) struct Family<'a> {
    pub(crate) codebook: &'a Codebook,
    pub(crate) segments: Vec<&'a Segment>,
}

impl Searcher<'_> {
    /// Whether a passage may be found: it is alive, and the filter lets it through.
    #[inline]
    pub(crate) fn admits(&self, docno: u32) -> bool {
        match self.live {
            Some(live) => live.contains(docno),
            None => !self.snapshot.deleted.contains(docno),
        }
    }

    /// The k best passages that may be found.
    pub(crate) fn search(&self, query: &Query, params: &SearchParams) -> Result<Vec<Scored>> {
        let resolved = match self.live {
            None => params.resolve_among(&self.snapshot.tuned, 1, 1),
            Some(live) if live.len() == 0 => return Ok(Vec::new()),
            Some(live) => params.resolve_among(&self.snapshot.tuned, live.len(), self.passages()),
        };
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

    /// Passages of all segments, deleted ones included.
    fn passages(&self) -> usize {
        self.snapshot.segments.iter().map(|s| s.passages()).sum()
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
        let few = match self.live {
            Some(live) if live.len() <= params.ndocs => Some(timed(
                self.meter,
                SearchStage::Locate,
                || self.locate(family, live),
                |few| Ok([few.len() as u64]),
            )?),
            _ => None,
        };
        if let Some(few) = few.as_ref().filter(|few| few.len() <= params.k.max(FEW)) {
            return self.float_scores(query, family, few);
        }
        let rows = timed(
            self.meter,
            SearchStage::Centroids,
            || self.centroid_rows(query, family.codebook),
            |_| {
                let head = &family.codebook.head;
                Ok([head.centroids as u64, (head.centroids * head.dim) as u64])
            },
        )?;
        let candidates = match params.centroid_score_threshold {
            Some(threshold) => {
                let refinement = Refinement::new(query, family.codebook, &rows)?;
                self.plaid_stages(family, &refinement, few, params, threshold)?
            }
            None => self.stages(family, &rows, few, params)?,
        };
        self.residual_scores(query, family, &rows, &candidates, params.k)
    }

    /// The passages to be scored with residuals: of `few` that a filter left, or of those in the best cells.
    fn stages(
        &self,
        family: &Family<'_>,
        rows: &CentroidRows,
        few: Option<Vec<Candidate>>,
        params: &Resolved,
    ) -> Result<Vec<Candidate>> {
        let cells = |nprobe| Ok(probe::best_cells(rows, nprobe));
        let mut candidates = match few {
            Some(few) => few,
            None => self.probe(family, rows, params, &cells)?,
        };
        self.cut(&mut candidates, params.ndocs)?;
        if candidates.len() > params.full_docs() {
            self.interaction(family, rows, &mut candidates)?;
            self.cut(&mut candidates, params.full_docs())?;
        }
        Ok(candidates)
    }

    /// As [`keep_best`], for the meter to see.
    fn cut(&self, candidates: &mut Vec<Candidate>, count: usize) -> Result<()> {
        timed(
            self.meter,
            SearchStage::Cut,
            || {
                keep_best(candidates, count);
                Ok(candidates.len())
            },
            |kept| Ok([*kept as u64]),
        )
        .map(drop)
    }

    /// Candidates from the best cells, at least k if so many may be found.
    fn probe(
        &self,
        family: &Family<'_>,
        rows: &CentroidRows,
        params: &Resolved,
        cells: &dyn Fn(usize) -> Result<Vec<TokenCells>>,
    ) -> Result<Vec<Candidate>> {
        let mut nprobe = params.nprobe;
        let mut least = None;
        loop {
            let cells = timed(
                self.meter,
                SearchStage::Probe,
                || cells(nprobe),
                |cells| Ok([cells.iter().map(|token| token.cells.len() as u64).sum()]),
            )?;
            let found = timed(
                self.meter,
                SearchStage::Candidates,
                || self.candidates(family, rows, &cells),
                |found| Ok([found.len() as u64]),
            )?;
            if found.len() >= params.k || nprobe >= family.codebook.head.centroids {
                return Ok(found);
            }
            // Deletions and short lists must not cost results. Counting costs a walk over all passages, so it waits until it is needed.
            let least = match least {
                Some(least) => least,
                None => *least.insert(params.k.min(self.count(family)?)),
            };
            if found.len() >= least {
                return Ok(found);
            }
            nprobe = nprobe.saturating_mul(4);
        }
    }

    /// How many passages of a family may be found.
    fn count(&self, family: &Family<'_>) -> Result<usize> {
        let mut count = 0;
        for segment in &family.segments {
            count += match (self.live, self.snapshot.deleted.len()) {
                (None, 0) => segment.passages(),
                _ => segment
                    .docnos()?
                    .iter()
                    .filter(|&&d| self.admits(d))
                    .count(),
            };
        }
        Ok(count)
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
