//! How an index is opened, and the defaults of a new one.

use std::time::Duration;

use crate::codec::{Codec, check_nbits};
use crate::error::Result;

/// Bits a residual component takes.
pub const DEFAULT_NBITS: u32 = 2;
/// Seed of sampling and clustering.
pub const DEFAULT_SEED: u64 = 42;

/// Tokens from which a codebook is trained; smaller indexes keep float16 and are searched exactly. Here a scan costs about as much
/// as a staged search of a coded index, and there are 16 tokens a centroid.
pub const DEFAULT_TRAIN_TOKENS: u64 = 1 << 16;

/// How to open an index. Codec settings belong to a new index; on an existing one they must agree with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Create the index if there is none.
    pub create: bool,
    /// Refuse every change.
    pub read_only: bool,
    /// 1, 2, 4 or 8 bits a residual component; [`DEFAULT_NBITS`] when absent.
    pub nbits: Option<u32>,
    /// The rule of the residual tables; [`Codec::Weft`] when absent.
    pub codec: Option<Codec>,
    /// Seed of sampling and clustering; [`DEFAULT_SEED`] when absent.
    pub seed: Option<u64>,
    /// Tokens from which a commit trains the first codebook; [`DEFAULT_TRAIN_TOKENS`] when absent. Not remembered.
    pub train_tokens: Option<u64>,
    /// Threads for building and searching; all cores when absent.
    pub threads: Option<usize>,
    /// How long to wait for another writer.
    pub lock_timeout: Duration,
}

impl OpenOptions {
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(nbits) = self.nbits {
            check_nbits(nbits)?;
        }
        if self.threads == Some(0) {
            return Err(crate::Error::invalid(
                "threads is 0: use 1 or more, or leave it out for all cores",
            ));
        }
        Ok(())
    }
}
