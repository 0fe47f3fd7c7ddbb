//! Tiers of x86-64. Each implements every operation under the names of `scalar`.

pub(crate) mod avx2;
pub(crate) mod avx512;

use crate::level::Tier;

/// The highest tier of this machine. The detection macro also asks whether the operating system
/// saves the wide registers.
pub(crate) fn native() -> Tier {
    let avx2 = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vnni");
    match (avx2, avx512) {
        (true, true) => Tier::Avx512,
        (true, false) => Tier::Avx2,
        (false, _) => Tier::Scalar,
    }
}
