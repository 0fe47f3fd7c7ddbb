//! Compressing token vectors: the nearest centroid and a residual of a few bits a dimension.

pub(crate) mod codebook;
pub(crate) mod encode;
pub(crate) mod grow;
pub mod pack;
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
