//! PLAID's stages with PLAID's answers: bytes decide what they can, floats decide the rest.
//!
//! A search with a `centroid_score_threshold` gives what colbert-ai 0.2.22 gives with the same parameters on the same codes. Its stages cut
//! by float32 centroid scores; ours are bytes, a step of 1/127 apart, which alone lose 3 of 100 passages of its top 10. So wherever bytes lie
//! closer to a cut than their errors reach, scores are computed again from the centroids themselves: for the cells of a query token, for the
//! centroids at the threshold, for the passages at `ndocs` and at `ndocs / 4`.
//!
//! Measured on an index of 1,932 passages that colbert-ai 0.2.22 built (nq-mini, 128 dimensions, 4,096 centroids), 200 queries of 32 tokens:
//! share of the positions of its top 10 that are the same, by bytes alone and so, at 1, 2 and 4 bits. With the parameters of k = 10
//! 0.924, 0.897, 0.894 and 1.000 each; with those of k = 100 0.988, 0.973, 0.957 and 1.000 each, and all of the 20,000 positions of
//! its top 100. On one AVX-512 core and queries of our default model it takes a search from 0.55 to 0.79 ms (k = 10) and from 2.74 to
//! 2.85 ms (k = 100) with these passages, from 1.07 to 1.60 and from 4.3 to 5.5 ms with 23,184 passages and 16,384 centroids: too much
//! where nobody compares, so only a threshold asks for it.

use std::cell::RefCell;

use weft_kernels::{Query, maxsim_f32, next_above, sum_maxima};

use super::candidates::Candidate;
use super::interaction::range;
use super::params::Resolved;
use super::probe::{Cell, CentroidRows, TokenCells, best_cells};
use super::profile::{SearchStage, timed};
use super::{Family, Searcher};
use crate::codec::codebook::Codebook;
use crate::error::Result;

/// Errors of a byte are taken to stay within so many of their standard deviations.
const DEVIATIONS: f32 = 6.0;
/// Passages of a task, about 10 us each.
const TASK: usize = 16;

#[derive(Default)]
struct Scratch {
    codes: Vec<u32>,
    centroids: Vec<f32>,
    maxima: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A set of centroids, a bit each.
pub(crate) type Kept = Vec<u64>;

/// Centroid scores of one query in floats, beside their rows of bytes.
pub(crate) struct Refinement<'a> {
    query: &'a Query,
    codebook: &'a Codebook,
    rows: &'a CentroidRows,
    /// Standard deviation of a byte's error, in steps.
    deviation: f32,
}

impl<'a> Refinement<'a> {
    pub(crate) fn new(
        query: &'a Query,
        codebook: &'a Codebook,
        rows: &'a CentroidRows,
    ) -> Result<Self> {
        // Three roundings, each uniform within its step: of the byte, of the query's components against a centroid of length
        // `reach`, of the centroid's components against a query token.
        let coarsest = codebook
            .centroid_scales()?
            .iter()
            .copied()
            .fold(0.0, f32::max);
        let errors = [
            1.0,
            query.max_scale() * codebook.head.reach / rows.step,
            coarsest * query.max_norm() / rows.step,
        ];
        let variance: f32 = errors.iter().map(|e| e * e / 12.0).sum();
        Ok(Self {
            query,
            codebook,
            rows,
            deviation: variance.sqrt(),
        })
    }

    /// How many steps two sums of so many bytes may differ although the true order is the other one.
    fn doubt(&self, bytes: usize) -> f32 {
        DEVIATIONS * self.deviation * (2.0 * bytes as f32).sqrt()
    }

    /// Scores of one centroid with every query token; padded lanes are of no use.
    fn row(&self, centroid: u32, values: &mut Vec<f32>, out: &mut Vec<f32>) -> Result<()> {
        values.resize(self.codebook.head.dim, 0.0);
        self.codebook.centroid(centroid, values)?;
        out.clear();
        out.resize(self.rows.lanes, f32::NEG_INFINITY);
        maxsim_f32(self.query, values, out);
        Ok(())
    }

    /// The `nprobe` best cells of every query token. Of equal scores the lower centroid wins.
    fn cells(&self, nprobe: usize) -> Result<Vec<TokenCells>> {
        let rows = self.rows;
        let mut thresholds = vec![255_u8; rows.lanes];
        let doubt = self.doubt(1).ceil() as u8;
        for (threshold, best) in thresholds.iter_mut().zip(best_cells(rows, nprobe)) {
            let least = best.cells.last().map_or(0, |cell| cell.score);
            *threshold = least.saturating_sub(doubt).saturating_sub(1);
        }
        let mut found: Vec<Vec<(f32, Cell)>> = vec![Vec::new(); rows.tokens];
        let (mut values, mut scores) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(row) = next_above(&rows.rows, rows.lanes, at, &thresholds) {
            self.row(row as u32, &mut values, &mut scores)?;
            let bytes = rows.row(row as u32);
            for (token, found) in found.iter_mut().enumerate() {
                if bytes[token] > thresholds[token] {
                    let cell = Cell {
                        score: bytes[token],
                        centroid: row as u32,
                    };
                    found.push((scores[token], cell));
                }
            }
            at = row + 1;
        }
        let best = |mut found: Vec<(f32, Cell)>| {
            // Stable: centroids come in ascending order.
            found.sort_by(|a, b| b.0.total_cmp(&a.0));
            found.truncate(nprobe);
            TokenCells {
                cells: found.into_iter().map(|(_, cell)| cell).collect(),
                floor: 0,
            }
        };
        Ok(found.into_iter().map(best).collect())
    }

    /// The centroids whose best score reaches a threshold.
    fn kept(&self, threshold: f32) -> Result<Kept> {
        let rows = self.rows;
        let mut keep = vec![0_u64; self.codebook.head.centroids.div_ceil(64)];
        let least = threshold / rows.step + 128.0;
        let doubt = self.doubt(1);
        let (mut values, mut scores) = (Vec::new(), Vec::new());
        for (c, row) in rows.rows.chunks_exact(rows.lanes).enumerate() {
            let best = f32::from(row[..rows.tokens].iter().copied().max().unwrap_or(0));
            let reaches = if (best - least).abs() <= doubt {
                self.row(c as u32, &mut values, &mut scores)?;
                scores[..rows.tokens].iter().any(|&s| s >= threshold)
            } else {
                best > least
            };
            keep[c / 64] |= u64::from(reaches) << (c % 64);
        }
        Ok(keep)
    }

    /// Sum over the query of the best of a passage's centroids, of those that are kept.
    fn centroid_score(
        &self,
        codes: &[u32],
        keep: Option<&Kept>,
        scratch: &mut Scratch,
    ) -> Result<f32> {
        let kept =
            |c: &&u32| keep.is_none_or(|keep| keep[**c as usize / 64] >> (**c % 64) & 1 == 1);
        let dim = self.codebook.head.dim;
        scratch.centroids.clear();
        for &code in codes.iter().filter(kept) {
            let at = scratch.centroids.len();
            scratch.centroids.resize(at + dim, 0.0);
            self.codebook.centroid(code, &mut scratch.centroids[at..])?;
        }
        scratch.maxima.clear();
        scratch.maxima.resize(self.rows.lanes, f32::NEG_INFINITY);
        maxsim_f32(self.query, &scratch.centroids, &mut scratch.maxima);
        Ok(sum_maxima(self.query, &scratch.maxima))
    }
}

impl Searcher<'_> {
    /// As [`stages`](Self::stages), with PLAID's pruning and its exact cuts.
    pub(crate) fn plaid_stages(
        &self,
        family: &Family<'_>,
        refinement: &Refinement<'_>,
        few: Option<Vec<Candidate>>,
        params: &Resolved,
        threshold: f32,
    ) -> Result<Vec<Candidate>> {
        let rows = refinement.rows;
        let cells = |nprobe| refinement.cells(nprobe);
        let mut candidates = match few {
            Some(few) => few,
            None => self.probe(family, rows, params, &cells)?,
        };
        if candidates.len() > params.ndocs {
            let keep = refinement.kept(threshold)?;
            self.pruned_interaction(family, rows, &keep, &mut candidates)?;
            let (keep, count) = (Some(&keep), params.ndocs);
            self.keep_best_exactly(family, refinement, keep, &mut candidates, count)?;
        }
        if candidates.len() > params.full_docs() {
            self.interaction(family, rows, &mut candidates)?;
            let count = params.full_docs();
            self.keep_best_exactly(family, refinement, None, &mut candidates, count)?;
        }
        Ok(candidates)
    }

    fn keep_best_exactly(
        &self,
        family: &Family<'_>,
        refinement: &Refinement<'_>,
        keep: Option<&Kept>,
        candidates: &mut Vec<Candidate>,
        count: usize,
    ) -> Result<()> {
        timed(
            self.meter,
            SearchStage::Refine,
            || self.choose_exactly(family, refinement, keep, candidates, count),
            |scored| Ok([*scored as u64]),
        )
        .map(drop)
    }

    /// Keeps the candidates of the best `count` centroid interactions, in the order of segments and positions. Of equals the later docno
    /// goes on, as in colbert-ai: where no centroid of a passage reaches the threshold, that is the rule. Says how many were scored in floats.
    fn choose_exactly(
        &self,
        family: &Family<'_>,
        refinement: &Refinement<'_>,
        keep: Option<&Kept>,
        candidates: &mut Vec<Candidate>,
        count: usize,
    ) -> Result<usize> {
        if candidates.len() <= count {
            return Ok(0);
        }
        let mut scores: Vec<u32> = candidates.iter().map(|c| c.score).collect();
        let cut = *scores
            .select_nth_unstable_by(count.max(1) - 1, |a, b| b.cmp(a))
            .1;
        let doubt = refinement.doubt(refinement.rows.tokens).ceil() as u32;
        let open: Vec<Candidate> = candidates
            .iter()
            .filter(|c| c.score.abs_diff(cut) <= doubt)
            .copied()
            .collect();
        candidates.retain(|c| c.score > cut.saturating_add(doubt));
        let tasks = open.len().div_ceil(TASK);
        let mut scored = self
            .executor
            .map(tasks, |task| {
                let piece = &open[task * TASK..open.len().min((task + 1) * TASK)];
                SCRATCH.with_borrow_mut(|scratch| {
                    let mut codes = std::mem::take(&mut scratch.codes);
                    let score = |c: &Candidate| {
                        let segment = family.segments[c.segment as usize];
                        let (start, end) = range(segment.ends()?, c.position);
                        codes.clear();
                        segment.codes(start, end, &mut codes)?;
                        codes.sort_unstable();
                        codes.dedup();
                        let score = refinement.centroid_score(&codes, keep, scratch)?;
                        Ok((score, segment.docnos()?[c.position as usize], *c))
                    };
                    let scored = piece.iter().map(score).collect::<Result<Vec<_>>>();
                    scratch.codes = codes;
                    scored
                })
            })?
            .concat();
        scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        scored.truncate(count - candidates.len());
        candidates.extend(scored.iter().map(|(_, _, c)| c));
        candidates.sort_unstable_by_key(|c| (c.segment, c.position));
        Ok(open.len())
    }
}
