//! Compressing token vectors: the nearest centroid and a residual of a few bits a dimension.

pub(crate) mod codebook;
pub(crate) mod encode;
pub(crate) mod grow;
pub mod pack;
pub mod parts;
pub mod table;

use crate::error::{Error, Result};

/// Which rule made the residual tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// ColBERTv2's: quantiles of held-out residuals.
    Plaid = 1,
    /// Ours: Lloyd-Max tables of the same residuals.
    Weft = 2,
}

impl Codec {
    /// The codec's name in settings and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plaid => "plaid",
            Self::Weft => "weft",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for any other name.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "plaid" => Ok(Self::Plaid),
            "weft" => Ok(Self::Weft),
            _ => Err(Error::invalid(format!(
                "codec '{name}' is unknown: use 'weft' or 'plaid'"
            ))),
        }
    }
}

/// How a codebook keeps its centroids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CentroidType {
    /// What we train, and what colbert-ai and fast-plaid write.
    #[default]
    Float16 = 0,
    /// For codebooks that were taken over from where they were never rounded (next-plaid): rounding them would move decoded vectors by 2e-4.
    Float32 = 1,
}

impl CentroidType {
    /// The type's name in messages, as numpy has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float16 => "float16",
            Self::Float32 => "float32",
        }
    }

    /// Bytes of a component.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Float16 => 2,
            Self::Float32 => 4,
        }
    }

    /// Makes values those that can be kept.
    pub(crate) fn round(self, values: &mut [f32]) {
        if self == Self::Float16 {
            let mut halves = vec![0; values.len()];
            weft_kernels::f32_to_f16(values, &mut halves);
            weft_kernels::f16_to_f32(&halves, values);
        }
    }
}

/// Refuses bit widths that do not divide eight.
pub(crate) fn check_nbits(nbits: u32) -> Result<()> {
    match nbits {
        1 | 2 | 4 | 8 => Ok(()),
        _ => Err(Error::invalid(format!(
            "nbits is {nbits}: use 1, 2, 4 or 8"
        ))),
    }
}

/// Refuses dimensions that the kernels do not have.
pub(crate) fn check_dim(dim: usize) -> Result<()> {
    if dim.is_multiple_of(8) && (8..=1024).contains(&dim) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "vectors have dimension {dim}: it must be a multiple of 8 from 8 to 1024"
    )))
}
