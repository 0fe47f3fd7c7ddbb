//! Tiers of instruction sets: what this machine can run, and the cap the user may set.
//!
//! Detection happens once per process. `WEFT_CPU` names the highest tier allowed, so that a fault
//! can be pinned to a tier and tests can run every tier on one machine.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// The environment variable that caps the tier.
const VARIABLE: &str = "WEFT_CPU";

/// Every tier, lowest first.
const ALL: [Tier; 3] = [Tier::Scalar, Tier::Avx2, Tier::Avx512];

/// An instruction-set level. Ordered: a machine that runs one runs those below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Plain Rust, every machine; the reference the others are held to.
    Scalar,
    /// AVX2 with FMA and F16C: x86-64 machines since about 2013.
    Avx2,
    /// AVX-512 F, BW, VL, DQ and VNNI: Ice Lake and Zen 4 onwards.
    Avx512,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Tier::Scalar => "scalar",
            Tier::Avx2 => "avx2",
            Tier::Avx512 => "avx512",
        })
    }
}

impl FromStr for Tier {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        ALL.into_iter()
            .find(|tier| tier.to_string() == name)
            .ok_or_else(|| {
                let names = ALL.map(|tier| tier.to_string()).join(", ");
                format!("unknown tier {name:?}, expected one of {names}")
            })
    }
}

/// The highest tier this machine runs, whatever the environment says.
fn native() -> Tier {
    #[cfg(target_arch = "x86_64")]
    return crate::x86_64::native();
    #[cfg(not(target_arch = "x86_64"))]
    Tier::Scalar
}

/// Applies the value of `WEFT_CPU`, if there is one, to the machine's own tier.
fn capped(native: Tier, value: Option<&str>) -> Result<Tier, String> {
    match value {
        None | Some("") => Ok(native),
        Some(name) => {
            let cap = Tier::from_str(name).map_err(|reason| format!("{VARIABLE}: {reason}"))?;
            Ok(cap.min(native))
        }
    }
}

/// The tier this process uses, or why the user's cap cannot be understood.
///
/// The machine is asked and the environment is read once; later changes of `WEFT_CPU` have no
/// effect. A cap above what the machine has is no error: the machine's own tier is used.
///
/// # Errors
///
/// When `WEFT_CPU` holds something else than `scalar`, `avx2` or `avx512`; the text names the
/// variable, the value and the values allowed. An empty value counts as unset.
pub fn detect() -> Result<Tier, String> {
    static DETECTED: OnceLock<Result<Tier, String>> = OnceLock::new();
    DETECTED
        .get_or_init(|| {
            let value = std::env::var_os(VARIABLE);
            capped(
                native(),
                value.as_ref().map(|v| v.to_string_lossy()).as_deref(),
            )
        })
        .clone()
}

/// The tier every operation of this crate runs on, fixed for the life of the process.
///
/// Falls back to the machine's own tier when [`detect`] is an error; callers with a user in front
/// of them call `detect` first and report it.
pub fn tier() -> Tier {
    static TIER: OnceLock<Tier> = OnceLock::new();
    *TIER.get_or_init(|| detect().unwrap_or_else(|_| native()))
}

/// Every tier up to [`tier()`], lowest first: what tests and benches compare.
pub fn available() -> Vec<Tier> {
    ALL.into_iter()
        .filter(|&candidate| candidate <= tier())
        .collect()
}

/// Returns `tier`, having checked that this machine runs it.
///
/// # Panics
///
/// When the machine lacks the tier.
pub(crate) fn require(tier: Tier) -> Tier {
    assert!(
        tier <= native(),
        "tier {tier} was asked for on a machine whose tier is {}",
        native()
    );
    tier
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for tier in ALL {
            assert_eq!(tier.to_string().parse::<Tier>(), Ok(tier));
        }
    }

    #[test]
    fn a_cap_lowers_and_never_raises() {
        assert_eq!(capped(Tier::Avx2, Some("scalar")), Ok(Tier::Scalar));
        assert_eq!(capped(Tier::Avx2, Some("avx512")), Ok(Tier::Avx2));
        assert_eq!(capped(Tier::Avx2, Some("")), Ok(Tier::Avx2));
        assert_eq!(capped(Tier::Avx2, None), Ok(Tier::Avx2));
        assert_eq!(capped(Tier::Avx512, None), Ok(Tier::Avx512));
        assert_eq!(capped(Tier::Scalar, None), Ok(Tier::Scalar));
    }

    #[test]
    fn an_unknown_cap_is_named() {
        let reason = capped(Tier::Avx2, Some("AVX2")).expect_err("upper case is unknown");
        for part in ["WEFT_CPU", "\"AVX2\"", "scalar, avx2, avx512"] {
            assert!(reason.contains(part), "{reason:?} lacks {part:?}");
        }
    }
}
