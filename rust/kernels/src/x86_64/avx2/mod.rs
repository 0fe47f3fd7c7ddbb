//! The AVX2 tier: x86-64 with AVX2, FMA and F16C (Haswell of 2013, Zen, and everything since).
//!
//! Sixteen registers of eight 32-bit lanes; a panel of 16 query tokens is two registers.
//!
//! Integers. Without a four-way dot product, `vpmaddubsw` multiplies 4 broadcast document bytes with
//! 4 dimensions of 8 query tokens and adds pairs to 16 bits, `vpmaddwd` with ones widens. Both run
//! on two ports. So 8 dimensions share one widening: two products are added modulo 2^16 and what
//! the offset 128 of the document bytes contributes is subtracted, from a table made with the
//! query. The difference is the true sum of four products, at most 4 * 128 * 63 = 32,256, so the
//! wrap is harmless. Six instructions for 8 tokens and 8 dimensions, three of them on the
//! multiplier. On Zen 3 they take 2.0 cycles (measured: about three vector instructions start a
//! cycle in this mix, though four may). Four rows share the loads of 8 tokens: 4 accumulators, 3
//! registers of the query, and loads stay below the multiplier's time.
//!
//! Floats. Two fused multiply-adds a cycle with a latency of 4 want 8 chains or more: six rows times
//! one panel are 12 accumulators, 2 registers of columns and 1 broadcast, for 8 loads in 6 cycles.
//!
//! Tried and lost, on Zen 3 at 3.24 GHz:
//! - four rows by 16 tokens of integers: fewer loads, but two accumulators and the ones spill; with
//!   panels at the allocator's 16-byte alignment (0.82 cycles a load against 0.50) centroid scores
//!   took 70 ns instead of 50 and residual MaxSim 64 instead of 61;
//! - widening every `vpmaddubsw` by itself: 2.07 cycles against 1.98 in a loop of nothing else, and
//!   four multiplications where Intel has two ports for them;
//! - unaligned panels of floats: 72% of the fused peak against 95%.

pub(crate) mod centroid;
pub(crate) mod exact;
pub(crate) mod half;
pub(crate) mod interaction;
pub(crate) mod nearest;
pub(crate) mod residual;

use std::arch::x86_64::*;

use crate::block::{ByteBlock, FloatRow};

/// Rows of bytes that share the loads of a query panel.
const BYTE_ROWS: usize = 4;

/// Rows of floats that share the loads of a panel.
const FLOAT_ROWS: usize = 6;

/// Integer dot products of `R` rows of offset bytes with 8 query tokens, lanes `8 * half ..` of a
/// panel, the offset already taken off.
///
/// # Safety
///
/// Each of `rows` is readable for `8 * panel.len()` bytes; `half` is 0 or 1.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn byte_dots<const R: usize>(
    rows: [*const u8; R],
    panel: &[ByteBlock],
    half: usize,
) -> [__m256i; R] {
    let ones = _mm256_set1_epi16(1);
    let mut dots = [_mm256_setzero_si256(); R];
    for (at, block) in panel.iter().enumerate() {
        // SAFETY: a block's fields are four and two registers, aligned; block `at` meets the bytes
        // 8 * at .. 8 * at + 8 of a row.
        unsafe {
            let values: *const __m256i = block.values.as_ptr().cast();
            let offsets: *const __m256i = block.offsets.as_ptr().cast();
            let low = _mm256_load_si256(values.add(half));
            let high = _mm256_load_si256(values.add(2 + half));
            let offset = _mm256_load_si256(offsets.add(half));
            for (dot, row) in dots.iter_mut().zip(rows) {
                let eight: *const i32 = row.add(8 * at).cast();
                let first = _mm256_set1_epi32(eight.read_unaligned());
                let second = _mm256_set1_epi32(eight.add(1).read_unaligned());
                let sum = _mm256_add_epi16(
                    _mm256_sub_epi16(_mm256_maddubs_epi16(first, low), offset),
                    _mm256_maddubs_epi16(second, high),
                );
                *dot = _mm256_add_epi32(*dot, _mm256_madd_epi16(sum, ones));
            }
        }
    }
    dots
}

/// Float dot products of `R` rows with the 16 columns of a panel, one fused chain a product.
/// Result `[r]` holds columns 0..8 and 8..16 of row `r`.
///
/// # Safety
///
/// `rows` is readable for `R` rows of `panel.len()` values.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn float_dots<const R: usize>(rows: *const f32, panel: &[FloatRow]) -> [[__m256; 2]; R] {
    let dim = panel.len();
    let mut dots = [[_mm256_setzero_ps(); 2]; R];
    for (d, columns) in panel.iter().enumerate() {
        // SAFETY: 16 aligned columns are two registers; `d` is below `dim`.
        unsafe {
            let low = _mm256_load_ps(columns.0.as_ptr());
            let high = _mm256_load_ps(columns.0.as_ptr().add(8));
            for (r, dots) in dots.iter_mut().enumerate() {
                let value = _mm256_set1_ps(*rows.add(r * dim + d));
                dots[0] = _mm256_fmadd_ps(value, low, dots[0]);
                dots[1] = _mm256_fmadd_ps(value, high, dots[1]);
            }
        }
    }
    dots
}

/// Asks for the cache line at `address`, which may be any address.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn prefetch_line(address: *const u8) {
    _mm_prefetch::<_MM_HINT_T0>(address.cast());
}
