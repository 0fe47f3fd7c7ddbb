//! Stages three and four: centroid interaction, then residuals, both in integers; and the choice of those that are scored again in floats.

use std::cell::RefCell;

use weft_kernels::{Query, interactions, interactions_pruned, residual_maxsim};

use super::candidates::Candidate;
use super::probe::CentroidRows;
use super::profile::{SearchStage, timed};
use super::refine::Kept;
use super::{Family, Scored, Searcher};
use crate::error::Result;
use crate::segment::read::Segment;

/// Candidates of a task of the centroid interaction (about 70 ns each) and of the residual stage (2 to 10 us each).
const INTERACTION_TASK: usize = 256;
const RESIDUAL_TASK: usize = 16;

#[derive(Default)]
struct Scratch {
    codes: Vec<u32>,
    ends: Vec<u32>,
    scores: Vec<u32>,
    inv_norms: Vec<f32>,
    maxima: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Tokens of a passage of a segment.
pub(crate) fn range(ends: &[u32], position: u32) -> (usize, usize) {
    let p = position as usize;
    let start = if p == 0 { 0 } else { ends[p - 1] };
    (start as usize, ends[p] as usize)
}

impl Searcher<'_> {
    /// Replaces scores by the centroid interaction.
    pub(crate) fn interaction(
        &self,
        family: &Family<'_>,
        rows: &CentroidRows,
        candidates: &mut [Candidate],
    ) -> Result<()> {
        self.interact(
            SearchStage::Interaction,
            family,
            candidates,
            |codes, ends, out| interactions(&rows.rows, rows.lanes, codes, ends, out),
        )
    }

    /// The same with PLAID's pruning: centroids that are not kept do not count.
    pub(crate) fn pruned_interaction(
        &self,
        family: &Family<'_>,
        rows: &CentroidRows,
        keep: &Kept,
        candidates: &mut [Candidate],
    ) -> Result<()> {
        self.interact(
            SearchStage::Prune,
            family,
            candidates,
            |codes, ends, out| {
                interactions_pruned(&rows.rows, rows.lanes, codes, ends, keep, out);
            },
        )
    }

    fn interact(
        &self,
        stage: SearchStage,
        family: &Family<'_>,
        candidates: &mut [Candidate],
        kernel: impl Fn(&[u32], &[u32], &mut [u32]) + Sync,
    ) -> Result<()> {
        timed(
            self.meter,
            stage,
            || {
                self.interact_pieces(family, candidates, kernel)?;
                Ok(&*candidates)
            },
            |candidates| self.amount(family, candidates, Segment::code_bytes),
        )
        .map(drop)
    }

    fn interact_pieces(
        &self,
        family: &Family<'_>,
        candidates: &mut [Candidate],
        kernel: impl Fn(&[u32], &[u32], &mut [u32]) + Sync,
    ) -> Result<()> {
        let failed = std::sync::Mutex::new(Ok(()));
        self.executor
            .for_pieces(candidates, INTERACTION_TASK, |_, piece| {
                let done = SCRATCH.with_borrow_mut(|scratch| {
                    scratch.codes.clear();
                    scratch.ends.clear();
                    for candidate in piece.iter() {
                        let segment = family.segments[candidate.segment as usize];
                        let (start, end) = range(segment.ends()?, candidate.position);
                        segment.codes(start, end, &mut scratch.codes)?;
                        scratch.ends.push(scratch.codes.len() as u32);
                    }
                    scratch.scores.resize(piece.len(), 0);
                    kernel(&scratch.codes, &scratch.ends, &mut scratch.scores);
                    piece
                        .iter_mut()
                        .zip(&scratch.scores)
                        .for_each(|(c, &score)| c.score = score);
                    Ok(())
                });
                if let Err(error) = done {
                    *failed
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner) = Err(error);
                }
            });
        failed
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Scores candidates with their residuals and gives float scores of those that can be among the best k.
    pub(crate) fn residual_scores(
        &self,
        query: &Query,
        family: &Family<'_>,
        rows: &CentroidRows,
        candidates: &[Candidate],
        k: usize,
    ) -> Result<Vec<Scored>> {
        let tasks = candidates.len().div_ceil(RESIDUAL_TASK);
        let score_all = || {
            self.executor.map(tasks, |task| {
                let end = candidates.len().min((task + 1) * RESIDUAL_TASK);
                candidates[task * RESIDUAL_TASK..end]
                    .iter()
                    .map(|c| self.residual_score(query, family, rows, c))
                    .collect::<Result<Vec<f32>>>()
            })
        };
        let scores = timed(self.meter, SearchStage::Residuals, score_all, |_| {
            self.amount(family, candidates, Segment::token_bytes)
        })?
        .concat();
        // The integer score of a passage is off by the rounding of rows and query: 0.3 steps for a token, which add up like
        // independent errors over the query. Two whole steps are more than six standard deviations. The reciprocal norm multiplies
        // them, and its own byte is rounded: nothing with vectors near unit length, whose lines end at 1.2 to 1.4.
        let head = &family.codebook.head;
        let longest = head.norm_base + 255.0 * head.norm_step;
        let step = match longest > 1.5 {
            true => rows.step * longest + query.max_norm() * head.norm_step,
            false => rows.step,
        };
        let margin = 2.0 * step * (rows.tokens as f32).sqrt();
        let mut ranked = scores.clone();
        let least = match ranked.len() {
            n if n > k && k > 0 => {
                *ranked
                    .select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a))
                    .1
                    - margin
            }
            _ => f32::NEG_INFINITY,
        };
        let chosen: Vec<Candidate> = candidates
            .iter()
            .zip(&scores)
            .filter(|(_, s)| **s >= least)
            .map(|(c, _)| *c)
            .collect();
        self.float_scores(query, family, &chosen)
    }

    /// Float scores of candidates.
    pub(crate) fn float_scores(
        &self,
        query: &Query,
        family: &Family<'_>,
        chosen: &[Candidate],
    ) -> Result<Vec<Scored>> {
        let score_all = || {
            self.executor.map(chosen.len(), |i| {
                let c = &chosen[i];
                let segment = family.segments[c.segment as usize];
                let score = self.score_coded(query, family.codebook, segment, c.position)?;
                Ok(Scored {
                    score,
                    docno: segment.docnos()?[c.position as usize],
                })
            })
        };
        timed(self.meter, SearchStage::Rescore, score_all, |_| {
            self.amount(family, chosen, |segment| segment.token_bytes())
        })
    }

    fn residual_score(
        &self,
        query: &Query,
        family: &Family<'_>,
        rows: &CentroidRows,
        candidate: &Candidate,
    ) -> Result<f32> {
        SCRATCH.with_borrow_mut(|scratch| {
            let segment = family.segments[candidate.segment as usize];
            let (start, end) = range(segment.ends()?, candidate.position);
            scratch.codes.clear();
            segment.codes(start, end, &mut scratch.codes)?;
            scratch.inv_norms.clear();
            let norms = segment.norms(start, end)?;
            scratch
                .inv_norms
                .extend(norms.iter().map(|&b| family.codebook.inv_norms[b as usize]));
            scratch.maxima.resize(rows.lanes, 0.0);
            Ok(residual_maxsim(
                query,
                &family.codebook.residual_table,
                &rows.rows,
                rows.step,
                &scratch.codes,
                segment.residuals(start, end)?,
                &scratch.inv_norms,
                &mut scratch.maxima,
            ))
        })
    }
}
