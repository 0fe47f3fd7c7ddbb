//! Centroid scores: every query token against every centroid, as one row of bytes a centroid.
//!
//! A row of 32 query tokens is half a cache line; the later stages read nothing else of a centroid.
//! (PLAID's stage 1, Santhanam et al. 2022, section 4, with the scores quantised to bytes.)

use crate::level::{self, Tier, tier};
use crate::query::Query;

/// Quantises centroids to the bytes [`centroid_scores`] reads.
///
/// `values` is `[K][dim]`, `bytes` `[K][dim]` and `scales` `[K]`: the scale is the row's largest
/// magnitude over 127, a byte `128 + round_ties_even(value / scale)`. A zero row has scale 0.
///
/// # Panics
///
/// When the shapes disagree.
pub fn quantise_centroids(values: &[f32], dim: usize, bytes: &mut [u8], scales: &mut [f32]) {
    assert!(
        values.len() == bytes.len() && values.len() == scales.len() * dim,
        "{} values, {} bytes and {} scales do not agree at {dim} dimensions",
        values.len(),
        bytes.len(),
        scales.len()
    );
    let rows = values
        .chunks_exact(dim.max(1))
        .zip(bytes.chunks_exact_mut(dim.max(1)));
    for ((row, bytes), scale) in rows.zip(scales) {
        *scale = row.iter().fold(0.0f32, |m, v| m.max(v.abs())) / 127.0;
        for (byte, &value) in bytes.iter_mut().zip(row) {
            *byte = if *scale > 0.0 {
                (128.0 + (value / *scale).round_ties_even()).clamp(1.0, 255.0) as u8
            } else {
                128
            };
        }
    }
}

/// Scores every centroid against every query token into one byte each.
///
/// `centroids` is `[K][dim]`, a byte standing for `byte - 128`; `centroid_scale` is `[K]`; `out` is
/// `[K][lanes]`. With `dot` the integer dot product, a cell is, in f32 and in this order,
/// `round_ties_even(((dot as f32 * centroid_scale[c]) * (query_scale[t] / step)) + 128.0)`
/// clamped to 0..=255, without fused operations. A cell `v` thus means the score
/// `(v - 128) * step`. Cells of padded tokens are 0. Tiers agree to the bit.
///
/// Callers share the work between threads by calling it on ranges of centroids.
///
/// # Panics
///
/// When the shapes disagree or `step` is not positive and finite.
pub fn centroid_scores(
    centroids: &[u8],
    centroid_scale: &[f32],
    query: &Query,
    step: f32,
    out: &mut [u8],
) {
    centroid_scores_on(tier(), centroids, centroid_scale, query, step, out);
}

/// [`centroid_scores`] on one tier.
///
/// # Panics
///
/// As [`centroid_scores`], and when this machine lacks the tier.
pub fn centroid_scores_at(
    tier: Tier,
    centroids: &[u8],
    centroid_scale: &[f32],
    query: &Query,
    step: f32,
    out: &mut [u8],
) {
    centroid_scores_on(
        level::require(tier),
        centroids,
        centroid_scale,
        query,
        step,
        out,
    );
}

fn centroid_scores_on(
    tier: Tier,
    centroids: &[u8],
    centroid_scale: &[f32],
    query: &Query,
    step: f32,
    out: &mut [u8],
) {
    let (count, dim, lanes) = (centroid_scale.len(), query.dim(), query.lanes());
    assert!(
        centroids.len() == count * dim && out.len() == count * lanes,
        "{} centroid bytes and {} cells for {count} centroids of {dim} dimensions, {lanes} lanes",
        centroids.len(),
        out.len()
    );
    assert!(
        step > 0.0 && step.is_finite(),
        "step is {step}, not positive and finite"
    );
    let factors: Vec<f32> = query.scales().iter().map(|scale| scale / step).collect();
    dispatch!(
        tier,
        centroid::centroid_scores(centroids, centroid_scale, query, &factors, out)
    );
}

/// Finds the first row at or after `start_row` in which some lane exceeds its threshold.
///
/// `rows` is `[K][lanes]`, `thresholds` `[lanes]`; the comparison is strict. Returns `None` when no
/// row is left. This is the scan that selects the best cells of every query token: with the
/// thresholds at the current worst of each token's best, almost every row is passed over.
///
/// # Panics
///
/// When `lanes` is not a positive multiple of 16, or the shapes disagree.
pub fn next_above(rows: &[u8], lanes: usize, start_row: usize, thresholds: &[u8]) -> Option<usize> {
    next_above_on(tier(), rows, lanes, start_row, thresholds)
}

/// [`next_above`] on one tier.
///
/// # Panics
///
/// As [`next_above`], and when this machine lacks the tier.
pub fn next_above_at(
    tier: Tier,
    rows: &[u8],
    lanes: usize,
    start_row: usize,
    thresholds: &[u8],
) -> Option<usize> {
    next_above_on(level::require(tier), rows, lanes, start_row, thresholds)
}

fn next_above_on(
    tier: Tier,
    rows: &[u8],
    lanes: usize,
    start_row: usize,
    thresholds: &[u8],
) -> Option<usize> {
    check_rows(rows, lanes);
    assert!(
        thresholds.len() == lanes,
        "{} thresholds for {lanes} lanes",
        thresholds.len()
    );
    let rest = rows.get(start_row.checked_mul(lanes)?..)?;
    let found: Option<usize> = dispatch!(tier, centroid::next_above(rest, thresholds));
    found.map(|row| start_row + row)
}

/// Panics unless `rows` is a whole number of rows of a positive multiple of 16 lanes.
pub(crate) fn check_rows(rows: &[u8], lanes: usize) {
    assert!(
        lanes > 0 && lanes.is_multiple_of(crate::LANES) && rows.len().is_multiple_of(lanes),
        "{} cells are no rows of {lanes} lanes, a positive multiple of 16",
        rows.len()
    );
}
