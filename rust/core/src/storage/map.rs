//! A read-only memory map: one of the three homes of `unsafe`, and the only one in this crate.

use std::fs::File;
use std::ops::Deref;
use std::path::Path;

use crate::error::{Error, Result};

/// The bytes of a write-once file.
///
/// The length is taken once, at opening. Index files are never written again after their commit, only
/// removed, which leaves an open map intact on Unix and fails harmlessly on Windows.
#[derive(Debug)]
pub(crate) struct Map {
    bytes: memmap2::Mmap,
}

impl Map {
    /// Maps the whole file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path))?;
        // SAFETY: a map is sound as long as nobody changes the file under it. Files of an index are
        // written under a name that no catalogue holds yet, synchronised, and never opened for writing
        // again (SPEC.md section 1); a foreign program that rewrites them in place breaks this, as
        // it would break any mapped database.
        let bytes = unsafe { memmap2::Mmap::map(&file) }.map_err(Error::io(path))?;
        Ok(Self { bytes })
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}
