//! Points against centroids: the matrix product of the build and its arg-max.
//!
//! Every dot product is one chain `acc = fma(point[d], centroid[d], acc)` over ascending `d` from
//! 0, so that assignments do not depend on the machine, on blocking, or on threads.

use crate::level::{self, Tier, tier};
use crate::panels::CentroidPanels;

/// Finds for every point the centroid with the largest dot product, the lowest number on ties.
///
/// `points` is `[n][dim]`, `best` and `score` are `[n]` and are overwritten. Without centroids
/// `best` is `u32::MAX` and `score` minus infinity.
///
/// # Panics
///
/// When the shapes disagree.
pub fn nearest(points: &[f32], panels: &CentroidPanels, best: &mut [u32], score: &mut [f32]) {
    best.fill(u32::MAX);
    score.fill(f32::NEG_INFINITY);
    nearest_into(points, panels, 0, best, score);
}

/// [`nearest`] on one tier.
///
/// # Panics
///
/// As [`nearest`], and when this machine lacks the tier.
pub fn nearest_at(
    tier: Tier,
    points: &[f32],
    panels: &CentroidPanels,
    best: &mut [u32],
    score: &mut [f32],
) {
    best.fill(u32::MAX);
    score.fill(f32::NEG_INFINITY);
    nearest_into_at(tier, points, panels, 0, best, score);
}

/// [`nearest`] merged into earlier results: centroid `c` counts as number `offset + c`.
///
/// `best` and `score` hold the best so far; the caller starts them at `u32::MAX` and minus
/// infinity. A higher dot product wins, on ties the lower number, whatever the order of the calls.
///
/// # Panics
///
/// When the shapes disagree, or a number passes `u32::MAX`.
pub fn nearest_into(
    points: &[f32],
    panels: &CentroidPanels,
    offset: u32,
    best: &mut [u32],
    score: &mut [f32],
) {
    check_nearest(points, panels, offset, best, score);
    dispatch!(
        tier(),
        nearest::nearest_into(points, panels, offset, best, score)
    );
}

/// [`nearest_into`] on one tier.
///
/// # Panics
///
/// As [`nearest_into`], and when this machine lacks the tier.
pub fn nearest_into_at(
    tier: Tier,
    points: &[f32],
    panels: &CentroidPanels,
    offset: u32,
    best: &mut [u32],
    score: &mut [f32],
) {
    check_nearest(points, panels, offset, best, score);
    dispatch!(
        level::require(tier),
        nearest::nearest_into(points, panels, offset, best, score)
    );
}

/// Every dot product of points and centroids: `out` is `[n][K]`.
///
/// # Panics
///
/// When the shapes disagree.
pub fn dots(points: &[f32], panels: &CentroidPanels, out: &mut [f32]) {
    check_dots(points, panels, out);
    dispatch!(tier(), nearest::dots(points, panels, out));
}

/// [`dots`] on one tier.
///
/// # Panics
///
/// As [`dots`], and when this machine lacks the tier.
pub fn dots_at(tier: Tier, points: &[f32], panels: &CentroidPanels, out: &mut [f32]) {
    check_dots(points, panels, out);
    dispatch!(level::require(tier), nearest::dots(points, panels, out));
}

fn check_nearest(
    points: &[f32],
    panels: &CentroidPanels,
    offset: u32,
    best: &[u32],
    score: &[f32],
) {
    let dim = panels.dim();
    assert!(
        points.len() == best.len() * dim && best.len() == score.len(),
        "{} point values of {dim} dimensions for {} numbers and {} scores",
        points.len(),
        best.len(),
        score.len()
    );
    assert!(
        panels.count() <= (u32::MAX - offset) as usize,
        "{} centroids from number {offset} pass u32",
        panels.count()
    );
}

fn check_dots(points: &[f32], panels: &CentroidPanels, out: &[f32]) {
    let (dim, count) = (panels.dim(), panels.count());
    assert!(
        points.len().is_multiple_of(dim) && points.len() / dim * count == out.len(),
        "{} point values of {dim} dimensions and {count} centroids for {} products",
        points.len(),
        out.len()
    );
}
