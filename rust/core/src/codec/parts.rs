//! A codebook outside of an index: what importers bring and exporters take.

use super::table::ResidualTables;
use super::{CentroidType, Codec, check_dim, check_nbits};
use crate::error::{Error, Result};

/// Centroids a codebook has at most: codes take three bytes.
pub(crate) const MAX_CENTROIDS: usize = 1 << 24;
/// Components beyond this are refused: their squares would not add up in float32.
const LARGEST: f32 = 1e15;

/// The centroids and residual tables of a codebook.
#[derive(Debug, Clone, PartialEq)]
pub struct CodebookParts {
    /// Dimension of the vectors.
    pub dim: usize,
    /// Bits a residual component.
    pub nbits: u32,
    /// The rule that made the tables.
    pub codec: Codec,
    /// `[K][dim]`, in the order of their codes.
    pub centroids: Vec<f32>,
    /// How the centroids are kept: float16 only if their values are.
    pub centroid_type: CentroidType,
    /// Cut-offs and weights, as colbert-ai has them in `buckets.pt`.
    pub tables: ResidualTables,
}

impl CodebookParts {
    /// Refuses what cannot be the codebook of an index.
    pub(crate) fn check(&self) -> Result<()> {
        check_nbits(self.nbits)?;
        check_dim(self.dim)?;
        let (count, dim) = (self.centroids.len() / self.dim, self.dim);
        if count * dim != self.centroids.len() || !(1..=MAX_CENTROIDS).contains(&count) {
            let n = self.centroids.len();
            return Err(Error::invalid(format!(
                "centroids has {n} numbers: it must have 1 to {MAX_CENTROIDS} rows of {dim}"
            )));
        }
        let (buckets, tables) = (1_usize << self.nbits, &self.tables);
        for (what, found, wanted) in [
            ("cutoffs", tables.cutoffs.len(), buckets - 1),
            ("weights", tables.weights.len(), buckets),
        ] {
            if found != wanted {
                let nbits = self.nbits;
                return Err(Error::invalid(format!(
                    "{what} has {found} numbers: at nbits {nbits} it must have {wanted}"
                )));
            }
        }
        let usable = |v: &f32| v.abs() <= LARGEST;
        if let Some(at) = self.centroids.iter().position(|v| !usable(v)) {
            let (row, value) = (at / dim, self.centroids[at]);
            return Err(Error::invalid(format!(
                "row {row} of centroids has a component that is {value}"
            )));
        }
        for (what, values) in [("cutoffs", &tables.cutoffs), ("weights", &tables.weights)] {
            if let Some(at) = values.iter().position(|v| !usable(v)) {
                let value = values[at];
                return Err(Error::invalid(format!("{what}[{at}] is {value}")));
            }
        }
        if let Some(at) = tables.cutoffs.windows(2).position(|w| w[0] > w[1]) {
            let (a, b) = (tables.cutoffs[at], tables.cutoffs[at + 1]);
            return Err(Error::invalid(format!(
                "cutoffs[{at}] is {a} and cutoffs[{}] is {b}: they must ascend",
                at + 1
            )));
        }
        if self.centroid_type == CentroidType::Float32 {
            return Ok(());
        }
        let mut kept = self.centroids.clone();
        self.centroid_type.round(&mut kept);
        if let Some(at) = (0..kept.len()).find(|&i| kept[i] != self.centroids[i]) {
            return Err(Error::invalid(format!(
                "row {} of centroids has a component that is no float16",
                at / dim
            )));
        }
        Ok(())
    }
}
