//! Making an index as small as it can be: every kind of segment joined to one, without what was deleted.

use std::path::Path;
use std::sync::Arc;

use super::Index;
use crate::error::{Error, Result};
use crate::progress::{Progress, Stage};
use crate::storage::catalog::{Access, Catalog};

/// What compacting did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Size of the directory before, in bytes.
    pub bytes_before: u64,
    /// Size of the directory now. While readers still use the old files the disk has both.
    pub bytes_after: u64,
    /// Segments before.
    pub segments_before: u64,
    /// Segments now.
    pub segments_after: u64,
}

impl Index {
    /// Joins all segments, leaves out what was deleted, and gives its space back to the disk. Codes are copied, never made
    /// anew: no answer changes. Needs as much free disk as the index takes.
    ///
    /// # Errors
    /// As [`begin`](Self::begin) and [`commit`](super::write::Writer::commit); stopped while segments are joined, the
    /// index is as it was; stopped while the catalogue is made smaller, which comes last, only that is missing.
    pub fn compact(self: &Arc<Self>, progress: &mut Progress<'_>) -> Result<Compacted> {
        let bytes_before = self.directory_bytes()?;
        let segments_before = self.segment_count()?;
        let mut writer = self.begin()?;
        (writer.whole, writer.staged) = (true, true);
        writer.commit(progress)?;
        progress.report(Stage::Write, 0, 1)?;
        Catalog::open(&self.directory, Access::Write, self.lock_timeout)?.vacuum()?;
        progress.report(Stage::Write, 1, 1)?;
        Ok(Compacted {
            bytes_before,
            bytes_after: self.directory_bytes()?,
            segments_before,
            segments_after: self.segment_count()?,
        })
    }

    fn segment_count(&self) -> Result<u64> {
        self.read(|_, snapshot| Ok(snapshot.segments.len() as u64))
    }

    fn directory_bytes(&self) -> Result<u64> {
        let path: &Path = &self.directory;
        let mut sum = 0;
        for entry in std::fs::read_dir(path).map_err(Error::io(path))? {
            let entry = entry.map_err(Error::io(path))?;
            // A file may go while we look.
            sum += entry.metadata().map_or(0, |m| m.len());
        }
        Ok(sum)
    }
}
