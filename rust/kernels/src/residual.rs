//! Exact interaction over compressed documents: residuals are decoded in registers, never to floats.

use crate::centroid::check_rows;
use crate::interaction::check_codes;
use crate::level::{self, Tier, tier};
use crate::planar::row_bytes;
use crate::query::Query;
use crate::residual_table::ResidualTable;

/// MaxSim of one compressed document: the sum over query tokens of the best document token.
///
/// `rows` is `[K][lanes]` from [`centroid_scores`](crate::centroid_scores) with the same `step`.
/// Document token `t` has centroid `codes[t]`, residual row `residuals[t]` in the planar layout
/// ([`row_bytes`] bytes) and reciprocal norm `inv_norms[t]`. With `dot` the integer dot product of
/// the decoded bytes and the query token `s`, in f32 and in this order, nothing fused:
///
/// `sim = inv_norms[t] * ((rows[codes[t]][s] as f32 - 128.0) * step + dot as f32 * (query_scale[s] * table.scale()))`
///
/// The largest of each token (starting at minus infinity, `if sim > max { max = sim }`) is left in
/// `maxima`, `[lanes]`, whose padded lanes hold nothing of use; the result is the sum over the real
/// query tokens in ascending order. A document without tokens scores 0, its maxima are minus
/// infinity. Tiers agree to the bit.
///
/// # Panics
///
/// When the shapes disagree or a code is no row.
#[allow(
    clippy::too_many_arguments,
    reason = "borrowed parts of a query and of a segment"
)]
pub fn residual_maxsim(
    query: &Query,
    table: &ResidualTable,
    rows: &[u8],
    step: f32,
    codes: &[u32],
    residuals: &[u8],
    inv_norms: &[f32],
    maxima: &mut [f32],
) -> f32 {
    let document = Document {
        rows,
        step,
        codes,
        residuals,
        inv_norms,
    };
    residual_maxsim_on(tier(), query, table, document, maxima)
}

/// [`residual_maxsim`] on one tier.
///
/// # Panics
///
/// As [`residual_maxsim`], and when this machine lacks the tier.
#[allow(
    clippy::too_many_arguments,
    reason = "borrowed parts of a query and of a segment"
)]
pub fn residual_maxsim_at(
    tier: Tier,
    query: &Query,
    table: &ResidualTable,
    rows: &[u8],
    step: f32,
    codes: &[u32],
    residuals: &[u8],
    inv_norms: &[f32],
    maxima: &mut [f32],
) -> f32 {
    let document = Document {
        rows,
        step,
        codes,
        residuals,
        inv_norms,
    };
    residual_maxsim_on(level::require(tier), query, table, document, maxima)
}

/// What a tier reads of one document.
#[derive(Clone, Copy)]
pub(crate) struct Document<'a> {
    pub(crate) rows: &'a [u8],
    pub(crate) step: f32,
    pub(crate) codes: &'a [u32],
    pub(crate) residuals: &'a [u8],
    pub(crate) inv_norms: &'a [f32],
}

fn residual_maxsim_on(
    tier: Tier,
    query: &Query,
    table: &ResidualTable,
    document: Document<'_>,
    maxima: &mut [f32],
) -> f32 {
    let (count, lanes) = (document.codes.len(), query.lanes());
    assert!(
        maxima.len() == lanes,
        "{} maxima for {lanes} lanes",
        maxima.len()
    );
    maxima.fill(f32::NEG_INFINITY);
    if count == 0 || lanes == 0 {
        return 0.0;
    }
    check_rows(document.rows, lanes);
    check_tokens(
        table,
        query.dim(),
        count,
        document.residuals,
        document.inv_norms,
    );
    check_codes(document.codes, document.rows.len() / lanes);
    dispatch!(
        tier,
        residual::residual_maxsim(query, table, document, maxima)
    );
    crate::sum_maxima(query, maxima)
}

/// Decodes document tokens to floats: `(centroid + weight) * inv_norm`, those two operations.
///
/// `centroids` is `[K][dim]`, `codes` and `inv_norms` are `[n]`, `residuals` `[n][dim * nbits / 8]`
/// planar, `out` `[n][dim]`. Tiers agree to the bit.
///
/// # Panics
///
/// When the shapes disagree, `dim` is not a multiple of 8 in 8..=1024, or a code is no centroid.
pub fn decode(
    table: &ResidualTable,
    dim: usize,
    centroids: &[f32],
    codes: &[u32],
    residuals: &[u8],
    inv_norms: &[f32],
    out: &mut [f32],
) {
    check_decode(table, dim, centroids, codes, residuals, inv_norms, out);
    dispatch!(
        tier(),
        residual::decode(table, dim, centroids, codes, residuals, inv_norms, out)
    );
}

/// [`decode`] on one tier.
///
/// # Panics
///
/// As [`decode`], and when this machine lacks the tier.
#[allow(
    clippy::too_many_arguments,
    reason = "decode has seven, the tier is the eighth"
)]
pub fn decode_at(
    tier: Tier,
    table: &ResidualTable,
    dim: usize,
    centroids: &[f32],
    codes: &[u32],
    residuals: &[u8],
    inv_norms: &[f32],
    out: &mut [f32],
) {
    check_decode(table, dim, centroids, codes, residuals, inv_norms, out);
    let tier = level::require(tier);
    dispatch!(
        tier,
        residual::decode(table, dim, centroids, codes, residuals, inv_norms, out)
    );
}

fn check_decode(
    table: &ResidualTable,
    dim: usize,
    centroids: &[f32],
    codes: &[u32],
    residuals: &[u8],
    inv_norms: &[f32],
    out: &[f32],
) {
    crate::query::check_dim(dim);
    assert!(
        centroids.len().is_multiple_of(dim) && out.len() == codes.len() * dim,
        "{} centroid values and {} decoded ones for {} codes of {dim} dimensions",
        centroids.len(),
        out.len(),
        codes.len()
    );
    check_tokens(table, dim, codes.len(), residuals, inv_norms);
    check_codes(codes, centroids.len() / dim);
}

fn check_tokens(
    table: &ResidualTable,
    dim: usize,
    count: usize,
    residuals: &[u8],
    inv_norms: &[f32],
) {
    let bytes = row_bytes(dim, table.nbits());
    assert!(
        residuals.len() == count * bytes && inv_norms.len() == count,
        "{} residual bytes and {} norms for {count} codes of {bytes} bytes",
        residuals.len(),
        inv_norms.len()
    );
}
