//! Centroid interaction: a document's approximate score from its centroids alone.
//!
//! For every query token the best cell among the document's centroids, summed over the tokens
//! (Santhanam et al. 2022, equation 3). One load and one byte-wise maximum a document token.

use crate::centroid::check_rows;
use crate::level::{self, Tier, tier};

/// Scores documents by their centroids: the sum over lanes of the largest cell among the codes.
///
/// `rows` is `[K][lanes]` as [`centroid_scores`](crate::centroid_scores) makes it. `codes` holds the
/// centroid numbers of all documents one after the other; document `i` owns
/// `codes[ends[i - 1]..ends[i]]`, the first starts at 0. `out` is `[documents]`. A document without
/// codes scores 0. Padded lanes are 0 in every row and add nothing. Tiers agree to the bit.
///
/// # Panics
///
/// When the shapes disagree, `ends` descends or passes the end, or a code is no row.
pub fn interactions(rows: &[u8], lanes: usize, codes: &[u32], ends: &[u32], out: &mut [u32]) {
    check(rows, lanes, codes, ends, out);
    dispatch!(
        tier(),
        interaction::interactions(rows, lanes, codes, ends, out)
    );
}

/// [`interactions`] on one tier.
///
/// # Panics
///
/// As [`interactions`], and when this machine lacks the tier.
pub fn interactions_at(
    tier: Tier,
    rows: &[u8],
    lanes: usize,
    codes: &[u32],
    ends: &[u32],
    out: &mut [u32],
) {
    check(rows, lanes, codes, ends, out);
    dispatch!(
        level::require(tier),
        interaction::interactions(rows, lanes, codes, ends, out)
    );
}

/// [`interactions`] over the kept centroids only (PLAID's centroid pruning).
///
/// Code `c` counts when bit `c % 64` of `keep[c / 64]` is set. A document whose codes are all
/// pruned scores 0.
///
/// # Panics
///
/// As [`interactions`], and when `keep` has fewer bits than there are rows.
pub fn interactions_pruned(
    rows: &[u8],
    lanes: usize,
    codes: &[u32],
    ends: &[u32],
    keep: &[u64],
    out: &mut [u32],
) {
    check(rows, lanes, codes, ends, out);
    check_keep(rows, lanes, keep);
    dispatch!(
        tier(),
        interaction::interactions_pruned(rows, lanes, codes, ends, keep, out)
    );
}

/// [`interactions_pruned`] on one tier.
///
/// # Panics
///
/// As [`interactions_pruned`], and when this machine lacks the tier.
pub fn interactions_pruned_at(
    tier: Tier,
    rows: &[u8],
    lanes: usize,
    codes: &[u32],
    ends: &[u32],
    keep: &[u64],
    out: &mut [u32],
) {
    check(rows, lanes, codes, ends, out);
    check_keep(rows, lanes, keep);
    let tier = level::require(tier);
    dispatch!(
        tier,
        interaction::interactions_pruned(rows, lanes, codes, ends, keep, out)
    );
}

fn check(rows: &[u8], lanes: usize, codes: &[u32], ends: &[u32], out: &[u32]) {
    check_rows(rows, lanes);
    assert!(
        ends.len() == out.len(),
        "{} documents, {} scores",
        ends.len(),
        out.len()
    );
    let last = ends.last().map_or(0, |&end| end as usize);
    assert!(
        ends.is_sorted() && last <= codes.len(),
        "document ends descend or pass the {} codes (the last is {last})",
        codes.len()
    );
    check_codes(codes, rows.len() / lanes);
}

fn check_keep(rows: &[u8], lanes: usize, keep: &[u64]) {
    let count = rows.len() / lanes;
    assert!(
        keep.len() * 64 >= count,
        "{} bits for {count} centroids",
        keep.len() * 64
    );
}

/// Panics unless every code is below `count`. The kernels read rows unchecked behind this.
pub(crate) fn check_codes(codes: &[u32], count: usize) {
    let largest = codes.iter().fold(0, |m, &code| m.max(code)) as usize;
    assert!(
        codes.is_empty() || largest < count,
        "code {largest} of {count} centroids"
    );
}
