//! Exporting: the codebook and the codes of documents, as the libraries around ColBERT have them.

use std::cell::OnceCell;
use std::sync::Arc;

use weft_kernels::row_bytes;

use super::Index;
use super::snapshot::Snapshot;
use crate::codec::codebook::Codebook;
use crate::codec::encode::{Coded, VectorCoder};
use crate::codec::pack::planes_to_plaid;
use crate::codec::parts::CodebookParts;
use crate::error::{Error, Result};
use crate::search::interaction::range;
use crate::segment::SegmentKind;
use crate::segment::read::Segment;
use crate::storage::catalog::Catalog;

/// Coded documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentCodes {
    /// For every document the tokens of each of its passages.
    pub lengths: Vec<Vec<u32>>,
    /// Centroids of all tokens.
    pub codes: Vec<u32>,
    /// `[tokens][dim * nbits / 8]`, in ColBERT's bit order ([`pack_plaid`](crate::codec::pack::pack_plaid)).
    pub residuals: Vec<u8>,
}

impl Snapshot {
    /// The codebook that new tokens are coded with.
    pub(crate) fn codebook(&self) -> Option<&Arc<Codebook>> {
        self.codebooks.values().next_back()
    }

    /// The segment of a passage of the catalogue, and the position there.
    pub(crate) fn place(&self, catalog: &Catalog, docno: u32) -> Result<(&Segment, u32)> {
        for segment in &self.segments {
            if let Ok(position) = segment.docnos()?.binary_search(&docno) {
                return Ok((segment, position as u32));
            }
        }
        let detail = format!("passage {docno} stands in no segment");
        Err(Error::corrupt(catalog.path(), "table passages", detail))
    }
}

impl Index {
    /// The codebook of the index; none while all its vectors are float16.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn codebook(&self) -> Result<Option<CodebookParts>> {
        self.read(|_, snapshot| snapshot.codebook().map(|c| c.parts()).transpose())
    }

    /// The codes of documents in the order of their ids. Passages that are still float16 are coded with the codebook of the index, which has
    /// to be read for that: ask for many at once.
    ///
    /// # Errors
    /// [`Error::DocumentNotFound`] names an id that is not there, [`Error::InvalidInput`] says that there is no codebook yet.
    pub fn codes(&self, ids: &[&str]) -> Result<DocumentCodes> {
        let pool = self.pool()?;
        self.read(|catalog, snapshot| {
            let codebook = snapshot.codebook().ok_or_else(|| {
                Error::invalid(format!(
                    "'{}' has no codebook: it is so small that its vectors are kept as float16, and there are no codes",
                    self.path().display()
                ))
            })?;
            let (dim, nbits) = (codebook.head.dim, codebook.head.nbits);
            let coder = OnceCell::new();
            let mut out = DocumentCodes::default();
            let mut coded = Coded::default();
            for id in ids {
                (self.interrupt)()?;
                let row = catalog.document_by_id(id)?;
                let row = row.ok_or_else(|| Error::DocumentNotFound {
                    id: (*id).into(),
                    path: self.path().into(),
                })?;
                let mut lengths = Vec::with_capacity(row.passages as usize);
                for passage in catalog.passages_of(row.document)? {
                    let (segment, position) = snapshot.place(catalog, passage.docno)?;
                    let (start, end) = range(segment.ends()?, position);
                    coded.clear();
                    match segment.kind {
                        SegmentKind::Coded if segment.codebook == codebook.head.root => {
                            segment.codes(start, end, &mut coded.codes)?;
                            let residuals = segment.residuals(start, end)?;
                            coded.residuals.extend_from_slice(residuals);
                        }
                        SegmentKind::Coded => {
                            return Err(Error::invalid(format!(
                                "'{}' has several codebooks: document {id:?} was coded with another than the newest",
                                self.path().display()
                            )));
                        }
                        SegmentKind::Float => {
                            let coder: &VectorCoder<'_> = match coder.get() {
                                Some(coder) => coder,
                                None => {
                                    let fresh = pool.install(|| VectorCoder::new(codebook))?;
                                    coder.get_or_init(|| fresh)
                                }
                            };
                            let halves = segment.vectors(start, end)?;
                            pool.install(|| coder.code(halves, &mut coded));
                        }
                    }
                    let at = out.residuals.len();
                    out.residuals
                        .resize(at + (end - start) * row_bytes(dim, nbits), 0);
                    planes_to_plaid(&coded.residuals, nbits, dim, &mut out.residuals[at..]);
                    out.codes.extend_from_slice(&coded.codes);
                    lengths.push((end - start) as u32);
                }
                out.lengths.push(lengths);
            }
            Ok(out)
        })
    }
}
