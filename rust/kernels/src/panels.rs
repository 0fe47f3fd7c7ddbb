//! Centroids packed for the float kernels: 16 to a panel, dimensions outermost.

use crate::block::FloatRow;
use crate::query::{LANES, check_dim};

/// Centroids in panels of 16 columns, `[ceil(K / 16)][dim][16]`, the last one padded with zeros.
///
/// A panel is 8 KiB at 128 dimensions: it stays in the first-level cache while a block of points
/// passes by.
#[derive(Clone, Debug)]
pub struct CentroidPanels {
    dim: usize,
    count: usize,
    values: Vec<FloatRow>,
}

impl CentroidPanels {
    /// Packs centroids given as `[K][dim]`.
    ///
    /// # Panics
    ///
    /// When `dim` is not a multiple of 8 in 8..=1024 or does not divide the number of values.
    pub fn new(centroids: &[f32], dim: usize) -> Self {
        check_dim(dim);
        assert!(
            centroids.len().is_multiple_of(dim),
            "{} centroid values are no rows of {dim}",
            centroids.len()
        );
        let count = centroids.len() / dim;
        let mut values = vec![FloatRow::ZERO; count.div_ceil(LANES) * dim];
        for (rows, panel) in centroids
            .chunks(LANES * dim)
            .zip(values.chunks_exact_mut(dim))
        {
            for (column, row) in rows.chunks_exact(dim).enumerate() {
                for (d, &value) in row.iter().enumerate() {
                    panel[d].0[column] = value;
                }
            }
        }
        Self { dim, count, values }
    }

    /// Dimensions of a centroid.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of centroids, padding excluded.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The panels, one row a dimension, with the number of the first centroid and of the real columns.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, usize, &[FloatRow])> {
        let count = self.count;
        self.values
            .chunks_exact(self.dim)
            .enumerate()
            .map(move |(number, panel)| {
                let first = number * LANES;
                (first, LANES.min(count - first), panel)
            })
    }
}
