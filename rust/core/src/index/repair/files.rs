//! The files of a damaged index: those that the catalogue names, or, when it cannot say, those that lie there.

use std::collections::BTreeMap;
use std::path::Path;

use super::directory::Directory;
use crate::codec::codebook::Codebook;
use crate::error::{Error, Result};
use crate::format::{FileIdentity, FileKind};
use crate::segment::read::Segment;
use crate::storage::catalog::{Catalog, Settings};
use crate::storage::{codebook_path, segment_path};

/// Where a passage lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) docno: u32,
    /// Position among the segments.
    pub(super) segment: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What can be read of codebooks and segments.
#[derive(Default)]
pub(super) struct Files {
    /// By the number they began as.
    pub(super) codebooks: BTreeMap<u64, Codebook>,
    pub(super) segments: Vec<Segment>,
    /// Ascending docnos.
    places: Vec<Place>,
}

impl Files {
    pub(super) fn open(
        directory: &Path,
        catalog: &mut Catalog,
        settings: &Settings,
        damage: &mut Vec<String>,
    ) -> Result<Self> {
        let mut files = Self::default();
        let named = catalog
            .codebooks()
            .and_then(|c| Ok((c, catalog.segments()?)));
        let (codebooks, segments) = match named {
            Ok(rows) => rows,
            Err(error) => {
                damage.push(describe(error));
                damage.push("codebooks and segments are those that lie in the directory".into());
                let found = Directory::look(directory, Some(settings.uuid))?;
                (found.codebooks, found.segments)
            }
        };
        for row in codebooks {
            let identity = FileIdentity {
                version: settings.version,
                kind: FileKind::Codebook,
                number: row.number,
                index: settings.uuid,
            };
            let opened =
                Codebook::open(&codebook_path(directory, row.number), &identity, &row.seal);
            match opened.and_then(|codebook| codebook.verify().map(|()| codebook)) {
                Ok(codebook) => {
                    files.codebooks.insert(codebook.head.root, codebook);
                }
                Err(error) => damage.push(describe(error)),
            }
        }
        for row in segments {
            let path = segment_path(directory, row.number);
            let codebook = files.codebooks.get(&row.codebook);
            if row.codebook != 0 && codebook.is_none() {
                let (segment, codebook) = (row.number, row.codebook);
                damage.push(format!(
                    "segment {segment} is of no use without codebook {codebook}"
                ));
                continue;
            }
            let dim = match (codebook, settings.dim) {
                (Some(codebook), _) => codebook.head.dim,
                (None, Some(dim)) => dim,
                (None, None) => {
                    damage.push(format!("segment {} has no known dimension", row.number));
                    continue;
                }
            };
            match Segment::salvage(&path, &row, codebook, dim) {
                Ok(segment) => files.take(segment, &path, damage)?,
                Err(error) => damage.push(describe(error)),
            }
        }
        files.places.sort_unstable_by_key(|p| (p.docno, p.segment));
        files.places.dedup_by_key(|p| p.docno);
        Ok(files)
    }

    fn take(&mut self, segment: Segment, path: &Path, damage: &mut Vec<String>) -> Result<()> {
        let number = self.segments.len() as u32;
        let places = &mut self.places;
        let unknown = segment.passages_left(|docno, start, end| {
            places.push(Place {
                docno,
                segment: number,
                start,
                end,
            });
        })?;
        if unknown > 0 {
            damage.push(format!(
                "'{}' no longer says which {unknown} of its passages are",
                path.display()
            ));
        }
        self.segments.push(segment);
        Ok(())
    }

    /// Where a passage lies, if a readable segment has it.
    pub(super) fn place(&self, docno: u32) -> Option<Place> {
        let at = self.places.binary_search_by_key(&docno, |p| p.docno);
        at.ok().map(|at| self.places[at])
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }
}

/// An error in the words of a report: the advice to repair is left out of them.
pub(super) fn describe(error: Error) -> String {
    match error {
        Error::Corrupt {
            path,
            section,
            detail,
        } => format!("'{}' is damaged in {section}: {detail}", path.display()),
        Error::Io { path, source } if source.kind() == std::io::ErrorKind::NotFound => {
            format!("'{}' is missing", path.display())
        }
        other => other.to_string(),
    }
}
