//! Points against centroids.

use super::float_dots;
use crate::panels::CentroidPanels;

/// Contract: `crate::nearest_into`.
pub(crate) fn nearest_into(
    points: &[f32],
    panels: &CentroidPanels,
    offset: u32,
    best: &mut [u32],
    score: &mut [f32],
) {
    let points = points.chunks_exact(panels.dim());
    for ((point, best), score) in points.zip(best).zip(score) {
        for (first, columns, panel) in panels.iter() {
            let dots = float_dots(point, panel);
            for (column, &dot) in dots[..columns].iter().enumerate() {
                let number = offset + (first + column) as u32;
                if dot > *score || (dot == *score && number < *best) {
                    (*best, *score) = (number, dot);
                }
            }
        }
    }
}

/// Contract: `crate::dots`.
pub(crate) fn dots(points: &[f32], panels: &CentroidPanels, out: &mut [f32]) {
    if panels.count() == 0 {
        return;
    }
    let rows = out.chunks_exact_mut(panels.count());
    for (point, row) in points.chunks_exact(panels.dim()).zip(rows) {
        for (first, columns, panel) in panels.iter() {
            row[first..first + columns].copy_from_slice(&float_dots(point, panel)[..columns]);
        }
    }
}
