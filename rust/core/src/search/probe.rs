//! Stage one: centroid scores as rows of bytes, and the best cells of every query token.

use weft_kernels::{Query, centroid_scores, next_above};

use super::Searcher;
use crate::codec::codebook::Codebook;
use crate::error::Result;

/// Centroids a task scores: 512 KB of bytes at 128 dimensions.
const TASK: usize = 4096;

/// Scores of all centroids: `[K][lanes]`, where byte `v` means `(v - 128) * step`.
///
/// The step is set by the longest query token and the longest centroid, so that nothing saturates; unit vectors give 1/127. The rounding moves a sum over
/// 32 tokens by 0.013 (rms), a tenth of what the centroids themselves are off.
pub(crate) struct CentroidRows {
    pub(crate) rows: Vec<u8>,
    pub(crate) lanes: usize,
    pub(crate) tokens: usize,
    pub(crate) step: f32,
}

impl CentroidRows {
    pub(crate) fn row(&self, centroid: u32) -> &[u8] {
        &self.rows[centroid as usize * self.lanes..(centroid as usize + 1) * self.lanes]
    }
}

/// A cell to probe for a query token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) score: u8,
    pub(crate) centroid: u32,
}

/// The cells of one query token, best first, and the score of the best cell left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenCells {
    pub(crate) cells: Vec<Cell>,
    pub(crate) floor: u8,
}

impl Searcher<'_> {
    /// Scores all centroids of a codebook.
    pub(crate) fn centroid_rows(&self, query: &Query, codebook: &Codebook) -> Result<CentroidRows> {
        let (bytes, scales) = (codebook.centroid_bytes()?, codebook.centroid_scales()?);
        let (dim, lanes) = (query.dim(), query.lanes());
        let step = (query.max_norm() * codebook.head.reach / 127.0).max(f32::MIN_POSITIVE);
        let mut rows = vec![0_u8; codebook.head.centroids * lanes];
        self.executor.for_pieces(&mut rows, TASK * lanes, |i, out| {
            let first = i * TASK;
            let count = out.len() / lanes;
            centroid_scores(
                &bytes[first * dim..(first + count) * dim],
                &scales[first..first + count],
                query,
                step,
                out,
            );
        });
        Ok(CentroidRows {
            rows,
            lanes,
            tokens: query.tokens(),
            step,
        })
    }
}

/// The `nprobe` best cells of every query token. Of equal scores the lower centroid wins.
///
/// One pass with a rising threshold for every token: a vector comparison skips nearly all rows, since after the first few
/// hundred only `nprobe * ln(K / nprobe)` rows a token raise a threshold.
pub(crate) fn best_cells(rows: &CentroidRows, nprobe: usize) -> Vec<TokenCells> {
    let keep = nprobe + 1;
    let mut best: Vec<Vec<Cell>> = vec![Vec::with_capacity(keep.min(4096) + 1); rows.tokens];
    // A threshold of 255 is never passed: padded lanes stay silent.
    let mut thresholds = vec![255_u8; rows.lanes];
    thresholds[..rows.tokens].fill(0);
    let mut at = 0;
    while let Some(row) = next_above(&rows.rows, rows.lanes, at, &thresholds) {
        let scores = rows.row(row as u32);
        for ((token, best), &score) in best.iter_mut().enumerate().zip(scores) {
            if score <= thresholds[token] {
                continue;
            }
            let place = best.partition_point(|cell| cell.score >= score);
            best.insert(
                place,
                Cell {
                    score,
                    centroid: row as u32,
                },
            );
            best.truncate(keep);
            if best.len() == keep {
                thresholds[token] = best[nprobe].score;
            }
        }
        at = row + 1;
    }
    best.into_iter()
        .map(|mut cells| {
            let floor = if cells.len() == keep {
                cells[nprobe].score
            } else {
                0
            };
            cells.truncate(nprobe);
            TokenCells { cells, floor }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_best_cells_are_those_of_a_sort(
            seed in any::<u64>(), centroids in 1_usize..300, tokens in 1_usize..40, nprobe in 1_usize..400,
        ) {
            let mut random = crate::cluster::random::Random::new(seed);
            let lanes = tokens.div_ceil(16) * 16;
            let mut bytes = vec![0_u8; centroids * lanes];
            for row in bytes.chunks_exact_mut(lanes) {
                row[..tokens].fill_with(|| 1 + random.below(255) as u8);
            }
            let rows = CentroidRows { rows: bytes, lanes, tokens, step: 1.0 };
            for (token, found) in best_cells(&rows, nprobe).iter().enumerate() {
                let mut all: Vec<Cell> = (0..centroids as u32)
                    .map(|c| Cell { score: rows.row(c)[token], centroid: c }).collect();
                all.sort_by_key(|c| (std::cmp::Reverse(c.score), c.centroid));
                prop_assert_eq!(&found.cells[..], &all[..nprobe.min(centroids)]);
                prop_assert_eq!(found.floor, all.get(nprobe).map_or(0, |c| c.score));
            }
        }
    }
}
