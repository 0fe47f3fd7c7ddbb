//! The AVX-512 tier: F, BW, VL, DQ and VNNI (Ice Lake of 2019, Zen 4, and servers since).
//!
//! Thirty-two registers of sixteen 32-bit lanes; a panel of 16 query tokens is one register.
//!
//! Integers. `vpdpbusd` multiplies 4 broadcast document bytes with 4 dimensions of 16 query tokens and
//! adds them to 32 bits at once, without saturation. Its latency is 5 and one or two start a cycle,
//! so four rows times two panels make 8 chains. The offset 128 of the document bytes is taken off
//! at the end, from the sums kept with the query.
//!
//! Floats. Two fused multiply-adds a cycle with a latency of 4 want 8 chains; twelve rows times one
//! panel are 12 accumulators, with the rows' values broadcast by the instruction's own operand.
//!
//! Early AVX-512 without VNNI (Skylake-X) is left to the AVX2 tier. VBMI is not asked for: a byte
//! permute would decode 8-bit residuals faster, and those are rare. Operations that move little
//! (decoding to floats, half precision) are those of the AVX2 tier, which every machine here has.

#![allow(
    clippy::needless_range_loop,
    reason = "loops over the rows and panels of a tile index several arrays of registers"
)]

pub(crate) mod centroid;
pub(crate) mod exact;
pub(crate) mod interaction;
pub(crate) mod nearest;
pub(crate) mod residual;

pub(crate) use super::avx2::half;

use std::arch::x86_64::*;

use crate::block::{ByteBlock, FloatRow};

/// Rows of bytes that share the loads of a query panel.
const BYTE_ROWS: usize = 4;

/// Rows of floats that share the loads of a panel.
const FLOAT_ROWS: usize = 12;

/// Integer dot products of `R` rows of offset bytes with the 16 query tokens of `P` panels, the
/// offset already taken off.
///
/// # Safety
///
/// Each of `rows` is readable for 8 bytes a block; the panels have equally many blocks; each of
/// `sums` has 16 entries.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn byte_dots<const R: usize, const P: usize>(
    rows: [*const u8; R],
    panels: [&[ByteBlock]; P],
    sums: [&[i32]; P],
) -> [[__m512i; P]; R] {
    let mut dots = [[_mm512_setzero_si512(); P]; R];
    for at in 0..panels[0].len() {
        for four in 0..2 {
            // SAFETY: four dimensions of 16 tokens are one aligned register; the 4 bytes end at
            // 8 * at + 8 at most.
            unsafe {
                let values: [__m512i; P] = std::array::from_fn(|p| {
                    let block = panels[p].get_unchecked(at);
                    _mm512_load_si512(block.values[four].as_ptr().cast())
                });
                for (dots, row) in dots.iter_mut().zip(rows) {
                    let bytes: *const i32 = row.add(8 * at + 4 * four).cast();
                    let bytes = _mm512_set1_epi32(bytes.read_unaligned());
                    for (dot, values) in dots.iter_mut().zip(values) {
                        *dot = _mm512_dpbusd_epi32(*dot, bytes, values);
                    }
                }
            }
        }
    }
    for p in 0..P {
        // SAFETY: the caller promises 16 sums.
        let sums = unsafe { _mm512_loadu_si512(sums[p].as_ptr().cast()) };
        let offset = _mm512_slli_epi32::<7>(sums);
        for dots in &mut dots {
            dots[p] = _mm512_sub_epi32(dots[p], offset);
        }
    }
    dots
}

/// Float dot products of `R` rows with the 16 columns of a panel, one fused chain a product.
///
/// # Safety
///
/// `rows` is readable for `R` rows of `panel.len()` values.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn float_dots<const R: usize>(rows: *const f32, panel: &[FloatRow]) -> [__m512; R] {
    let dim = panel.len();
    let mut dots = [_mm512_setzero_ps(); R];
    for (d, columns) in panel.iter().enumerate() {
        // SAFETY: 16 aligned columns are one register; `d` is below `dim`.
        unsafe {
            let columns = _mm512_load_ps(columns.0.as_ptr());
            for (r, dot) in dots.iter_mut().enumerate() {
                *dot = _mm512_fmadd_ps(_mm512_set1_ps(*rows.add(r * dim + d)), columns, *dot);
            }
        }
    }
    dots
}
