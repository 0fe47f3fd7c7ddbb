//! Vectors of a write in progress, on disk as float16, so that a build needs memory for a batch and not for the collection.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::map::Map;
use crate::error::{Error, Result};

/// A scratch file of f16 rows; removed when dropped.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    out: Option<BufWriter<File>>,
    map: Option<Map>,
    values: u64,
}

impl Spool {
    /// Creates one in the index directory: a full disk is then found while nothing is committed.
    pub(crate) fn create(directory: &Path) -> Result<Self> {
        let path = directory.join(format!("spool-{}.tmp", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(Error::io(&path))?;
        Ok(Self {
            path,
            out: Some(BufWriter::with_capacity(1 << 20, file)),
            map: None,
            values: 0,
        })
    }

    pub(crate) fn push(&mut self, halves: &[u16]) -> Result<()> {
        let out = self.out.as_mut().expect("the spool is still being written");
        out.write_all(bytemuck::cast_slice(halves))
            .map_err(Error::io(&self.path))?;
        self.values += halves.len() as u64;
        Ok(())
    }

    /// Ends writing; rows can be read from here on.
    pub(crate) fn seal(&mut self) -> Result<()> {
        if let Some(out) = self.out.take() {
            out.into_inner().map_err(|e| Error::Io {
                path: self.path.clone(),
                source: e.into_error(),
            })?;
        }
        if self.values > 0 && self.map.is_none() {
            let map = Map::open(&self.path)?;
            if map.len() as u64 != self.values * 2 {
                let detail = format!("{} bytes, {} were written", map.len(), self.values * 2);
                return Err(Error::corrupt(&self.path, "the spool", detail));
            }
            self.map = Some(map);
        }
        Ok(())
    }

    /// Values `start..end`, after [`seal`](Self::seal).
    pub(crate) fn values(&self, start: usize, end: usize) -> &[u16] {
        match &self.map {
            Some(map) => bytemuck::cast_slice(&map[start * 2..end * 2]),
            None => &[],
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.out = None;
        self.map = None;
        // A spool that cannot be removed is swept by the next writer.
        let _swept_later = std::fs::remove_file(&self.path);
    }
}
