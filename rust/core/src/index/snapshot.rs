//! One committed state of an index: its segments, codebooks and deletions.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::bitmap::Bitmap;
use crate::codec::codebook::Codebook;
use crate::error::{Error, Result};
use crate::format::{FileIdentity, FileKind};
use crate::search::tuned::TunedSet;
use crate::segment::read::Segment;
use crate::storage::catalog::Catalog;
use crate::storage::{codebook_path, segment_path};

/// What a search sees from its beginning to its end.
pub(crate) struct Snapshot {
    pub(crate) generation: u64,
    pub(crate) uuid: [u8; 16],
    pub(crate) dim: Option<usize>,
    /// By the number they began as, which is what segments name.
    pub(crate) codebooks: BTreeMap<u64, Arc<Codebook>>,
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) deleted: Arc<Bitmap>,
    /// Search parameters that were measured on this index.
    pub(crate) tuned: TunedSet,
}

impl Snapshot {
    /// Loads the state of the catalogue's transaction. Files that `previous` has open are not opened again, and only newer deletions
    /// are read, so that following a small commit costs little.
    pub(crate) fn load(
        directory: &Path,
        catalog: &mut Catalog,
        previous: Option<&Self>,
    ) -> Result<Self> {
        let settings = catalog.settings()?;
        let previous =
            previous.filter(|p| p.uuid == settings.uuid && p.generation <= settings.generation);
        let mut codebooks = BTreeMap::new();
        for row in catalog.codebooks()? {
            let mut open = previous.into_iter().flat_map(|p| p.codebooks.values());
            let known = open.find(|c| c.number == row.number);
            let codebook = match known {
                Some(codebook) => Arc::clone(codebook),
                None => {
                    let identity = FileIdentity {
                        version: settings.version,
                        kind: FileKind::Codebook,
                        number: row.number,
                        index: settings.uuid,
                    };
                    Arc::new(Codebook::open(
                        &codebook_path(directory, row.number),
                        &identity,
                        &row.seal,
                    )?)
                }
            };
            codebooks.insert(codebook.head.root, codebook);
        }
        let mut segments = Vec::new();
        for row in catalog.segments()? {
            let known = previous.and_then(|p| p.segments.iter().find(|s| s.number == row.number));
            let segment = match known {
                Some(segment) => Arc::clone(segment),
                None => {
                    let path = segment_path(directory, row.number);
                    let identity = FileIdentity {
                        version: settings.version,
                        kind: FileKind::Segment,
                        number: row.number,
                        index: settings.uuid,
                    };
                    let codebook = match row.codebook {
                        0 => None,
                        number => Some(&**codebooks.get(&number).ok_or_else(|| {
                            let detail = format!(
                                "segment {} needs codebook {number}, which is missing",
                                row.number
                            );
                            Error::corrupt(catalog.path(), "table segments", detail)
                        })?),
                    };
                    Arc::new(Segment::open(&path, &identity, &row, codebook)?)
                }
            };
            if settings.dim != Some(segment.dim) {
                let detail = format!(
                    "dimension {}, the catalogue says {:?}",
                    segment.dim, settings.dim
                );
                return Err(Error::corrupt(
                    &segment_path(directory, row.number),
                    "the head",
                    detail,
                ));
            }
            segments.push(segment);
        }
        let mut deleted = previous.map_or_else(Bitmap::default, |p| (*p.deleted).clone());
        for docno in catalog.deletions_since(previous.map(|p| p.generation))? {
            // Docnos are below `next_docno`; a greater one would make the bitmap as large as a damaged row says.
            if docno >= settings.next_docno {
                return Err(Error::corrupt(
                    catalog.path(),
                    "table deletions",
                    format!("docno {docno} was never given"),
                ));
            }
            deleted.insert(docno);
        }
        Ok(Self {
            generation: settings.generation,
            uuid: settings.uuid,
            dim: settings.dim,
            codebooks,
            segments,
            deleted: Arc::new(deleted),
            tuned: settings.tuned,
        })
    }
}
