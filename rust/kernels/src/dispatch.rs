//! The one place where a tier becomes a call.

/// Calls `$module::$op` of the given tier. The tier must be supported by this machine: the front
/// functions take it from `tier()` or check it with `level::require`.
macro_rules! dispatch {
    ($tier:expr, $module:ident :: $op:ident ( $($arg:expr),* $(,)? )) => {
        match $tier {
            crate::level::Tier::Scalar => crate::scalar::$module::$op($($arg),*),
            #[cfg(target_arch = "x86_64")]
            crate::level::Tier::Avx2 | crate::level::Tier::Avx512 => {
                crate::scalar::$module::$op($($arg),*)
            }
            #[cfg(not(target_arch = "x86_64"))]
            other => unreachable!("tier {other} does not exist on this architecture"),
        }
    };
}
