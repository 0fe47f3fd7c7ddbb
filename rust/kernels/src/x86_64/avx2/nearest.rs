//! Points against centroids: the matrix product of the build.
//!
//! A panel of 16 centroids stays in the first-level cache while a block of points passes by from
//! the second; panels stream once a block.

use std::arch::x86_64::*;

use super::{FLOAT_ROWS, float_dots};
use crate::panels::CentroidPanels;
use crate::query::LANES;

/// Points that pass by one panel: 48 KiB at 128 dimensions.
const BLOCK: usize = 16 * FLOAT_ROWS;

/// Contract: `crate::nearest_into`.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn nearest_into(
    points: &[f32],
    panels: &CentroidPanels,
    offset: u32,
    best: &mut [u32],
    score: &mut [f32],
) {
    if best.len() < FLOAT_ROWS {
        nearest_tiles::<1>(points, panels, offset, best, score);
    } else {
        nearest_tiles::<FLOAT_ROWS>(points, panels, offset, best, score);
    }
}

/// Works on `R` points at a time; there are at least `R` or none.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn nearest_tiles<const R: usize>(
    points: &[f32],
    panels: &CentroidPanels,
    offset: u32,
    best: &mut [u32],
    score: &mut [f32],
) {
    let dim = panels.dim();
    let count = best.len();
    for block in (0..count).step_by(BLOCK) {
        for (first, columns, panel) in panels.iter() {
            for point in (block..count.min(block + BLOCK)).step_by(R) {
                // The last tile reaches back: merging a point twice changes nothing.
                let point = point.min(count - R);
                let tile = &points[point * dim..][..R * dim];
                // SAFETY: `tile` is `R` rows of the panel's dimensions.
                let dots = unsafe { float_dots::<R>(tile.as_ptr(), panel) };
                for (r, dots) in dots.iter().enumerate() {
                    let best = &mut best[point + r];
                    let score = &mut score[point + r];
                    let bound = _mm256_set1_ps(*score);
                    let higher = _mm256_or_ps(
                        _mm256_cmp_ps::<_CMP_GE_OQ>(dots[0], bound),
                        _mm256_cmp_ps::<_CMP_GE_OQ>(dots[1], bound),
                    );
                    // Rare after the first panels: about ln(K / 16) times a point on random data.
                    if _mm256_movemask_ps(higher) != 0 {
                        let number = offset + first as u32;
                        merge(&store(*dots)[..columns], number, best, score);
                    }
                }
            }
        }
    }
}

/// Merges the products of one point with consecutive centroids, the first being `number`.
#[inline(never)]
pub(in crate::x86_64) fn merge(dots: &[f32], number: u32, best: &mut u32, score: &mut f32) {
    for (&dot, number) in dots.iter().zip(number..) {
        if dot > *score || (dot == *score && number < *best) {
            (*best, *score) = (number, dot);
        }
    }
}

/// Contract: `crate::dots`.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn dots(points: &[f32], panels: &CentroidPanels, out: &mut [f32]) {
    if points.len() / panels.dim() < FLOAT_ROWS {
        dots_tiles::<1>(points, panels, out);
    } else {
        dots_tiles::<FLOAT_ROWS>(points, panels, out);
    }
}

/// Works on `R` points at a time; there are at least `R` or none.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn dots_tiles<const R: usize>(points: &[f32], panels: &CentroidPanels, out: &mut [f32]) {
    let (dim, width) = (panels.dim(), panels.count());
    let count = points.len() / dim;
    for block in (0..count).step_by(BLOCK) {
        for (first, columns, panel) in panels.iter() {
            for point in (block..count.min(block + BLOCK)).step_by(R) {
                let point = point.min(count - R);
                let tile = &points[point * dim..][..R * dim];
                // SAFETY: `tile` is `R` rows of the panel's dimensions.
                let dots = unsafe { float_dots::<R>(tile.as_ptr(), panel) };
                for (r, &dots) in dots.iter().enumerate() {
                    let out = &mut out[(point + r) * width + first..][..columns];
                    out.copy_from_slice(&store(dots)[..columns]);
                }
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(dots: [__m256; 2]) -> [f32; LANES] {
    let mut values = [0.0; LANES];
    // SAFETY: 16 values are two registers.
    unsafe {
        _mm256_storeu_ps(values.as_mut_ptr(), dots[0]);
        _mm256_storeu_ps(values.as_mut_ptr().add(8), dots[1]);
    }
    values
}
