//! Centroid scores and the scan over their rows.

use std::arch::x86_64::*;

use super::{BYTE_ROWS, byte_dots};
use crate::query::{LANES, Query};

/// Centroids that meet one pair of panels before the next pair's turn: 8 KiB at 128 dimensions.
const BLOCK: usize = 64;

/// Contract: `crate::centroid_scores`; `factors` is `query_scale / step`, `[lanes]`.
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(crate) fn centroid_scores(
    centroids: &[u8],
    centroid_scale: &[f32],
    query: &Query,
    factors: &[f32],
    out: &mut [u8],
) {
    let (count, dim, lanes) = (centroid_scale.len(), query.dim(), query.lanes());
    let panels = lanes / LANES;
    for start in (0..count).step_by(BLOCK) {
        let end = count.min(start + BLOCK);
        for panel in (0..panels).step_by(2) {
            let mut row = start;
            while row < end {
                let rows = if end - row >= BYTE_ROWS { BYTE_ROWS } else { 1 };
                let bytes = &centroids[row * dim..][..rows * dim];
                let scales = &centroid_scale[row..][..rows];
                let cells = &mut out[row * lanes..][..rows * lanes];
                match (rows == BYTE_ROWS, panel + 1 < panels) {
                    (true, true) => {
                        score::<BYTE_ROWS, 2>(bytes, scales, query, panel, factors, cells);
                    }
                    (true, false) => {
                        score::<BYTE_ROWS, 1>(bytes, scales, query, panel, factors, cells);
                    }
                    (false, true) => score::<1, 2>(bytes, scales, query, panel, factors, cells),
                    (false, false) => score::<1, 1>(bytes, scales, query, panel, factors, cells),
                }
                row += rows;
            }
        }
    }
}

/// Scores `R` centroids against `P` panels from `panel` on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn score<const R: usize, const P: usize>(
    centroids: &[u8],
    scales: &[f32],
    query: &Query,
    panel: usize,
    factors: &[f32],
    out: &mut [u8],
) {
    let (dim, lanes) = (query.dim(), query.lanes());
    assert!(centroids.len() == R * dim && scales.len() == R && out.len() == R * lanes);
    let rows = std::array::from_fn(|r| centroids[r * dim..].as_ptr());
    let panels = std::array::from_fn(|p| query.byte_panel(panel + p));
    let sums = std::array::from_fn(|p| &query.sums()[(panel + p) * LANES..][..LANES]);
    // SAFETY: every row is `dim` bytes of `centroids`, by the assertion; panels have `dim / 8`
    // blocks, sums 16 entries.
    let dots = unsafe { byte_dots::<R, P>(rows, panels, sums) };
    for p in 0..P {
        let first = (panel + p) * LANES;
        let factors = &factors[first..][..LANES];
        // SAFETY: 16 factors are one register.
        let factors = unsafe { _mm512_loadu_ps(factors.as_ptr()) };
        let real = real_lanes(query.tokens() - first);
        for r in 0..R {
            let cells = cells(dots[r][p], _mm512_set1_ps(scales[r]), factors);
            let out = &mut out[r * lanes + first..][..LANES];
            // SAFETY: `out` is 16 bytes.
            unsafe {
                _mm_storeu_si128(out.as_mut_ptr().cast(), _mm_maskz_mov_epi8(real, cells));
            }
        }
    }
}

/// Sixteen cells, in the order of operations of the contract.
#[inline]
#[target_feature(enable = "avx512f")]
fn cells(dots: __m512i, scale: __m512, factors: __m512) -> __m128i {
    let value = _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(dots), scale), factors);
    let value = _mm512_add_ps(value, _mm512_set1_ps(128.0));
    // Clamped before rounding, as in the AVX2 tier; the conversion rounds to nearest even.
    let value = _mm512_min_ps(
        _mm512_max_ps(value, _mm512_setzero_ps()),
        _mm512_set1_ps(255.0),
    );
    _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(value))
}

/// The mask of the first `count` of 16 lanes.
#[inline]
fn real_lanes(count: usize) -> __mmask16 {
    if count >= LANES {
        u16::MAX
    } else {
        (1 << count) - 1
    }
}

/// Contract: `crate::next_above` from row 0; `thresholds` has one entry a lane.
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(crate) fn next_above(rows: &[u8], thresholds: &[u8]) -> Option<usize> {
    let lanes = thresholds.len();
    if 64 % lanes != 0 {
        return super::super::avx2::centroid::next_above(rows, thresholds);
    }
    // One, two or four rows to a register, their thresholds repeated.
    let limits: [u8; 64] = std::array::from_fn(|i| thresholds[i % lanes]);
    // SAFETY: 64 bytes are one register.
    let limit = unsafe { _mm512_loadu_si512(limits.as_ptr().cast()) };
    let strides = rows.chunks_exact(64);
    let rest = strides.remainder();
    for (at, cells) in strides.enumerate() {
        // SAFETY: 64 bytes are one register.
        let cells = unsafe { _mm512_loadu_si512(cells.as_ptr().cast()) };
        let above = _mm512_cmpgt_epu8_mask(cells, limit);
        if above != 0 {
            return Some((at * 64 + above.trailing_zeros() as usize) / lanes);
        }
    }
    let passed = (rows.len() - rest.len()) / lanes;
    super::super::avx2::centroid::next_above(rest, thresholds).map(|row| passed + row)
}
