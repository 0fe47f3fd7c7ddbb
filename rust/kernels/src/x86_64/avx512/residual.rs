//! Compressed documents: fused MaxSim. Decoding to offset bytes is the AVX2 tier's (a plane of 32
//! dimensions is one of its registers), the products are `vpdpbusd`.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::super::avx2::{
    prefetch_line,
    residual::{AHEAD, DECODED, decode_row},
};
use super::{BYTE_ROWS, byte_dots};
use crate::query::{LANES, Query};
use crate::residual::Document;
use crate::residual_table::ResidualTable;

pub(crate) use super::super::avx2::residual::decode;

/// Contract: `crate::residual_maxsim`, for a document with tokens and maxima at minus infinity.
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(crate) fn residual_maxsim(
    query: &Query,
    table: &ResidualTable,
    document: Document<'_>,
    maxima: &mut [f32],
) {
    match table.nbits() {
        1 => document_maxima::<1>(query, table, document, maxima),
        2 => document_maxima::<2>(query, table, document, maxima),
        4 => document_maxima::<4>(query, table, document, maxima),
        _ => document_maxima::<8>(query, table, document, maxima),
    }
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
fn document_maxima<const BITS: usize>(
    query: &Query,
    table: &ResidualTable,
    document: Document<'_>,
    maxima: &mut [f32],
) {
    let count = document.codes.len();
    if count < BYTE_ROWS {
        for token in 0..count {
            tokens::<BITS, 1>(query, table, &document, token, maxima);
        }
        return;
    }
    for token in (0..count).step_by(BYTE_ROWS) {
        // The last tile reaches back over tokens already seen: a maximum does not mind.
        let token = token.min(count - BYTE_ROWS);
        tokens::<BITS, BYTE_ROWS>(query, table, &document, token, maxima);
    }
}

/// Raises the maxima by `R` tokens from `token` on.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
fn tokens<const BITS: usize, const R: usize>(
    query: &Query,
    table: &ResidualTable,
    document: &Document<'_>,
    token: usize,
    maxima: &mut [f32],
) {
    let lanes = query.lanes();
    let bytes = query.dim() * BITS / 8;
    let mut decoded = [[const { MaybeUninit::<u8>::uninit() }; DECODED]; R];
    for (r, decoded) in decoded.iter_mut().enumerate() {
        let residuals = &document.residuals[(token + r) * bytes..];
        decode_row::<BITS>(residuals, bytes, table.bytes(), decoded);
        if let Some(&code) = document.codes.get(token + r + AHEAD) {
            let row = document.rows.as_ptr().wrapping_add(code as usize * lanes);
            for line in (0..lanes).step_by(64) {
                prefetch_line(row.wrapping_add(line));
            }
        }
    }
    let decoded: [*const u8; R] = std::array::from_fn(|r| decoded[r].as_ptr().cast());
    let panels = lanes / LANES;
    for panel in (0..panels).step_by(2) {
        // SAFETY: `decode_row` has written `dim` bytes of every row.
        unsafe {
            if panel + 1 < panels {
                raise::<R, 2>(query, table, document, token, decoded, panel, maxima);
            } else {
                raise::<R, 1>(query, table, document, token, decoded, panel, maxima);
            }
        }
    }
}

/// Raises the maxima of `P` panels from `panel` on by `R` decoded tokens.
///
/// # Safety
///
/// Each of `decoded` is readable for `query.dim()` bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn raise<const R: usize, const P: usize>(
    query: &Query,
    table: &ResidualTable,
    document: &Document<'_>,
    token: usize,
    decoded: [*const u8; R],
    panel: usize,
    maxima: &mut [f32],
) {
    let lanes = query.lanes();
    let panels = std::array::from_fn(|p| query.byte_panel(panel + p));
    let sums = std::array::from_fn(|p| &query.sums()[(panel + p) * LANES..][..LANES]);
    // SAFETY: the caller's promise; panels have `dim / 8` blocks, sums 16 entries.
    let dots = unsafe { byte_dots::<R, P>(decoded, panels, sums) };
    let codes = &document.codes[token..][..R];
    let inv_norms = &document.inv_norms[token..][..R];
    let offset = _mm512_set1_ps(128.0);
    let step = _mm512_set1_ps(document.step);
    for p in 0..P {
        let lane = (panel + p) * LANES;
        let scales = &query.scales()[lane..][..LANES];
        let maxima = &mut maxima[lane..][..LANES];
        // SAFETY: both slices are one register.
        let (scales, mut best) = unsafe {
            (
                _mm512_loadu_ps(scales.as_ptr()),
                _mm512_loadu_ps(maxima.as_ptr()),
            )
        };
        let factors = _mm512_mul_ps(scales, _mm512_set1_ps(table.scale()));
        for r in 0..R {
            let cells = &document.rows[codes[r] as usize * lanes + lane..][..LANES];
            // SAFETY: `cells` is 16 bytes.
            let cells = unsafe { _mm_loadu_si128(cells.as_ptr().cast()) };
            let cells = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(cells));
            let centroid = _mm512_mul_ps(_mm512_sub_ps(cells, offset), step);
            let residual = _mm512_mul_ps(_mm512_cvtepi32_ps(dots[r][p]), factors);
            let inv_norm = _mm512_set1_ps(inv_norms[r]);
            let sim = _mm512_mul_ps(inv_norm, _mm512_add_ps(centroid, residual));
            // `vmaxps(a, b)` is `if a > b { a } else { b }`, as the contract wants.
            best = _mm512_max_ps(sim, best);
        }
        // SAFETY: as the load.
        unsafe { _mm512_storeu_ps(maxima.as_mut_ptr(), best) };
    }
}
