//! The reference tier: every operation in plain Rust, always compiled.
//!
//! It defines what the other tiers compute, bit by bit, so it is written to be read. It runs on
//! machines without a tier of their own; there `f32::mul_add` may be a library call.

pub(crate) mod centroid;
pub(crate) mod exact;
pub(crate) mod half;
pub(crate) mod interaction;
pub(crate) mod nearest;
pub(crate) mod residual;

use crate::block::{ByteBlock, FloatRow};
use crate::query::LANES;

/// Integer dot products of one row of offset bytes with the 16 query tokens of a panel.
fn byte_dots(row: &[u8], panel: &[ByteBlock], sums: &[i32]) -> [i32; LANES] {
    let mut dots = [0; LANES];
    for (eight, block) in row.chunks_exact(8).zip(panel) {
        for (four, lanes) in eight.chunks_exact(4).zip(&block.values) {
            for (dot, lane) in dots.iter_mut().zip(lanes) {
                for (&byte, &value) in four.iter().zip(lane) {
                    *dot += i32::from(byte) * i32::from(value);
                }
            }
        }
    }
    for (dot, sum) in dots.iter_mut().zip(sums) {
        *dot -= 128 * sum;
    }
    dots
}

/// Float dot products of one row with the 16 columns of a panel, one fused chain each.
fn float_dots(row: &[f32], panel: &[FloatRow]) -> [f32; LANES] {
    let mut dots = [0.0f32; LANES];
    for (&value, columns) in row.iter().zip(panel) {
        for (dot, &column) in dots.iter_mut().zip(&columns.0) {
            *dot = value.mul_add(column, *dot);
        }
    }
    dots
}
