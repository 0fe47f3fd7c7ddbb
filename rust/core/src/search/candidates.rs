//! Stage two: the passages of the probed cells, scored by the cells alone.
//!
//! A passage gets, for every query token, the score of its best probed cell above the best cell that was not probed: what is
//! missing is imputed at that floor, as in WARP (2501.17788). Cells come in descending score, so the first hit of a
//! passage for a token is its best and no maximum is needed.

use std::cell::RefCell;

use super::probe::{CentroidRows, TokenCells};
use super::{Family, Searcher};
use crate::error::Result;

/// A passage under consideration: position in a segment of its family, and a score that only candidates share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) score: u32,
    pub(crate) segment: u32,
    pub(crate) position: u32,
}

/// Bits of an accumulator that hold the score; above them the query token that hit it last. 4,096 tokens of at most 255 fit.
const SCORE_BITS: u32 = 20;
const SCORE: u32 = (1 << SCORE_BITS) - 1;

thread_local! {
    /// Accumulators of all passages of a segment and those touched; zero between searches.
    static SCRATCH: RefCell<(Vec<u32>, Vec<u32>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// Longest query that the accumulators can count; longer ones are refused at the door.
pub(crate) const MAX_QUERY_TOKENS: usize = 4095;

impl Searcher<'_> {
    /// All passages of the cells that may be found.
    pub(crate) fn candidates(
        &self,
        family: &Family<'_>,
        rows: &CentroidRows,
        cells: &[TokenCells],
    ) -> Result<Vec<Candidate>> {
        debug_assert!(rows.tokens <= MAX_QUERY_TOKENS);
        let lists = self.executor.map(family.segments.len(), |s| {
            SCRATCH.with_borrow_mut(|(scores, touched)| {
                let segment = family.segments[s];
                if scores.len() < segment.passages() {
                    scores.resize(segment.passages(), 0);
                }
                touched.clear();
                let mut damaged = Ok(());
                'tokens: for (token, cells) in cells.iter().enumerate() {
                    let stamp = (token as u32 + 1) << SCORE_BITS;
                    for cell in &cells.cells {
                        let gain = u32::from(cell.score - cells.floor);
                        damaged = segment.postings(cell.centroid, |position| {
                            let slot = &mut scores[position as usize];
                            if *slot == 0 {
                                touched.push(position);
                            }
                            if *slot & !SCORE != stamp {
                                *slot = stamp | ((*slot & SCORE) + gain);
                            }
                        });
                        if damaged.is_err() {
                            break 'tokens;
                        }
                    }
                }
                let found = damaged.and_then(|()| {
                    let docnos = segment.docnos()?;
                    let live = touched.iter().filter(|&&p| self.admits(docnos[p as usize]));
                    let candidate = |&position: &u32| Candidate {
                        score: scores[position as usize] & SCORE,
                        segment: s as u32,
                        position,
                    };
                    Ok(live.map(candidate).collect::<Vec<_>>())
                });
                touched.iter().for_each(|&p| scores[p as usize] = 0);
                found
            })
        })?;
        Ok(lists.concat())
    }
}
