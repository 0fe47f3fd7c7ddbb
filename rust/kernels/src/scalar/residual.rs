//! Compressed documents: fused MaxSim and decoding.

use super::byte_dots;
use crate::planar::row_bytes;
use crate::query::{LANES, Query};
use crate::residual::Document;
use crate::residual_table::ResidualTable;

/// Contract: `crate::residual_maxsim`, for a document with tokens and maxima at minus infinity.
pub(crate) fn residual_maxsim(
    query: &Query,
    table: &ResidualTable,
    document: Document<'_>,
    maxima: &mut [f32],
) {
    let (dim, lanes) = (query.dim(), query.lanes());
    let bytes = row_bytes(dim, table.nbits());
    let mut decoded = vec![0; dim];
    let tokens = document.codes.iter().zip(document.inv_norms);
    for ((&code, &inv_norm), residual) in tokens.zip(document.residuals.chunks_exact(bytes)) {
        for (d, byte) in decoded.iter_mut().enumerate() {
            *byte = table.bytes()[bucket(residual, table.nbits(), d)];
        }
        let row = &document.rows[code as usize * lanes..][..lanes];
        for panel in 0..lanes / LANES {
            let first = panel * LANES;
            let dots = byte_dots(&decoded, query.byte_panel(panel), &query.sums()[first..]);
            for (lane, dot) in dots.into_iter().enumerate() {
                let token = first + lane;
                let centroid = (f32::from(row[token]) - 128.0) * document.step;
                let residual = dot as f32 * (query.scales()[token] * table.scale());
                let sim = inv_norm * (centroid + residual);
                if sim > maxima[token] {
                    maxima[token] = sim;
                }
            }
        }
    }
}

/// Contract: `crate::decode`.
pub(crate) fn decode(
    table: &ResidualTable,
    dim: usize,
    centroids: &[f32],
    codes: &[u32],
    residuals: &[u8],
    inv_norms: &[f32],
    out: &mut [f32],
) {
    let bytes = row_bytes(dim, table.nbits());
    let tokens = codes
        .iter()
        .zip(inv_norms)
        .zip(residuals.chunks_exact(bytes));
    for (((&code, &inv_norm), residual), out) in tokens.zip(out.chunks_exact_mut(dim)) {
        let centroid = &centroids[code as usize * dim..][..dim];
        for (d, (out, &value)) in out.iter_mut().zip(centroid).enumerate() {
            *out = (value + table.weights()[bucket(residual, table.nbits(), d)]) * inv_norm;
        }
    }
}

/// The bucket number of dimension `d` in a planar row.
fn bucket(row: &[u8], nbits: u32, d: usize) -> usize {
    let field = (d / row.len()) as u32;
    usize::from(row[d % row.len()]) >> (field * nbits) & ((1 << nbits) - 1)
}
