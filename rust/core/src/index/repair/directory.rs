//! What the files of a directory say of themselves, where the catalogue has lost the tables that name them.

use std::path::Path;

use crate::codec::Codec;
use crate::codec::codebook::Codebook;
use crate::error::{Error, Result};
use crate::format::read::Container;
use crate::format::{FORMAT_VERSION, FileIdentity, FileKind, FileSeal};
use crate::index::options::{DEFAULT_NBITS, DEFAULT_SEED};
use crate::search::tuned::TunedSet;
use crate::segment::{DOCNOS, HEAD, HEAD_BYTES};
use crate::storage::catalog::{CodebookRow, SegmentRow, Settings};
use crate::storage::{codebook_path, segment_path};

/// Files of one index. There may be some among them that no commit has named.
#[derive(Default)]
pub(super) struct Directory {
    /// As far as files know them; none where no file is whole.
    pub(super) settings: Option<Settings>,
    pub(super) codebooks: Vec<CodebookRow>,
    pub(super) segments: Vec<SegmentRow>,
}

impl Directory {
    /// Looks at every file of the index with this identifier, or of the one that most files belong to.
    pub(super) fn look(directory: &Path, index: Option<[u8; 16]>) -> Result<Self> {
        let mut files: Vec<(FileIdentity, FileSeal)> = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(Error::io(directory))? {
            let path = entry.map_err(Error::io(directory))?.path();
            let Ok((identity, seal)) = Container::introduce(&path) else {
                continue;
            };
            let named = match identity.kind {
                FileKind::Codebook => codebook_path(directory, identity.number),
                FileKind::Segment => segment_path(directory, identity.number),
            };
            if named == path {
                files.push((identity, seal));
            }
        }
        let count = |index: &[u8; 16]| files.iter().filter(|(i, _)| i.index == *index).count();
        let most = files.iter().map(|(i, _)| i.index).max_by_key(count);
        let mut found = Self::default();
        let Some(uuid) = index.or(most) else {
            return Ok(found);
        };
        files.retain(|(identity, _)| identity.index == uuid);
        files.sort_unstable_by_key(|(identity, _)| identity.number);
        let mut settings = Settings {
            version: files.last().map_or(FORMAT_VERSION, |(i, _)| i.version),
            uuid,
            nbits: DEFAULT_NBITS,
            codec: Codec::Weft.name().into(),
            seed: DEFAULT_SEED,
            dim: None,
            encoder: None,
            generation: 0,
            next_docno: 0,
            next_file: files.last().map_or(1, |(i, _)| i.number + 1),
            tuned: TunedSet::default(),
        };
        for (identity, seal) in files {
            // What cannot be read is found missing later, by the documents that need it.
            let _damaged = match identity.kind {
                FileKind::Codebook => found.codebook(directory, &identity, seal, &mut settings),
                FileKind::Segment => found.segment(directory, &identity, seal, &mut settings),
            };
        }
        found.settings = settings.dim.map(|_| settings);
        Ok(found)
    }

    fn codebook(
        &mut self,
        directory: &Path,
        identity: &FileIdentity,
        seal: FileSeal,
        settings: &mut Settings,
    ) -> Result<()> {
        let number = identity.number;
        let codebook = Codebook::open(&codebook_path(directory, number), identity, &seal)?;
        settings.dim = Some(codebook.head.dim);
        settings.nbits = codebook.head.nbits;
        settings.codec = codebook.head.codec.name().into();
        self.codebooks.push(CodebookRow { number, seal });
        Ok(())
    }

    fn segment(
        &mut self,
        directory: &Path,
        identity: &FileIdentity,
        seal: FileSeal,
        settings: &mut Settings,
    ) -> Result<()> {
        let number = identity.number;
        let file = Container::salvage(&segment_path(directory, number), &seal)?;
        let head: &[u8] = file.section(HEAD)?.numbers(HEAD_BYTES)?;
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let passages = u64::from(word(16));
        let docnos: &[u32] = file.section(DOCNOS)?.numbers(passages as usize)?;
        let next = docnos.last().map_or(0, |d| d.saturating_add(1));
        settings.next_docno = settings.next_docno.max(next);
        settings.dim = settings.dim.or(Some(word(0) as usize));
        self.segments.push(SegmentRow {
            number,
            codebook: long(8),
            passages,
            tokens: long(24),
            seal,
        });
        Ok(())
    }
}
