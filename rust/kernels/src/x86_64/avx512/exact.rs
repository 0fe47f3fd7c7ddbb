//! MaxSim over uncompressed documents: twelve tokens against a panel of the query.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::{FLOAT_ROWS, float_dots};
use crate::query::{LANES, MAX_DIM, Query};

/// Contract: `crate::maxsim_f32`.
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
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
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
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

/// Widens whole tokens, a multiple of 8 values.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn widen(halves: &[u16], wide: &mut [MaybeUninit<f32>]) {
    for (halves, wide) in halves.chunks(16).zip(wide.chunks_mut(16)) {
        // The tail, if there is one, is 8 values under a mask.
        let mask = u16::MAX >> (16 - halves.len());
        // SAFETY: what the mask hides is neither read nor written.
        unsafe {
            let halves = _mm256_maskz_loadu_epi16(mask, halves.as_ptr().cast());
            _mm512_mask_storeu_ps(wide.as_mut_ptr().cast(), mask, _mm512_cvtph_ps(halves));
        }
    }
}

/// Raises the maxima by `R` tokens.
///
/// # Safety
///
/// `tokens` is readable for `R * query.dim()` values.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn raise<const R: usize>(query: &Query, tokens: *const f32, maxima: &mut [f32]) {
    for (panel, maxima) in maxima.chunks_exact_mut(LANES).enumerate() {
        // SAFETY: the caller's promise; the panel has the query's dimensions; 16 maxima are one
        // register.
        unsafe {
            let dots = float_dots::<R>(tokens, query.float_panel(panel));
            let mut best = _mm512_loadu_ps(maxima.as_ptr());
            for dot in dots {
                best = _mm512_max_ps(dot, best);
            }
            _mm512_storeu_ps(maxima.as_mut_ptr(), best);
        }
    }
}
