//! Half precision by bit arithmetic.

/// Contract: `crate::f32_to_f16`.
pub(crate) fn f32_to_f16(src: &[f32], dst: &mut [u16]) {
    for (dst, &src) in dst.iter_mut().zip(src) {
        *dst = narrow(src);
    }
}

/// Contract: `crate::f16_to_f32`.
pub(crate) fn f16_to_f32(src: &[u16], dst: &mut [f32]) {
    for (dst, &src) in dst.iter_mut().zip(src) {
        *dst = widen(src);
    }
}

/// One f32 to half, to nearest even.
fn narrow(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    let magnitude = bits & 0x7fff_ffff;
    if magnitude > 0x7f80_0000 {
        // NaN: the quiet bit and what fits of the payload, as the hardware does.
        return sign | 0x7e00 | (magnitude >> 13) as u16 & 0x03ff;
    }
    // 65,520, halfway between the largest half and the next power of two, rounds to infinity.
    if magnitude >= 0x477f_f000 {
        return sign | 0x7c00;
    }
    let exponent = (magnitude >> 23) as i32 - 127;
    let (significand, dropped) = if exponent >= -14 {
        // Normal: move the exponent's bias from 127 to 15 and drop 13 bits of the fraction.
        (magnitude - (112 << 23), 13)
    } else if exponent >= -25 {
        // Subnormal: the leading one becomes explicit; a unit is 2^-24.
        (
            magnitude & 0x007f_ffff | 0x0080_0000,
            (-exponent - 1) as u32,
        )
    } else {
        return sign;
    };
    let kept = significand >> dropped;
    let rest = significand & ((1 << dropped) - 1);
    let half = 1 << (dropped - 1);
    // A carry out of the fraction raises the exponent, which is the right rounding.
    let up = rest > half || (rest == half && kept & 1 == 1);
    sign | (kept + u32::from(up)) as u16
}

/// One half to f32, exactly.
pub(crate) fn widen(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let exponent = u32::from(half >> 10 & 0x1f);
    let fraction = u32::from(half & 0x03ff);
    let magnitude = match (exponent, fraction) {
        (0, _) => (fraction as f32 / 16_777_216.0).to_bits(), // a unit is 2^-24
        (0x1f, 0) => 0x7f80_0000,
        (0x1f, _) => 0x7fc0_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}
