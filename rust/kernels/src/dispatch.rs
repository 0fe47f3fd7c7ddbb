//! The one place where a tier becomes a call.

/// Calls `$module::$op` of the given tier. The tier must be one this machine runs: the front
/// functions take it from `tier()` or check it with `level::require`.
macro_rules! dispatch {
    ($tier:expr, $module:ident :: $op:ident ( $($arg:expr),* $(,)? )) => {
        match $tier {
            crate::level::Tier::Scalar => crate::scalar::$module::$op($($arg),*),
            // SAFETY: the tier comes from `tier()` or `require`, so this machine has AVX2, FMA and
            // F16C; the front function has checked shapes and codes.
            #[cfg(target_arch = "x86_64")]
            crate::level::Tier::Avx2 => unsafe {
                crate::x86_64::avx2::$module::$op($($arg),*)
            },
            // SAFETY: likewise with AVX-512 F, BW, VL, DQ and VNNI.
            #[cfg(target_arch = "x86_64")]
            crate::level::Tier::Avx512 => unsafe {
                crate::x86_64::avx512::$module::$op($($arg),*)
            },
            #[cfg(not(target_arch = "x86_64"))]
            other => unreachable!("tier {other} does not exist on this architecture"),
        }
    };
}
