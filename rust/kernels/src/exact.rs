//! MaxSim over uncompressed documents, f32 or f16.
//!
//! Every dot product is one chain `acc = fma(document[d], query[d], acc)` over ascending `d` from
//! 0, so that tiers agree to the bit.

use crate::level::{self, Tier, tier};
use crate::query::Query;

/// Raises the running maxima of a query by the tokens of an f32 document.
///
/// `document` is `[n][dim]`; `maxima` is `[lanes]`, set to minus infinity by the caller before the
/// first call (`if x > max { max = x }`). Padded lanes hold nothing of use. [`sum_maxima`] makes
/// the score.
///
/// # Panics
///
/// When the shapes disagree.
pub fn maxsim_f32(query: &Query, document: &[f32], maxima: &mut [f32]) {
    check(query, document.len(), maxima.len());
    dispatch!(tier(), exact::maxsim_f32(query, document, maxima));
}

/// [`maxsim_f32`] on one tier.
///
/// # Panics
///
/// As [`maxsim_f32`], and when this machine lacks the tier.
pub fn maxsim_f32_at(tier: Tier, query: &Query, document: &[f32], maxima: &mut [f32]) {
    check(query, document.len(), maxima.len());
    dispatch!(
        level::require(tier),
        exact::maxsim_f32(query, document, maxima)
    );
}

/// [`maxsim_f32`] for a document of IEEE half-precision values, each widened exactly.
///
/// # Panics
///
/// When the shapes disagree.
pub fn maxsim_f16(query: &Query, document: &[u16], maxima: &mut [f32]) {
    check(query, document.len(), maxima.len());
    dispatch!(tier(), exact::maxsim_f16(query, document, maxima));
}

/// [`maxsim_f16`] on one tier.
///
/// # Panics
///
/// As [`maxsim_f16`], and when this machine lacks the tier.
pub fn maxsim_f16_at(tier: Tier, query: &Query, document: &[u16], maxima: &mut [f32]) {
    check(query, document.len(), maxima.len());
    dispatch!(
        level::require(tier),
        exact::maxsim_f16(query, document, maxima)
    );
}

/// The sum of the maxima of the real query tokens, in ascending order, in f32.
///
/// # Panics
///
/// When `maxima` is not `[lanes]`.
pub fn sum_maxima(query: &Query, maxima: &[f32]) -> f32 {
    assert!(
        maxima.len() == query.lanes(),
        "{} maxima for {} lanes",
        maxima.len(),
        query.lanes()
    );
    maxima[..query.tokens()]
        .iter()
        .fold(0.0, |sum, max| sum + max)
}

fn check(query: &Query, values: usize, maxima: usize) {
    let (dim, lanes) = (query.dim(), query.lanes());
    assert!(
        values.is_multiple_of(dim) && maxima == lanes,
        "{values} document values of {dim} dimensions and {maxima} maxima for {lanes} lanes"
    );
}
