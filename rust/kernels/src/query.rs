//! A query laid out for the kernels: once as f32, once as 7-bit integers.
//!
//! Both forms are cut into panels of [`LANES`] query tokens, so that one panel (8 KiB of f32 and
//! 3 KiB of integers at 128 dimensions) stays in the first-level cache whatever the number of tokens,
//! and a document value broadcast to all lanes meets the same dimension of 16 query tokens.

use crate::block::{ByteBlock, FloatRow};

/// Query tokens are padded with zero tokens to a multiple of this.
pub const LANES: usize = 16;

/// Largest dimension of a token: kernels keep whole tokens on the stack.
pub(crate) const MAX_DIM: usize = 1024;

/// Largest magnitude of a quantised query value. 255 * 63 * 2 = 32,130 stays below the 32,767
/// where `vpmaddubsw` saturates, so that every tier sees the same integers.
const QUERY_MAX: f32 = 63.0;

/// A matrix of query tokens, prepared once per query and shared by every kernel.
#[derive(Clone, Debug)]
pub struct Query {
    tokens: usize,
    dim: usize,
    lanes: usize,
    max_norm: f32,
    /// `[lanes / 16][dim]`, zero padded.
    floats: Vec<FloatRow>,
    /// `[lanes / 16][dim / 8]`, zero padded.
    bytes: Vec<ByteBlock>,
    /// `[lanes]`: the sum of a token's quantised values.
    sums: Vec<i32>,
    /// `[lanes]`: a token's value is about `bytes * scale`; 0 for a zero token.
    scales: Vec<f32>,
}

impl Query {
    /// Prepares `tokens` rows of `dim` values.
    ///
    /// A token's scale is its largest magnitude over 63, and its integers are
    /// `round_ties_even(value / scale)`, in -63..=63.
    ///
    /// # Panics
    ///
    /// When `values.len() != tokens * dim`, or `dim` is not a multiple of 8 in 8..=1024.
    pub fn new(values: &[f32], tokens: usize, dim: usize) -> Self {
        check_dim(dim);
        assert!(
            values.len() == tokens * dim,
            "query has {} values, its shape is {tokens} tokens x {dim}",
            values.len()
        );
        let lanes = tokens.div_ceil(LANES) * LANES;
        let mut query = Self {
            tokens,
            dim,
            lanes,
            max_norm: 0.0,
            floats: vec![FloatRow::ZERO; lanes / LANES * dim],
            bytes: vec![ByteBlock::ZERO; lanes / LANES * (dim / 8)],
            sums: vec![0; lanes],
            scales: vec![0.0; lanes],
        };
        for (token, row) in values.chunks_exact(dim).enumerate() {
            query.set_token(token, row);
        }
        query
    }

    fn set_token(&mut self, token: usize, row: &[f32]) {
        let dim = self.dim;
        let (panel, lane) = (token / LANES, token % LANES);
        let largest = row.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        let scale = largest / QUERY_MAX;
        let norm = row
            .iter()
            .map(|&v| f64::from(v) * f64::from(v))
            .sum::<f64>()
            .sqrt() as f32;
        self.max_norm = self.max_norm.max(norm);
        self.scales[token] = scale;
        for (d, &value) in row.iter().enumerate() {
            self.floats[panel * dim + d].0[lane] = value;
            // A scale that underflowed to zero makes the token a zero token for the integer path.
            let byte = if scale > 0.0 {
                (value / scale)
                    .round_ties_even()
                    .clamp(-QUERY_MAX, QUERY_MAX) as i8
            } else {
                0
            };
            let block = &mut self.bytes[panel * (dim / 8) + d / 8];
            block.values[d % 8 / 4][lane][d % 4] = byte;
            block.offsets[lane][d % 4 / 2] += 128 * i16::from(byte);
            self.sums[token] += i32::from(byte);
        }
    }

    /// Number of real query tokens.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Dimensions of a token.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of tokens after padding: the row length of every per-token buffer.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// The largest L2 norm of a query token, 0 for a query without tokens.
    pub fn max_norm(&self) -> f32 {
        self.max_norm
    }

    /// The largest step of a token's quantised values, 0 for a query without tokens.
    pub fn max_scale(&self) -> f32 {
        self.scales.iter().copied().fold(0.0, f32::max)
    }

    /// The f32 panel of lanes `16 * panel ..`, one row a dimension.
    pub(crate) fn float_panel(&self, panel: usize) -> &[FloatRow] {
        &self.floats[panel * self.dim..][..self.dim]
    }

    /// The integer panel of lanes `16 * panel ..`, one block to 8 dimensions.
    pub(crate) fn byte_panel(&self, panel: usize) -> &[ByteBlock] {
        &self.bytes[panel * (self.dim / 8)..][..self.dim / 8]
    }

    /// Sums of quantised values, `[lanes]`.
    pub(crate) fn sums(&self) -> &[i32] {
        &self.sums
    }

    /// Scales, `[lanes]`.
    pub(crate) fn scales(&self) -> &[f32] {
        &self.scales
    }
}

/// Panics unless `dim` is a multiple of 8 in 8..=1024.
pub(crate) fn check_dim(dim: usize) {
    assert!(
        dim.is_multiple_of(8) && (8..=MAX_DIM).contains(&dim),
        "dimension is {dim}, not a multiple of 8 in 8..={MAX_DIM}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantised_values_reach_63_and_sum_up() {
        let values: Vec<f32> = (0..24).map(|i| i as f32 - 11.5).collect();
        let query = Query::new(&values, 3, 8);
        assert_eq!((query.tokens(), query.lanes(), query.dim()), (3, 16, 8));
        for token in 0..3 {
            let block = &query.byte_panel(0)[0];
            let bytes = block.values.map(|four| four[token].map(i32::from)).concat();
            assert_eq!(bytes.iter().map(|b| b.abs()).max(), Some(63));
            assert_eq!(bytes.iter().sum::<i32>(), query.sums()[token]);
            let offsets: i32 = block.offsets[token].iter().map(|&o| i32::from(o)).sum();
            assert_eq!(offsets, 128 * query.sums()[token]);
        }
    }

    #[test]
    fn a_zero_token_has_scale_zero() {
        let query = Query::new(&[0.0; 16], 2, 8);
        assert!(query.scales().iter().all(|&s| s == 0.0));
        assert_eq!(query.max_norm(), 0.0);
    }

    #[test]
    #[should_panic(expected = "query has 7 values, its shape is 1 tokens x 8")]
    fn a_wrong_shape_is_named() {
        Query::new(&[0.0; 7], 1, 8);
    }
}
