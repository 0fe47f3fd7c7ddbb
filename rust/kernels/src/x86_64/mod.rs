//! Tiers of x86-64. Each implements every operation under the names of `scalar`.

pub(crate) mod avx2;

use crate::level::Tier;

/// The highest tier of this machine. The detection macro also asks whether the operating system
/// saves the wide registers.
pub(crate) fn native() -> Tier {
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
    {
        Tier::Avx2
    } else {
        Tier::Scalar
    }
}
