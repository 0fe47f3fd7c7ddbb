//! Compressed documents: fused MaxSim and decoding.
//!
//! Four document tokens at a time are decoded to offset bytes on the stack (one shift, mask and
//! shuffle a plane of up to 32 dimensions) and meet every panel of the query from there.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::{BYTE_ROWS, byte_dots, prefetch_line};
use crate::planar::row_bytes;
use crate::query::{LANES, MAX_DIM, Query};
use crate::residual::Document;
use crate::residual_table::ResidualTable;

/// How many document tokens ahead a row of centroid scores is asked for: about 500 ns.
pub(in crate::x86_64) const AHEAD: usize = 16;

/// Bytes of one decoded token: planes are stored 32 bytes at a time and may run over the end.
pub(in crate::x86_64) const DECODED: usize = MAX_DIM + 32;

/// Contract: `crate::residual_maxsim`, for a document with tokens and maxima at minus infinity.
#[target_feature(enable = "avx2,fma,f16c")]
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
#[target_feature(enable = "avx2")]
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
#[target_feature(enable = "avx2")]
fn tokens<const BITS: usize, const R: usize>(
    query: &Query,
    table: &ResidualTable,
    document: &Document<'_>,
    token: usize,
    maxima: &mut [f32],
) {
    let (dim, lanes) = (query.dim(), query.lanes());
    let bytes = dim * BITS / 8;
    let codes = &document.codes[token..][..R];
    let rows: [&[u8]; R] =
        std::array::from_fn(|r| &document.rows[codes[r] as usize * lanes..][..lanes]);
    let inv_norms = &document.inv_norms[token..][..R];
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
    let decoded = std::array::from_fn(|r| decoded[r].as_ptr().cast::<u8>());
    let offset = _mm256_set1_ps(128.0);
    let step = _mm256_set1_ps(document.step);
    for panel in 0..lanes / LANES {
        for half in 0..2 {
            // SAFETY: `decode_row` has written `dim` bytes of every row.
            let dots = unsafe { byte_dots::<R>(decoded, query.byte_panel(panel), half) };
            let lane = panel * LANES + half * 8;
            let scales = &query.scales()[lane..][..8];
            let maxima = &mut maxima[lane..][..8];
            // SAFETY: both slices are one register.
            let (scales, mut best) = unsafe {
                (
                    _mm256_loadu_ps(scales.as_ptr()),
                    _mm256_loadu_ps(maxima.as_ptr()),
                )
            };
            let factors = _mm256_mul_ps(scales, _mm256_set1_ps(table.scale()));
            for r in 0..R {
                let cells = &rows[r][lane..][..8];
                // SAFETY: `cells` is 8 bytes.
                let cells = unsafe { _mm_loadl_epi64(cells.as_ptr().cast()) };
                let cells = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(cells));
                let centroid = _mm256_mul_ps(_mm256_sub_ps(cells, offset), step);
                let residual = _mm256_mul_ps(_mm256_cvtepi32_ps(dots[r]), factors);
                let inv_norm = _mm256_set1_ps(inv_norms[r]);
                let sim = _mm256_mul_ps(inv_norm, _mm256_add_ps(centroid, residual));
                // `vmaxps(a, b)` is `if a > b { a } else { b }`, as the contract wants.
                best = _mm256_max_ps(sim, best);
            }
            // SAFETY: as the load.
            unsafe { _mm256_storeu_ps(maxima.as_mut_ptr(), best) };
        }
    }
}

/// Decodes one planar row of `bytes` bytes, the first of `residuals`, to offset weights.
#[inline]
#[target_feature(enable = "avx2")]
pub(in crate::x86_64) fn decode_row<const BITS: usize>(
    residuals: &[u8],
    bytes: usize,
    table: &[u8; 256],
    out: &mut [MaybeUninit<u8>; DECODED],
) {
    assert!(bytes * 8 / BITS <= MAX_DIM && bytes <= residuals.len());
    if BITS == 8 {
        for (out, &bucket) in out.iter_mut().zip(&residuals[..bytes]) {
            out.write(table[usize::from(bucket)]);
        }
        return;
    }
    // Registers of 32 bytes read past a row whose length is no multiple of 32. That is another row,
    // except at the end of the residuals: there the row is read from a copy.
    if bytes.next_multiple_of(32) <= residuals.len() {
        // SAFETY: as the condition says, and `bytes * 8 / BITS` was checked.
        unsafe { decode_planes::<BITS>(residuals.as_ptr(), bytes, table, out) };
    } else {
        let mut copy = [0u8; MAX_DIM / 2];
        copy[..bytes].copy_from_slice(&residuals[..bytes]);
        // SAFETY: fewer than 8 bits make at most `MAX_DIM / 2` bytes, a multiple of 32.
        unsafe { decode_planes::<BITS>(copy.as_ptr(), bytes, table, out) };
    }
}

/// Decodes the planes of a row of `bytes` bytes.
///
/// # Safety
///
/// `source` is readable for `bytes` rounded up to 32, and `bytes * 8 / BITS <= MAX_DIM`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn decode_planes<const BITS: usize>(
    source: *const u8,
    bytes: usize,
    table: &[u8; 256],
    out: &mut [MaybeUninit<u8>; DECODED],
) {
    let mask = _mm256_set1_epi8(((1u16 << BITS) - 1) as i8);
    // SAFETY: the table has 256 bytes.
    let table = unsafe { _mm_loadu_si128(table.as_ptr().cast()) };
    let table = _mm256_broadcastsi128_si256(table);
    // Planes in order: a store that runs over the end of its plane is overwritten by the next one,
    // and the last one runs at most 31 bytes into the padding.
    for plane in 0..8 / BITS {
        let shift = _mm_cvtsi32_si128((plane * BITS) as i32);
        for at in (0..bytes).step_by(32) {
            // SAFETY: the caller's promise; the store ends at most at `dim + 31 < DECODED`.
            unsafe {
                let fields = _mm256_loadu_si256(source.add(at).cast());
                let buckets = _mm256_and_si256(_mm256_srl_epi16(fields, shift), mask);
                let weights = _mm256_shuffle_epi8(table, buckets);
                _mm256_storeu_si256(out.as_mut_ptr().add(plane * bytes + at).cast(), weights);
            }
        }
    }
}

/// Contract: `crate::decode`.
#[target_feature(enable = "avx2,fma,f16c")]
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
    if bytes < 8 {
        // Planes shorter than a register: 1 bit below 64 dimensions, 2 bits below 32.
        return crate::scalar::residual::decode(
            table, dim, centroids, codes, residuals, inv_norms, out,
        );
    }
    let nbits = table.nbits() as usize;
    let mask = _mm256_set1_epi32((1 << nbits) - 1);
    let tokens = codes
        .iter()
        .zip(inv_norms)
        .zip(residuals.chunks_exact(bytes));
    for (((&code, &inv_norm), residual), out) in tokens.zip(out.chunks_exact_mut(dim)) {
        let centroid = &centroids[code as usize * dim..][..dim];
        let inv_norm = _mm256_set1_ps(inv_norm);
        for plane in 0..8 / nbits {
            let shift = _mm_cvtsi32_si128((plane * nbits) as i32);
            for at in (0..bytes).step_by(8) {
                // The last register reaches back over values already written.
                let at = at.min(bytes - 8);
                let fields = &residual[at..][..8];
                let centroid = &centroid[plane * bytes + at..][..8];
                let out = &mut out[plane * bytes + at..][..8];
                // SAFETY: all three slices are one register; a bucket is below `2^nbits`, the
                // number of weights.
                unsafe {
                    let fields = _mm256_cvtepu8_epi32(_mm_loadl_epi64(fields.as_ptr().cast()));
                    let buckets = _mm256_and_si256(_mm256_srl_epi32(fields, shift), mask);
                    let weights = _mm256_i32gather_ps::<4>(table.weights().as_ptr(), buckets);
                    let values = _mm256_add_ps(_mm256_loadu_ps(centroid.as_ptr()), weights);
                    _mm256_storeu_ps(out.as_mut_ptr(), _mm256_mul_ps(values, inv_norm));
                }
            }
        }
    }
}
