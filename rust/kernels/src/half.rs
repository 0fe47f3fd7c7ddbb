//! Conversion between f32 and IEEE half precision, kept as `u16` bits.

use crate::level::{self, Tier, tier};

/// Rounds to half precision, to nearest even.
///
/// Values above 65,504 after rounding become infinity, small ones subnormal; infinities stay, a
/// NaN becomes a quiet NaN with the upper bits of its payload. Tiers agree to the bit.
///
/// # Panics
///
/// When the lengths differ.
pub fn f32_to_f16(src: &[f32], dst: &mut [u16]) {
    check(src.len(), dst.len());
    dispatch!(tier(), half::f32_to_f16(src, dst));
}

/// [`f32_to_f16`] on one tier.
///
/// # Panics
///
/// As [`f32_to_f16`], and when this machine lacks the tier.
pub fn f32_to_f16_at(tier: Tier, src: &[f32], dst: &mut [u16]) {
    check(src.len(), dst.len());
    dispatch!(level::require(tier), half::f32_to_f16(src, dst));
}

/// Widens half precision exactly; a signalling NaN becomes quiet. Tiers agree to the bit.
///
/// # Panics
///
/// When the lengths differ.
pub fn f16_to_f32(src: &[u16], dst: &mut [f32]) {
    check(src.len(), dst.len());
    dispatch!(tier(), half::f16_to_f32(src, dst));
}

/// [`f16_to_f32`] on one tier.
///
/// # Panics
///
/// As [`f16_to_f32`], and when this machine lacks the tier.
pub fn f16_to_f32_at(tier: Tier, src: &[u16], dst: &mut [f32]) {
    check(src.len(), dst.len());
    dispatch!(level::require(tier), half::f16_to_f32(src, dst));
}

fn check(src: usize, dst: usize) {
    assert!(src == dst, "{src} values to convert into {dst}");
}
