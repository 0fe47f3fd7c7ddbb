//! Register kernels of Weft: the only home of SIMD in the project, and nothing else.
//!
//! Every operation has a safe front function that states its contract, a scalar twin that is always
//! compiled and judges the others, and one implementation per [`Tier`]. `op(..)` runs on
//! [`tier()`], chosen once per process; `op_at(tier, ..)` forces one, for tests and benches.
//!
//! All tiers give the same bits. The integer path computes the same integers everywhere (the query
//! has 7 bits, so no intermediate sum saturates) and joins them to floats in one stated order
//! without fused operations. The float path makes each output one chain of fused multiply-adds
//! over ascending dimensions, with outputs and never dimensions in the lanes of a register.
//!
//! Shapes are checked here and a mismatch panics with both shapes: the engine validates what comes
//! from outside, so a panic is a bug of the caller. Values must be finite; nothing here looks for NaN.

#[macro_use]
mod dispatch;

mod block;
mod centroid;
mod exact;
mod half;
mod interaction;
mod level;
mod nearest;
mod panels;
mod planar;
mod prefetch;
mod query;
mod residual;
mod residual_table;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use centroid::{
    centroid_scores, centroid_scores_at, next_above, next_above_at, quantise_centroids,
};
pub use exact::{maxsim_f16, maxsim_f16_at, maxsim_f32, maxsim_f32_at, sum_maxima};
pub use half::{f16_to_f32, f16_to_f32_at, f32_to_f16, f32_to_f16_at};
pub use interaction::{interactions, interactions_at, interactions_pruned, interactions_pruned_at};
pub use level::{Tier, available, detect, tier};
pub use nearest::{dots, dots_at, nearest, nearest_at, nearest_into, nearest_into_at};
pub use panels::CentroidPanels;
pub use planar::{pack_planar, row_bytes, unpack_planar};
pub use prefetch::prefetch;
pub use query::{LANES, Query};
pub use residual::{decode, decode_at, residual_maxsim, residual_maxsim_at};
pub use residual_table::ResidualTable;
