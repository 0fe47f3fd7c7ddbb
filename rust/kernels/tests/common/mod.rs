//! Seeded inputs: proptest draws and shrinks the shapes, this fills them.

#![allow(dead_code, reason = "each test file uses its part")]

use weft_kernels::{ResidualTable, pack_planar, row_bytes};

/// SplitMix64 (Steele, Lea and Flood 2014): tiny, and every seed is a good one.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Uniform in -1..1.
    pub(crate) fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    pub(crate) fn floats(&mut self, count: usize, style: Style) -> Vec<f32> {
        (0..count)
            .map(|_| match style {
                Style::Random => self.float(),
                Style::Zero => 0.0,
                Style::Top => 1.0,
                Style::Bottom => -1.0,
                Style::Corners => [-1.0, 1.0][self.below(2)],
            })
            .collect()
    }

    pub(crate) fn bytes(&mut self, count: usize, style: Style) -> Vec<u8> {
        (0..count)
            .map(|_| match style {
                Style::Random => self.next() as u8,
                Style::Zero => 128,
                Style::Top => 255,
                Style::Bottom => 0,
                Style::Corners => [0, 255][self.below(2)],
            })
            .collect()
    }
}

/// How a matrix is filled. Everything but `Random` is there for saturation and ties.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Random,
    Zero,
    Top,
    Bottom,
    Corners,
}

pub(crate) const STYLES: [Style; 5] = [
    Style::Random,
    Style::Zero,
    Style::Top,
    Style::Bottom,
    Style::Corners,
];

/// A compressed document and what it was made of.
pub(crate) struct Compressed {
    pub(crate) table: ResidualTable,
    pub(crate) codes: Vec<u32>,
    pub(crate) buckets: Vec<u8>,
    pub(crate) residuals: Vec<u8>,
    pub(crate) inv_norms: Vec<f32>,
}

impl Compressed {
    pub(crate) fn new(random: &mut Random, dim: usize, nbits: u32, n: usize, k: usize) -> Self {
        let style = STYLES[random.below(STYLES.len())];
        let weights: Vec<f32> = random
            .floats(1 << nbits, style)
            .iter()
            .map(|weight| weight * 0.2)
            .collect();
        let buckets: Vec<u8> = (0..n * dim)
            .map(|_| random.below(1 << nbits) as u8)
            .collect();
        let mut residuals = vec![0; n * row_bytes(dim, nbits)];
        pack_planar(nbits, dim, &buckets, &mut residuals);
        Self {
            table: ResidualTable::new(nbits, &weights),
            codes: (0..n).map(|_| random.below(k) as u32).collect(),
            buckets,
            residuals,
            inv_norms: (0..n).map(|_| 1.0 + random.float() * 0.5).collect(),
        }
    }
}

pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
