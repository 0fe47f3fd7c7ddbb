//! What a write in progress was given (float16 vectors, coded tokens), on disk, so that a build needs memory for a batch and not for the
//! collection.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::map::Map;
use crate::error::{Error, Result};

/// A scratch file of items of one size; removed when dropped.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    out: Option<BufWriter<File>>,
    map: Option<Map>,
    bytes: u64,
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
            bytes: 0,
        })
    }

    pub(crate) fn push<T: bytemuck::NoUninit>(&mut self, items: &[T]) -> Result<()> {
        let out = self.out.as_mut().expect("the spool is still being written");
        out.write_all(bytemuck::cast_slice(items))
            .map_err(Error::io(&self.path))?;
        self.bytes += size_of_val(items) as u64;
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
        if self.bytes > 0 && self.map.is_none() {
            let map = Map::open(&self.path)?;
            if map.len() as u64 != self.bytes {
                let detail = format!("{} bytes, {} were written", map.len(), self.bytes);
                return Err(Error::corrupt(&self.path, "the spool", detail));
            }
            self.map = Some(map);
        }
        Ok(())
    }

    /// Items `start..end`, after [`seal`](Self::seal).
    pub(crate) fn items<T: bytemuck::AnyBitPattern>(&self, start: usize, end: usize) -> &[T] {
        match &self.map {
            Some(map) => bytemuck::cast_slice(&map[start * size_of::<T>()..end * size_of::<T>()]),
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
