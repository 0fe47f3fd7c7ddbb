//! Writing a container: sections are streamed one after the other, checksums gathered on the way.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{
    ALIGN, BLOCK, END_MAGIC, ENTRY, FileIdentity, FileSeal, HEADER, TRAILER, header_bytes,
};
use crate::error::{Error, Result};

struct Entry {
    name: u32,
    offset: u64,
    length: u64,
    first_block: u32,
}

/// Streams a new file. It must not exist; until [`finish`](Self::finish) it has no footer and no reader accepts it.
pub(crate) struct ContainerWriter {
    path: PathBuf,
    out: BufWriter<File>,
    at: u64,
    entries: Vec<Entry>,
    blocks: Vec<u32>,
    hasher: crc32fast::Hasher,
    in_block: usize,
}

impl ContainerWriter {
    pub(crate) fn create(path: &Path, identity: &FileIdentity) -> Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(Error::io(path))?;
        let mut writer = Self {
            path: path.to_owned(),
            out: BufWriter::with_capacity(1 << 20, file),
            at: 0,
            entries: Vec::new(),
            blocks: Vec::new(),
            hasher: crc32fast::Hasher::new(),
            in_block: 0,
        };
        writer.put(&header_bytes(identity))?;
        debug_assert_eq!(writer.at as usize, HEADER);
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(Error::io(&self.path))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn align(&mut self) -> Result<()> {
        let gap = (ALIGN - self.at % ALIGN) % ALIGN;
        self.put(&[0_u8; ALIGN as usize][..gap as usize])
    }

    /// Starts a section; the one before must have been ended.
    pub(crate) fn begin(&mut self, name: u32) -> Result<()> {
        self.align()?;
        let first_block = self.blocks.len() as u32;
        self.entries.push(Entry {
            name,
            offset: self.at,
            length: 0,
            first_block,
        });
        Ok(())
    }

    /// Appends to the section that was begun last.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        let entry = self.entries.last_mut().expect("a section was begun");
        entry.length += bytes.len() as u64;
        self.put(bytes)?;
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK - self.in_block));
            self.hasher.update(now);
            self.in_block += now.len();
            if self.in_block == BLOCK {
                self.close_block();
            }
            bytes = rest;
        }
        Ok(())
    }

    fn close_block(&mut self) {
        self.blocks
            .push(std::mem::take(&mut self.hasher).finalize());
        self.in_block = 0;
    }

    /// Ends the section.
    pub(crate) fn end(&mut self) -> Result<()> {
        if self.in_block > 0 {
            self.close_block();
        }
        Ok(())
    }

    /// A whole section at once.
    pub(crate) fn section(&mut self, name: u32, bytes: &[u8]) -> Result<()> {
        self.begin(name)?;
        self.write(bytes)?;
        self.end()
    }

    /// Writes footer and trailer and makes the bytes durable. The name becomes durable when the caller
    /// synchronises the directory.
    pub(crate) fn finish(mut self) -> Result<FileSeal> {
        self.align()?;
        let footer_at = self.at;
        let mut footer = Vec::with_capacity(self.entries.len() * ENTRY + self.blocks.len() * 4);
        for (i, entry) in self.entries.iter().enumerate() {
            let next = self
                .entries
                .get(i + 1)
                .map_or(self.blocks.len() as u32, |e| e.first_block);
            footer.extend_from_slice(&entry.name.to_le_bytes());
            footer.extend_from_slice(&0_u32.to_le_bytes());
            footer.extend_from_slice(&entry.offset.to_le_bytes());
            footer.extend_from_slice(&entry.length.to_le_bytes());
            footer.extend_from_slice(&entry.first_block.to_le_bytes());
            footer.extend_from_slice(&(next - entry.first_block).to_le_bytes());
        }
        for crc in &self.blocks {
            footer.extend_from_slice(&crc.to_le_bytes());
        }
        self.put(&footer)?;
        self.align()?;
        let bytes = self.at + TRAILER as u64;
        let mut trailer = [0_u8; TRAILER];
        trailer[0..8].copy_from_slice(&footer_at.to_le_bytes());
        trailer[8..16].copy_from_slice(&bytes.to_le_bytes());
        trailer[16..20].copy_from_slice(&(self.entries.len() as u32).to_le_bytes());
        trailer[20..24].copy_from_slice(&(self.blocks.len() as u32).to_le_bytes());
        trailer[24..28].copy_from_slice(&crc32fast::hash(&footer).to_le_bytes());
        let crc = crc32fast::hash(&trailer[..52]);
        trailer[52..56].copy_from_slice(&crc.to_le_bytes());
        trailer[56..64].copy_from_slice(&END_MAGIC);
        self.put(&trailer)?;
        let file = self.out.into_inner().map_err(|e| Error::Io {
            path: self.path.clone(),
            source: e.into_error(),
        })?;
        file.sync_all().map_err(Error::io(&self.path))?;
        Ok(FileSeal {
            bytes,
            checksum: crc32fast::hash(&trailer),
        })
    }
}
