//! Reading a container: nothing is believed before its checksum was right.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{
    ALIGN, BLOCK, END_MAGIC, ENTRY, FORMAT_VERSION, FileIdentity, FileKind, FileSeal, HEADER,
    MAGIC, SMALL, TRAILER, header_bytes, is_known,
};
use crate::error::{Error, Result};
use crate::format::write::ContainerWriter;
use crate::storage::map::Map;

struct Entry {
    name: u32,
    offset: usize,
    length: usize,
    first_block: usize,
}

/// A mapped file whose frame has been checked.
pub(crate) struct Container {
    path: PathBuf,
    map: Map,
    entries: Vec<Entry>,
    /// Where the array of block checksums begins.
    checksums_at: usize,
    footer_at: usize,
    /// One bit a block: already found right.
    verified: Vec<AtomicU64>,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut out = [0_u8; 4];
    out.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(out)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut out = [0_u8; 8];
    out.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(out)
}

/// Whether bytes have a checksum. A fuzzer could not get past this, so it need not.
fn matches(bytes: &[u8], checksum: u32) -> bool {
    cfg!(fuzzing) || crc32fast::hash(bytes) == checksum
}

impl Container {
    /// Opens a file and checks everything but the content of the sections of a large one.
    pub(crate) fn open(path: &Path, identity: &FileIdentity, seal: &FileSeal) -> Result<Self> {
        let bad = |section: &str, detail: String| Error::corrupt(path, section, detail);
        let map = Self::map(path, seal)?;
        let header = &map[..HEADER];
        if header[..8] != MAGIC {
            return Err(bad(
                "header",
                "the first bytes are not those of a weft file".into(),
            ));
        }
        if !matches(&header[..60], u32_at(header, 60)) {
            return Err(bad("header", "wrong checksum".into()));
        }
        let version = u32_at(header, 8);
        if !is_known(version) {
            return Err(Error::Incompatible {
                path: path.into(),
                found: version,
                supported: FORMAT_VERSION,
            });
        }
        if header[..60] != header_bytes(identity)[..60] {
            return Err(bad(
                "header",
                "the file belongs to another index or version, or is another file of it".into(),
            ));
        }
        let file = Self::frame(path, map, seal)?;
        if file.map.len() <= SMALL {
            file.verify()?;
        }
        Ok(file)
    }

    /// Opens what may be damaged: everything can be asked for whose checksum can be found. The header is not needed for that, since the
    /// trailer is the one that the catalogue names.
    pub(crate) fn salvage(path: &Path, seal: &FileSeal) -> Result<Self> {
        Self::frame(path, Self::map(path, seal)?, seal)
    }

    /// What a file says of itself, for when the catalogue does not say it.
    pub(crate) fn introduce(path: &Path) -> Result<(FileIdentity, FileSeal)> {
        let map = Map::open(path)?;
        let damaged = |section: &str| Err(Error::corrupt(path, section, "wrong checksum"));
        if map.len() < HEADER + TRAILER {
            return damaged("length");
        }
        let (header, trailer) = (&map[..HEADER], &map[map.len() - TRAILER..]);
        let kind = match u32_at(header, 12) {
            1 => FileKind::Codebook,
            _ => FileKind::Segment,
        };
        let mut identity = FileIdentity {
            version: u32_at(header, 8),
            kind,
            number: u64_at(header, 16),
            index: [0; 16],
        };
        identity.index.copy_from_slice(&header[24..40]);
        if *header != header_bytes(&identity) || !is_known(identity.version) {
            return damaged("header");
        }
        if !matches(&trailer[..52], u32_at(trailer, 52)) {
            return damaged("trailer");
        }
        let seal = FileSeal {
            bytes: map.len() as u64,
            checksum: crc32fast::hash(trailer),
        };
        Ok((identity, seal))
    }

    fn map(path: &Path, seal: &FileSeal) -> Result<Map> {
        let bad = |section: &str, detail: String| Error::corrupt(path, section, detail);
        let map = Map::open(path)?;
        if map.len() as u64 != seal.bytes {
            return Err(bad(
                "length",
                format!("{} bytes, the catalogue says {}", map.len(), seal.bytes),
            ));
        }
        if map.len() < HEADER + TRAILER {
            return Err(bad(
                "length",
                format!("{} bytes are too few for a header and a trailer", map.len()),
            ));
        }
        Ok(map)
    }

    /// Reads the trailer and the section table.
    fn frame(path: &Path, map: Map, seal: &FileSeal) -> Result<Self> {
        let bad = |section: &str, detail: String| Error::corrupt(path, section, detail);
        let trailer = &map[map.len() - TRAILER..];
        if !matches(trailer, seal.checksum)
            || trailer[56..] != END_MAGIC
            || !matches(&trailer[..52], u32_at(trailer, 52))
            || u64_at(trailer, 8) != map.len() as u64
        {
            return Err(bad("trailer", "wrong checksum".into()));
        }
        let (sections, blocks) = (u32_at(trailer, 16) as usize, u32_at(trailer, 20) as usize);
        let checksum = u32_at(trailer, 24);
        let end = (map.len() - TRAILER) as u64;
        let footer_at = u64_at(trailer, 0);
        let length = (sections as u64) * ENTRY as u64 + blocks as u64 * 4;
        let footer_end = footer_at.checked_add(length);
        if !footer_at.is_multiple_of(ALIGN)
            || footer_at < HEADER as u64
            || footer_end.is_none_or(|e| e > end || end - e >= ALIGN)
        {
            return Err(bad(
                "trailer",
                format!("the footer at {footer_at} does not fit the file"),
            ));
        }
        let footer_at = footer_at as usize;
        let footer = &map[footer_at..footer_at + length as usize];
        if !matches(footer, checksum) {
            return Err(bad("footer", "wrong checksum".into()));
        }
        let mut entries = Vec::with_capacity(sections);
        let (mut at, mut block) = (HEADER, 0_usize);
        for i in 0..sections {
            let raw = &footer[i * ENTRY..(i + 1) * ENTRY];
            let (offset, length) = (u64_at(raw, 8), u64_at(raw, 16));
            let (first_block, count) = (u32_at(raw, 24) as usize, u32_at(raw, 28) as usize);
            let start = at.next_multiple_of(ALIGN as usize);
            let fits = offset == start as u64
                && offset
                    .checked_add(length)
                    .is_some_and(|e| e <= footer_at as u64)
                && first_block == block
                && count as u64 == length.div_ceil(BLOCK as u64)
                && u32_at(raw, 4) == 0;
            if !fits {
                return Err(bad(
                    "section table",
                    format!("entry {i} does not fit the file"),
                ));
            }
            entries.push(Entry {
                name: u32_at(raw, 0),
                offset: start,
                length: length as usize,
                first_block,
            });
            at = start + length as usize;
            block += count;
        }
        if block != blocks || at.next_multiple_of(ALIGN as usize) != footer_at {
            return Err(bad(
                "section table",
                "the sections do not fill the file".into(),
            ));
        }
        let verified = (0..blocks.div_ceil(64))
            .map(|_| AtomicU64::new(0))
            .collect();
        let checksums_at = footer_at + sections * ENTRY;
        Ok(Self {
            path: path.to_owned(),
            map,
            entries,
            checksums_at,
            footer_at,
            verified,
        })
    }

    /// Writes all sections to a file of another index.
    pub(crate) fn copy(&self, path: &Path, identity: &FileIdentity) -> Result<FileSeal> {
        let mut out = ContainerWriter::create(path, identity)?;
        for entry in &self.entries {
            out.section(entry.name, Section { file: self, entry }.all()?)?;
        }
        out.finish()
    }

    /// Checks every byte: all blocks, and that the gaps are zero.
    pub(crate) fn verify(&self) -> Result<()> {
        let mut at = HEADER;
        for entry in &self.entries {
            self.zero(at, entry.offset)?;
            Section { file: self, entry }.all()?;
            at = entry.offset + entry.length;
        }
        self.zero(at, self.footer_at)?;
        let blocks: usize = self.entries.iter().map(|e| e.length.div_ceil(BLOCK)).sum();
        self.zero(self.checksums_at + blocks * 4, self.map.len() - TRAILER)
    }

    fn zero(&self, start: usize, end: usize) -> Result<()> {
        match self.map[start..end].iter().all(|&b| b == 0) {
            true => Ok(()),
            false => Err(Error::corrupt(
                &self.path,
                "a gap between sections",
                format!("bytes {start} to {end} are not zero"),
            )),
        }
    }

    /// The section of this name.
    pub(crate) fn section(&self, name: u32) -> Result<Section<'_>> {
        match self.entries.iter().find(|e| e.name == name) {
            Some(entry) => Ok(Section { file: self, entry }),
            None => Err(Error::corrupt(
                &self.path,
                format!("section {name}"),
                "the section is missing",
            )),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    fn check_blocks(&self, entry: &Entry, first: usize, last: usize) -> Result<()> {
        for block in first..=last {
            let index = entry.first_block + block;
            let (word, bit) = (&self.verified[index / 64], 1_u64 << (index % 64));
            if word.load(Ordering::Relaxed) & bit != 0 {
                continue;
            }
            let start = entry.offset + block * BLOCK;
            let end = (start + BLOCK).min(entry.offset + entry.length);
            let checksum = u32_at(&self.map, self.checksums_at + index * 4);
            if !matches(&self.map[start..end], checksum) {
                return Err(Error::corrupt(
                    &self.path,
                    format!("section {}", entry.name),
                    format!("wrong checksum of bytes {start} to {end}"),
                ));
            }
            // Relaxed: the bytes are immutable, so a thread that misses the bit only checks once more.
            word.fetch_or(bit, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// One section; its bytes are checked as they are asked for.
#[derive(Clone, Copy)]
pub(crate) struct Section<'a> {
    file: &'a Container,
    entry: &'a Entry,
}

impl<'a> Section<'a> {
    pub(crate) fn len(&self) -> usize {
        self.entry.length
    }

    /// Bytes `start..end` of the section.
    pub(crate) fn get(&self, start: usize, end: usize) -> Result<&'a [u8]> {
        if start > end || end > self.entry.length {
            let detail = format!(
                "bytes {start} to {end} of {} were asked for",
                self.entry.length
            );
            return Err(Error::corrupt(
                &self.file.path,
                format!("section {}", self.entry.name),
                detail,
            ));
        }
        if start < end {
            self.file
                .check_blocks(self.entry, start / BLOCK, (end - 1) / BLOCK)?;
        }
        Ok(&self.file.map[self.entry.offset + start..self.entry.offset + end])
    }

    /// All of it.
    pub(crate) fn all(&self) -> Result<&'a [u8]> {
        self.get(0, self.len())
    }

    /// All of it as numbers, with the expected count checked.
    pub(crate) fn numbers<T: bytemuck::Pod>(&self, count: usize) -> Result<&'a [T]> {
        let wanted = count.checked_mul(size_of::<T>());
        if wanted != Some(self.len()) {
            let detail = format!(
                "{} bytes, {count} numbers of {} were expected",
                self.len(),
                size_of::<T>()
            );
            return Err(Error::corrupt(
                &self.file.path,
                format!("section {}", self.entry.name),
                detail,
            ));
        }
        self.cast(self.all()?)
    }

    /// A part of it as numbers `start..end`.
    pub(crate) fn some<T: bytemuck::Pod>(&self, start: usize, end: usize) -> Result<&'a [T]> {
        let size = size_of::<T>();
        self.cast(self.get(start.saturating_mul(size), end.saturating_mul(size))?)
    }

    fn cast<T: bytemuck::Pod>(&self, bytes: &'a [u8]) -> Result<&'a [T]> {
        bytemuck::try_cast_slice(bytes).map_err(|e| {
            Error::corrupt(
                &self.file.path,
                format!("section {}", self.entry.name),
                format!("misplaced numbers: {e}"),
            )
        })
    }
}

#[cfg(target_endian = "big")]
compile_error!(
    "index files are little-endian and read in place: big-endian machines need a converting reader"
);
