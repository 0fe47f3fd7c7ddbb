//! MaxSim over uncompressed documents: six tokens against a panel of the query.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::{FLOAT_ROWS, float_dots};
use crate::query::{LANES, MAX_DIM, Query};

/// Contract: `crate::maxsim_f32`.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn maxsim_f32(query: &Query, document: &[f32], maxima: &mut [f32]) {
    let dim = query.dim();
    let count = document.len() / dim;
    if count < FLOAT_ROWS {
        for token in document.chunks_exact(dim) {
            // SAFETY: one token of `dim` values.
            unsafe { raise::<1>(query, token.as_ptr(), maxima) };
        }
        return;
    }
    for token in (0..count).step_by(FLOAT_ROWS) {
        // The last tile reaches back over tokens already seen: a maximum does not mind.
        let tokens = &document[token.min(count - FLOAT_ROWS) * dim..][..FLOAT_ROWS * dim];
        // SAFETY: `FLOAT_ROWS` tokens of `dim` values.
        unsafe { raise::<FLOAT_ROWS>(query, tokens.as_ptr(), maxima) };
    }
}

/// Contract: `crate::maxsim_f16`. Tokens are widened to the stack, once for all panels.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn maxsim_f16(query: &Query, document: &[u16], maxima: &mut [f32]) {
    let dim = query.dim();
    let count = document.len() / dim;
    let mut wide = [const { MaybeUninit::<f32>::uninit() }; FLOAT_ROWS * MAX_DIM];
    if count < FLOAT_ROWS {
        for token in document.chunks_exact(dim) {
            widen(token, &mut wide[..dim]);
            // SAFETY: `widen` has written one token of `dim` values.
            unsafe { raise::<1>(query, wide.as_ptr().cast(), maxima) };
        }
        return;
    }
    for token in (0..count).step_by(FLOAT_ROWS) {
        let tokens = &document[token.min(count - FLOAT_ROWS) * dim..][..FLOAT_ROWS * dim];
        widen(tokens, &mut wide[..FLOAT_ROWS * dim]);
        // SAFETY: `widen` has written `FLOAT_ROWS` tokens of `dim` values.
        unsafe { raise::<FLOAT_ROWS>(query, wide.as_ptr().cast(), maxima) };
    }
}

/// Widens a multiple of 8 values.
#[inline]
#[target_feature(enable = "avx2,f16c")]
fn widen(halves: &[u16], wide: &mut [MaybeUninit<f32>]) {
    for (halves, wide) in halves.chunks_exact(8).zip(wide.chunks_exact_mut(8)) {
        // SAFETY: 8 halves and 8 floats are one register each.
        unsafe {
            let values = _mm256_cvtph_ps(_mm_loadu_si128(halves.as_ptr().cast()));
            _mm256_storeu_ps(wide.as_mut_ptr().cast(), values);
        }
    }
}

/// Raises the maxima by `R` tokens.
///
/// # Safety
///
/// `tokens` is readable for `R * query.dim()` values.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn raise<const R: usize>(query: &Query, tokens: *const f32, maxima: &mut [f32]) {
    for (panel, maxima) in maxima.chunks_exact_mut(LANES).enumerate() {
        // SAFETY: the caller's promise; the panel has the query's dimensions.
        let dots = unsafe { float_dots::<R>(tokens, query.float_panel(panel)) };
        for half in 0..2 {
            let maxima = &mut maxima[half * 8..][..8];
            // SAFETY: 8 maxima are one register.
            let mut best = unsafe { _mm256_loadu_ps(maxima.as_ptr()) };
            for dots in &dots {
                best = _mm256_max_ps(dots[half], best);
            }
            // SAFETY: as the load.
            unsafe { _mm256_storeu_ps(maxima.as_mut_ptr(), best) };
        }
    }
}
