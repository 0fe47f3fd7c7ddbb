//! Half precision by F16C, eight values at a time; the tail by the scalar twin.

use std::arch::x86_64::*;

/// Contract: `crate::f32_to_f16`.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn f32_to_f16(src: &[f32], dst: &mut [u16]) {
    let whole = src.len() / 8 * 8;
    for (src, dst) in src.chunks_exact(8).zip(dst.chunks_exact_mut(8)) {
        // SAFETY: 8 floats and 8 halves are one register each.
        unsafe {
            let values = _mm256_loadu_ps(src.as_ptr());
            let halves = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(values);
            _mm_storeu_si128(dst.as_mut_ptr().cast(), halves);
        }
    }
    crate::scalar::half::f32_to_f16(&src[whole..], &mut dst[whole..]);
}

/// Contract: `crate::f16_to_f32`.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn f16_to_f32(src: &[u16], dst: &mut [f32]) {
    let whole = src.len() / 8 * 8;
    for (src, dst) in src.chunks_exact(8).zip(dst.chunks_exact_mut(8)) {
        // SAFETY: 8 halves and 8 floats are one register each.
        unsafe {
            let values = _mm256_cvtph_ps(_mm_loadu_si128(src.as_ptr().cast()));
            _mm256_storeu_ps(dst.as_mut_ptr(), values);
        }
    }
    crate::scalar::half::f16_to_f32(&src[whole..], &mut dst[whole..]);
}
