//! The bucket weights of a residual codec, as floats and as the bytes the fused kernel multiplies.

/// Weights of the `2^nbits` residual buckets.
#[derive(Clone, Debug)]
pub struct ResidualTable {
    nbits: u32,
    scale: f32,
    weights: Vec<f32>,
    /// `128 + round_ties_even(weight / scale)`; for fewer than 8 bits repeated to fill 256 entries,
    /// so that a byte whose upper bits belong to another field still finds its weight.
    bytes: [u8; 256],
}

impl ResidualTable {
    /// Makes the table of `2^nbits` weights. The scale of the byte form is the largest magnitude
    /// over 127.
    ///
    /// # Panics
    ///
    /// When `nbits` is not 1, 2, 4 or 8 or the number of weights is not `2^nbits`.
    pub fn new(nbits: u32, weights: &[f32]) -> Self {
        assert!(
            matches!(nbits, 1 | 2 | 4 | 8),
            "residuals have {nbits} bits, not 1, 2, 4 or 8"
        );
        assert!(
            weights.len() == 1 << nbits,
            "{} weights were given for {nbits} bits, expected {}",
            weights.len(),
            1 << nbits
        );
        let scale = weights.iter().fold(0.0f32, |m, w| m.max(w.abs())) / 127.0;
        let bytes = std::array::from_fn(|bucket| {
            let weight = weights[bucket % weights.len()];
            if scale > 0.0 {
                (128.0 + (weight / scale).round_ties_even()).clamp(1.0, 255.0) as u8
            } else {
                128
            }
        });
        Self {
            nbits,
            scale,
            weights: weights.to_vec(),
            bytes,
        }
    }

    /// Bits of a residual field: 1, 2, 4 or 8.
    pub fn nbits(&self) -> u32 {
        self.nbits
    }

    /// The step of the byte form: a weight is about `(byte - 128) * scale`.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// The weights, `[2^nbits]`.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The byte form, repeated to 256 entries.
    pub(crate) fn bytes(&self) -> &[u8; 256] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_offset_by_128_and_reach_127() {
        let table = ResidualTable::new(2, &[-1.0, -0.25, 0.25, 1.0]);
        assert_eq!(table.bytes()[..4], [1, 96, 160, 255]);
        assert_eq!(table.bytes()[252..], [1, 96, 160, 255]);
        assert_eq!(ResidualTable::new(1, &[0.0, 0.0]).bytes()[..2], [128, 128]);
    }
}
