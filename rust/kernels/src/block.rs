//! Aligned pieces of the packed matrices.
//!
//! A register load that crosses a cache line costs about two that do not (measured on Zen 3), and
//! the packed matrices are all loads; the allocator alone promises 16 bytes.

/// One dimension of 16 query tokens or centroids.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct FloatRow(pub(crate) [f32; 16]);

impl FloatRow {
    pub(crate) const ZERO: Self = Self([0.0; 16]);
}

/// Eight quantised dimensions of 16 query tokens.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct ByteBlock {
    /// Dimensions 0..4, then 4..8: four broadcast document bytes meet four dimensions of a token.
    pub(crate) values: [[[i8; 4]; 16]; 2],
    /// What the offset 128 of the document bytes adds to the two 16-bit sums of a token: 128 times
    /// dimensions 0, 1, 4 and 5, and 128 times dimensions 2, 3, 6 and 7. At most 32,256.
    pub(crate) offsets: [[i16; 2]; 16],
}

impl ByteBlock {
    pub(crate) const ZERO: Self = Self {
        values: [[[0; 4]; 16]; 2],
        offsets: [[0; 2]; 16],
    };
}
