//! Centroid scores and the scan over their rows.

use std::arch::x86_64::*;

use super::{BYTE_ROWS, byte_dots};
use crate::query::{LANES, Query};

/// Centroids that meet one panel before the next panel's turn: 8 KiB at 128 dimensions, so that
/// they and a panel stay in the first-level cache for any number of query tokens.
const BLOCK: usize = 64;

/// Contract: `crate::centroid_scores`; `factors` is `query_scale / step`, `[lanes]`.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn centroid_scores(
    centroids: &[u8],
    centroid_scale: &[f32],
    query: &Query,
    factors: &[f32],
    out: &mut [u8],
) {
    let (count, dim, lanes) = (centroid_scale.len(), query.dim(), query.lanes());
    for start in (0..count).step_by(BLOCK) {
        let end = count.min(start + BLOCK);
        for panel in 0..lanes / LANES {
            let mut row = start;
            while row < end {
                let rows = BYTE_ROWS.min(end - row);
                let bytes = &centroids[row * dim..][..rows * dim];
                let scales = &centroid_scale[row..][..rows];
                let cells = &mut out[row * lanes..][..rows * lanes];
                if rows == BYTE_ROWS {
                    score::<BYTE_ROWS>(bytes, scales, query, panel, factors, cells);
                } else {
                    for r in 0..rows {
                        let cells = &mut cells[r * lanes..][..lanes];
                        let bytes = &bytes[r * dim..][..dim];
                        score::<1>(bytes, &scales[r..], query, panel, factors, cells);
                    }
                }
                row += rows;
            }
        }
    }
}

/// Scores `R` centroids against one panel.
#[inline]
#[target_feature(enable = "avx2")]
fn score<const R: usize>(
    centroids: &[u8],
    scales: &[f32],
    query: &Query,
    panel: usize,
    factors: &[f32],
    out: &mut [u8],
) {
    let (dim, lanes) = (query.dim(), query.lanes());
    let first = panel * LANES;
    assert!(centroids.len() == R * dim && scales.len() >= R && out.len() == R * lanes);
    let rows = std::array::from_fn(|r| centroids[r * dim..].as_ptr());
    let real = real_lanes(query.tokens() - first);
    let halves: [[__m256i; R]; 2] = std::array::from_fn(|half| {
        let factors = &factors[first + 8 * half..][..8];
        // SAFETY: every row is `dim` bytes of `centroids`, by the assertion; 8 factors are one
        // register.
        let (dots, factors) = unsafe {
            let dots = byte_dots::<R>(rows, query.byte_panel(panel), half);
            (dots, _mm256_loadu_ps(factors.as_ptr()))
        };
        std::array::from_fn(|r| cell(dots[r], _mm256_set1_ps(scales[r]), factors))
    });
    for r in 0..R {
        let cells = _mm_and_si128(real, pack(halves[0][r], halves[1][r]));
        let out = &mut out[r * lanes + first..][..LANES];
        // SAFETY: `out` is 16 bytes.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), cells) };
    }
}

/// Eight cells as integers in 0..=255, in the order of operations of the contract.
#[inline]
#[target_feature(enable = "avx2")]
fn cell(dots: __m256i, scale: __m256, factors: __m256) -> __m256i {
    let value = _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(dots), scale), factors);
    let value = _mm256_add_ps(value, _mm256_set1_ps(128.0));
    // Clamped before rounding: the bounds are integers, so the order does not matter, and a value
    // that fits no integer never reaches the conversion, which rounds to nearest even.
    let value = _mm256_min_ps(
        _mm256_max_ps(value, _mm256_setzero_ps()),
        _mm256_set1_ps(255.0),
    );
    _mm256_cvtps_epi32(value)
}

/// Sixteen integers in 0..=255 to bytes, in order.
#[inline]
#[target_feature(enable = "avx2")]
fn pack(low: __m256i, high: __m256i) -> __m128i {
    // The pack works within 128-bit halves: quarters come out as low0 high0 low1 high1.
    let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(low, high));
    _mm_packus_epi16(
        _mm256_castsi256_si128(words),
        _mm256_extracti128_si256::<1>(words),
    )
}

/// All ones in the first `count` of 16 byte lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn real_lanes(count: usize) -> __m128i {
    let lane = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    _mm_cmpgt_epi8(_mm_set1_epi8(count.min(LANES) as i8), lane)
}

/// Contract: `crate::next_above` from row 0; `thresholds` has one entry a lane.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn next_above(rows: &[u8], thresholds: &[u8]) -> Option<usize> {
    match thresholds.len() {
        16 => {
            // SAFETY: 16 thresholds are one half register.
            let half = unsafe { _mm_loadu_si128(thresholds.as_ptr().cast()) };
            scan(rows, 16, _mm256_broadcastsi128_si256(half), thresholds)
        }
        32 => {
            // SAFETY: 32 thresholds are one register.
            let whole = unsafe { _mm256_loadu_si256(thresholds.as_ptr().cast()) };
            scan(rows, 32, whole, thresholds)
        }
        lanes => rows
            .chunks_exact(lanes)
            .position(|row| row_above(row, thresholds)),
    }
}

/// The scan when one register of thresholds fits every 32 cells.
#[inline]
#[target_feature(enable = "avx2")]
fn scan(rows: &[u8], lanes: usize, limit: __m256i, thresholds: &[u8]) -> Option<usize> {
    // Four registers to a branch: 128 cells, 4 rows of 32 lanes.
    const STRIDE: usize = 128;
    let strides = rows.chunks_exact(STRIDE);
    let rest = strides.remainder();
    let passed = rows.len() - rest.len();
    for (at, cells) in strides.enumerate() {
        // SAFETY: a stride is four registers.
        let above: [__m256i; 4] = std::array::from_fn(|i| unsafe {
            let cells = _mm256_loadu_si256(cells.as_ptr().add(32 * i).cast());
            _mm256_subs_epu8(cells, limit)
        });
        let any = _mm256_or_si256(
            _mm256_or_si256(above[0], above[1]),
            _mm256_or_si256(above[2], above[3]),
        );
        if _mm256_testz_si256(any, any) == 0 {
            let within = cells
                .chunks_exact(lanes)
                .position(|row| row_above(row, thresholds));
            return within.map(|row| at * (STRIDE / lanes) + row);
        }
    }
    let within = rest
        .chunks_exact(lanes)
        .position(|row| row_above(row, thresholds));
    within.map(|row| passed / lanes + row)
}

/// Whether some cell of a row exceeds its threshold. Lanes are a multiple of 16.
#[inline]
#[target_feature(enable = "avx2")]
fn row_above(row: &[u8], thresholds: &[u8]) -> bool {
    let mut above = _mm_setzero_si128();
    for (cells, limit) in row.chunks_exact(16).zip(thresholds.chunks_exact(16)) {
        // SAFETY: both are 16 bytes.
        let (cells, limit) = unsafe {
            (
                _mm_loadu_si128(cells.as_ptr().cast()),
                _mm_loadu_si128(limit.as_ptr().cast()),
            )
        };
        above = _mm_or_si128(above, _mm_subs_epu8(cells, limit));
    }
    _mm_testz_si128(above, above) == 0
}
