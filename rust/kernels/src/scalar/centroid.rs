//! Centroid scores and the scan over their rows.

use super::byte_dots;
use crate::query::{LANES, Query};

/// Contract: `crate::centroid_scores`; `factors` is `query_scale / step`, `[lanes]`.
pub(crate) fn centroid_scores(
    centroids: &[u8],
    centroid_scale: &[f32],
    query: &Query,
    factors: &[f32],
    out: &mut [u8],
) {
    let (dim, lanes) = (query.dim(), query.lanes());
    if lanes == 0 {
        return;
    }
    let rows = centroids.chunks_exact(dim).zip(out.chunks_exact_mut(lanes));
    for ((row, cells), &scale) in rows.zip(centroid_scale) {
        for (panel, cells) in cells.chunks_exact_mut(LANES).enumerate() {
            let first = panel * LANES;
            let dots = byte_dots(row, query.byte_panel(panel), &query.sums()[first..]);
            for (lane, cell) in cells.iter_mut().enumerate() {
                let value = (dots[lane] as f32 * scale) * factors[first + lane] + 128.0;
                let value = value.round_ties_even().clamp(0.0, 255.0) as u8;
                *cell = if first + lane < query.tokens() {
                    value
                } else {
                    0
                };
            }
        }
    }
}

/// Contract: `crate::next_above` from row 0; `thresholds` has one entry a lane.
pub(crate) fn next_above(rows: &[u8], thresholds: &[u8]) -> Option<usize> {
    rows.chunks_exact(thresholds.len()).position(|row| {
        row.iter()
            .zip(thresholds)
            .any(|(cell, threshold)| cell > threshold)
    })
}
