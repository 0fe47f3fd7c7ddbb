//! Importing: a new index from vectors that are coded already, by colbert-ai, fast-plaid, next-plaid or another Weft.
//!
//! Nothing is quantised again. Centroids, cut-offs and weights become the codebook, codes are copied, and the bits of residuals move from
//! ColBERT's order to ours, so that decoded vectors are those of the library that made them. Postings and reciprocal norms are made anew
//! from the codes. The index comes to be in a directory beside its destination, which gets its name at the commit.

mod commit;
mod records;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use self::records::Records;
use super::build::NewFiles;
use super::options::DEFAULT_SEED;
use super::staging::Batch;
use super::write::NewDocument;
use super::{make_pool, random_uuid};
use crate::codec::parts::CodebookParts;
use crate::error::{Error, Result};
use crate::format::FORMAT_VERSION;
use crate::search::tuned::TunedSet;
use crate::segment::write::Passages;
use crate::storage::catalog::{Access, Catalog, Settings};
use crate::storage::unfinished::Unfinished;

/// Tokens between two writes and two reports.
const BATCH: usize = 1 << 16;
/// Tokens of a segment: an import in one piece would need 9 bytes of memory a token when its postings are made.
const SEGMENT_TOKENS: u64 = 1 << 27;
/// A new index in the making, from vectors that are coded already. Dropped without a commit it leaves nothing.
pub struct Importer {
    // The order matters: everything in the directory is closed before it is removed.
    catalog: Catalog,
    records: Records,
    files: NewFiles,
    parts: CodebookParts,
    centroids: usize,
    pool: Arc<rayon::ThreadPool>,
    next_docno: u32,
    encoder: Option<String>,
    /// Passages of every segment to be.
    segments: Vec<Passages>,
    segment_tokens: u64,
    added: u64,
    unfinished: Unfinished,
}

impl std::fmt::Debug for Importer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Importer")
            .field("unfinished", &self.unfinished)
            .field("added", &self.added)
            .finish_non_exhaustive()
    }
}

impl Importer {
    /// Begins an index at a path where nothing is yet; `threads` are all cores when absent.
    ///
    /// # Errors
    /// [`Error::NotAnIndex`] when something stands there, [`Error::InvalidInput`] for a codebook that cannot be used.
    pub fn create(path: &Path, parts: CodebookParts, threads: Option<usize>) -> Result<Self> {
        parts.check()?;
        if threads == Some(0) {
            return Err(Error::invalid(
                "threads is 0: use 1 or more, or leave it out for all cores",
            ));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let pool = make_pool(threads.unwrap_or(cores))?;
        let unfinished = Unfinished::create(path, "an import")?;
        let directory = unfinished.path();
        let settings = Settings {
            version: FORMAT_VERSION,
            uuid: random_uuid()?,
            nbits: parts.nbits,
            codec: parts.codec.name().into(),
            seed: DEFAULT_SEED,
            dim: None,
            encoder: None,
            generation: 0,
            next_docno: 0,
            next_file: 1,
            tuned: TunedSet::default(),
        };
        Catalog::create(directory, &settings)?;
        let mut catalog = Catalog::open(directory, Access::Write, Duration::ZERO)?;
        catalog.begin(Access::Write)?;
        Ok(Self {
            catalog,
            records: Records::create(directory, &parts)?,
            files: NewFiles {
                directory: directory.into(),
                version: settings.version,
                index: settings.uuid,
                next: settings.next_file,
                created: Vec::new(),
            },
            centroids: parts.centroids.len() / parts.dim,
            parts,
            pool,
            next_docno: 0,
            encoder: None,
            segments: Vec::new(),
            segment_tokens: SEGMENT_TOKENS,
            added: 0,
            unfinished,
        })
    }

    /// Refuses rows of residuals of another width than those of this codebook.
    ///
    /// # Errors
    /// [`Error::InvalidInput`].
    pub fn check_width(&self, width: usize) -> Result<()> {
        let (dim, nbits) = (self.parts.dim, self.parts.nbits);
        match self.records.row() {
            row if row == width => Ok(()),
            row => Err(Error::invalid(format!(
                "residuals has rows of {width} bytes: {dim} dimensions of {nbits} bits are {row}"
            ))),
        }
    }

    /// Stages documents with the codes of their tokens (`lengths` are the tokens of their passages, one number a passage) and their
    /// residuals, `dim * nbits / 8` bytes a token in ColBERT's bit order ([`pack_plaid`](crate::codec::pack::pack_plaid)). Returns the
    /// ids. An id that was given before is refused: an import must not lose a document.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] names what cannot be used; then nothing of the call was staged.
    pub fn add(
        &mut self,
        documents: &[NewDocument<'_>],
        lengths: &[usize],
        codes: &[u32],
        residuals: &[u8],
    ) -> Result<Vec<String>> {
        let row = self.records.row();
        let tokens: usize = lengths.iter().sum();
        if codes.len() != tokens {
            let n = codes.len();
            return Err(Error::invalid(format!(
                "codes has {n} entries, lengths add up to {tokens}"
            )));
        }
        if residuals.len() != tokens * row {
            let n = residuals.len();
            return Err(Error::invalid(format!(
                "residuals has {n} bytes: {tokens} tokens of {row} were expected"
            )));
        }
        let batch = Batch::examine(documents, lengths, self.next_docno)?;
        batch.refuse_known(&mut self.catalog)?;
        batch.passages(|what, tokens| {
            let known = |code: &u32| (*code as usize) < self.centroids;
            let Some(at) = codes[tokens.clone()].iter().position(|c| !known(c)) else {
                return Ok(());
            };
            let (code, k) = (codes[tokens.start + at], self.centroids);
            Err(Error::invalid(format!(
                "codes[{}], of token {at} of {}, is {code}: there are {k} centroids",
                tokens.start + at,
                what()
            )))
        })?;
        // Everything was checked; from here on only the disk can fail, which ends the import.
        for (codes, residuals) in codes.chunks(BATCH).zip(residuals.chunks(BATCH * row)) {
            let (records, parts) = (&mut self.records, &self.parts);
            self.pool
                .install(|| records.push(parts, codes, residuals))?;
        }
        let mut ids = Vec::with_capacity(documents.len());
        for (number, document) in documents.iter().enumerate() {
            let id = match document.id {
                Some(id) => id.to_owned(),
                None => self.catalog.make_id()?,
            };
            let (segments, most) = (&mut self.segments, self.segment_tokens);
            let (catalog, next) = (&mut self.catalog, &mut self.next_docno);
            batch.stage(number, &id, catalog, next, |docno, tokens| {
                match segments.last_mut() {
                    Some(last) if last.tokens() + tokens as u64 <= most => last.push(docno, tokens),
                    _ => {
                        segments.push(Passages::default());
                        segments
                            .last_mut()
                            .map_or(Ok(()), |s| s.push(docno, tokens))
                    }
                }
            })?;
            ids.push(id);
            self.added += 1;
        }
        Ok(ids)
    }

    /// Remembers the encoder that made the vectors: JSON with a `fingerprint`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a description without one.
    pub fn set_encoder(&mut self, description: &str) -> Result<()> {
        self.catalog.fingerprint(description)?;
        self.encoder = Some(description.to_owned());
        Ok(())
    }

    /// Leaves nothing. Dropping the importer does the same.
    pub fn abort(self) {
        drop(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::table::ResidualTables;
    use crate::codec::{CentroidType, Codec};
    use crate::{Index, OpenOptions, Progress, SearchParams};

    #[test]
    fn more_tokens_than_a_segment_holds_go_to_several() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("i");
        let parts = CodebookParts {
            dim: 8,
            nbits: 1,
            codec: Codec::Plaid,
            centroids: (0..64).map(|i| f32::from(u8::from(i % 9 == 0))).collect(),
            centroid_type: CentroidType::Float32,
            tables: ResidualTables {
                cutoffs: vec![0.0],
                weights: vec![-0.01, 0.01],
            },
        };
        let mut importer = Importer::create(&path, parts, Some(1)).unwrap();
        importer.segment_tokens = 100;
        let lengths = [30, 40, 50, 120, 1];
        let mut codes = Vec::new();
        for length in lengths {
            let documents = [NewDocument::default()];
            let made: Vec<u32> = (0..length).map(|i| (i + length) as u32 % 8).collect();
            let residuals = vec![0xAA; length];
            importer
                .add(&documents, &[length], &made, &residuals)
                .unwrap();
            codes.extend(made);
        }
        importer.commit(&mut Progress::none()).unwrap();
        let index = Arc::new(Index::open(&path, &OpenOptions::default()).unwrap());
        let tokens = |index: &Index| -> Vec<u64> {
            index
                .info()
                .unwrap()
                .segments
                .iter()
                .map(|s| s.tokens)
                .collect()
        };
        assert_eq!(tokens(&index), [70, 50, 120, 1]);
        assert_eq!(index.check().unwrap(), [""; 0]);
        let query = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let hits = index.search(&[&query], 8, &SearchParams::default(), &Default::default());
        assert_eq!(hits.unwrap()[0].len(), 5);
        let ids = index.ids(None, 9).unwrap();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        assert_eq!(index.codes(&ids).unwrap().codes, codes);
        index.compact(&mut Progress::none()).unwrap();
        assert_eq!(tokens(&index), [241]);
        assert_eq!(index.codes(&ids).unwrap().codes, codes);
        assert_eq!(index.check().unwrap(), [""; 0]);
    }
}
