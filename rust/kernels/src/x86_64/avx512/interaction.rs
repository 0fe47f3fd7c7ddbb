//! Centroid interaction: rows wider than half a register 64 lanes at a time, under a mask.
//!
//! A row of 32 query tokens is a 256-bit register, and a wider one would hold nothing more: there,
//! and with pruning, the AVX2 tier's loops run.

use std::arch::x86_64::*;

use super::super::avx2;
use super::super::avx2::prefetch_line;

pub(crate) use super::super::avx2::interaction::interactions_pruned;

/// How many codes ahead a row is asked for, as in the AVX2 tier.
const AHEAD: usize = 24;

/// Contract: `crate::interactions`; every code is a row.
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
pub(crate) fn interactions(
    rows: &[u8],
    lanes: usize,
    codes: &[u32],
    ends: &[u32],
    out: &mut [u32],
) {
    if lanes <= 32 {
        return avx2::interaction::interactions(rows, lanes, codes, ends, out);
    }
    let mut start = 0;
    for (&end, out) in ends.iter().zip(out) {
        let end = end as usize;
        let mut sums = _mm512_setzero_si512();
        for lane in (0..lanes).step_by(64) {
            // SAFETY: every code is a row and `lane` stays within it.
            let best = unsafe { best(rows, lanes, lane, codes, start..end) };
            sums = _mm512_add_epi64(sums, _mm512_sad_epu8(best, _mm512_setzero_si512()));
        }
        *out = _mm512_reduce_add_epi64(sums) as u32;
        start = end;
    }
}

/// The largest cells of up to 64 lanes from `lane` on among `codes[range]`, the rest zero.
///
/// # Safety
///
/// Every code is a row of `rows`, `lane` is below `lanes`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn best(
    rows: &[u8],
    lanes: usize,
    lane: usize,
    codes: &[u32],
    range: std::ops::Range<usize>,
) -> __m512i {
    let base = rows.as_ptr().wrapping_add(lane);
    let mask = u64::MAX >> (64 - (lanes - lane).min(64));
    let mut best = _mm512_setzero_si512();
    for i in range {
        if let Some(&code) = codes.get(i + AHEAD) {
            prefetch_line(base.wrapping_add(code as usize * lanes));
        }
        // SAFETY: the mask ends with the row; what it hides is not read.
        let cells =
            unsafe { _mm512_maskz_loadu_epi8(mask, base.add(codes[i] as usize * lanes).cast()) };
        best = _mm512_max_epu8(best, cells);
    }
    best
}
