//! Importing: a new index from vectors that are coded already, by colbert-ai, fast-plaid, next-plaid or another Weft.
//!
//! Nothing is quantised again. Centroids, cut-offs and weights become the codebook, codes are copied, and the bits of residuals move from
//! ColBERT's order to ours, so that decoded vectors are those of the library that made them. Postings and reciprocal norms are made anew
//! from the codes. The index comes to be in a directory beside its destination, which gets its name at the commit.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;
use weft_kernels::row_bytes;

use super::build::NewFiles;
use super::options::DEFAULT_SEED;
use super::staging::Batch;
use super::write::{Committed, NewDocument};
use super::{make_pool, random_uuid};
use crate::cluster::kmeans::{norm, regroup};
use crate::codec::codebook::{CodebookHead, Trained, line, reach, reciprocal};
use crate::codec::encode::Coded;
use crate::codec::pack::{plaid_to_planes, unpack_plaid};
use crate::codec::parts::CodebookParts;
use crate::error::{Error, Result};
use crate::format::{FORMAT_VERSION, FileKind, FileSeal};
use crate::progress::{Progress, Reporter, Stage};
use crate::segment::write::{CodedWriter, Passages};
use crate::storage::catalog::{Access, Catalog, CodebookRow, SegmentRow, Settings};
use crate::storage::spool::Spool;
use crate::storage::sync_directory;
use crate::storage::unfinished::Unfinished;

/// Tokens between two writes and two reports.
const BATCH: usize = 1 << 16;
/// Tokens a task converts.
const TASK: usize = 1024;
/// Tokens of a segment: an import in one piece would need 9 bytes of memory a token when its postings are made.
const SEGMENT_TOKENS: u64 = 1 << 27;
/// Bytes of a spooled token before its residual: code and reciprocal norm.
const RECORD_HEAD: usize = 8;

/// A new index in the making, from vectors that are coded already. Dropped without a commit it leaves nothing.
pub struct Importer {
    // The order matters: everything in the directory is closed before it is removed.
    catalog: Catalog,
    spool: Spool,
    files: NewFiles,
    parts: CodebookParts,
    centroids: usize,
    pool: Arc<rayon::ThreadPool>,
    next_docno: u32,
    encoder: Option<String>,
    /// Passages of every segment to be.
    segments: Vec<Passages>,
    segment_tokens: u64,
    measured: Measured,
    added: u64,
    unfinished: Unfinished,
}

/// What the tokens so far were like.
#[derive(Debug, Clone, Copy)]
struct Measured {
    /// Range of reciprocal norms.
    low: f32,
    high: f32,
    /// Sum of the lengths of residuals.
    residuals: f64,
}

impl Measured {
    const NONE: Self = Self {
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
        residuals: 0.0,
    };

    fn and(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            residuals: self.residuals + other.residuals,
        }
    }
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
        };
        Catalog::create(directory, &settings)?;
        let mut catalog = Catalog::open(directory, Access::Write, Duration::ZERO)?;
        catalog.begin(Access::Write)?;
        Ok(Self {
            catalog,
            spool: Spool::create(directory)?,
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
            measured: Measured::NONE,
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
        match row_bytes(dim, nbits) {
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
        let row = row_bytes(self.parts.dim, self.parts.nbits);
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
            self.spool_tokens(codes, residuals)?;
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

    /// Writes code, reciprocal norm and residual in planes of every token.
    fn spool_tokens(&mut self, codes: &[u32], residuals: &[u8]) -> Result<()> {
        let CodebookParts {
            dim,
            nbits,
            centroids,
            tables,
            ..
        } = &self.parts;
        let (dim, nbits) = (*dim, *nbits);
        let bytes = row_bytes(dim, nbits);
        let record = RECORD_HEAD + bytes;
        let mut out = vec![0; codes.len() * record];
        let measured: Vec<Measured> = self.pool.install(|| {
            let tasks = codes
                .par_chunks(TASK)
                .zip(residuals.par_chunks(TASK * bytes))
                .zip(out.par_chunks_mut(TASK * record));
            tasks
                .map(|((codes, residuals), out)| {
                    let (mut buckets, mut decoded) = (vec![0_u8; dim], vec![0.0_f32; dim]);
                    let mut measured = Measured::NONE;
                    let tokens = codes.iter().zip(residuals.chunks_exact(bytes));
                    for ((&code, residual), out) in tokens.zip(out.chunks_exact_mut(record)) {
                        unpack_plaid(residual, nbits, &mut buckets);
                        for (value, &bucket) in decoded.iter_mut().zip(&buckets) {
                            *value = tables.weights[bucket as usize];
                        }
                        measured.residuals += f64::from(norm(&decoded));
                        let centroid = &centroids[code as usize * dim..(code as usize + 1) * dim];
                        decoded.iter_mut().zip(centroid).for_each(|(v, c)| *v += c);
                        let inverse = reciprocal(norm(&decoded));
                        measured.low = measured.low.min(inverse);
                        measured.high = measured.high.max(inverse);
                        out[..4].copy_from_slice(&code.to_le_bytes());
                        out[4..8].copy_from_slice(&inverse.to_le_bytes());
                        plaid_to_planes(residual, nbits, dim, &mut out[RECORD_HEAD..]);
                    }
                    measured
                })
                .collect()
        });
        // In the order of the tokens, so that the sum does not depend on the number of threads.
        self.measured = measured.into_iter().fold(self.measured, Measured::and);
        self.spool.push(&out)
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

    /// Writes the files, and gives the index its name.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when nothing was added. Whatever stops it (a full disk, the progress callback) leaves nothing.
    pub fn commit(mut self, progress: &mut Progress<'_>) -> Result<Committed> {
        if self.segments.is_empty() {
            return Err(Error::invalid(
                "nothing was added: an import needs at least one document",
            ));
        }
        self.spool.seal()?;
        let pool = Arc::clone(&self.pool);
        let (codebook, segments) = progress.attend(&pool, |reporter| self.write(reporter))?;
        self.catalog.add_codebook(&codebook)?;
        segments
            .iter()
            .try_for_each(|row| self.catalog.add_segment(row))?;
        let dim = self.parts.dim.to_string();
        self.catalog.set("dim", &dim)?;
        if let Some(encoder) = &self.encoder {
            self.catalog.set("encoder", encoder)?;
        }
        let generation = 1;
        for (key, value) in [
            ("generation", generation),
            ("next_docno", u64::from(self.next_docno)),
            ("next_file", self.files.next),
        ] {
            self.catalog.set(key, &value.to_string())?;
        }
        sync_directory(self.unfinished.path())?;
        self.catalog.commit()?;
        let Self {
            catalog,
            spool,
            unfinished,
            added,
            ..
        } = self;
        drop((catalog, spool));
        unfinished.finish()?;
        Ok(Committed {
            added,
            replaced: 0,
            deleted: 0,
            updated: 0,
            generation,
        })
    }

    /// Leaves nothing. Dropping the importer does the same.
    pub fn abort(self) {
        drop(self);
    }

    fn write(&mut self, reporter: &Reporter) -> Result<(CodebookRow, Vec<SegmentRow>)> {
        let CodebookParts {
            dim, nbits, codec, ..
        } = self.parts;
        let total: u64 = self.segments.iter().map(Passages::tokens).sum();
        let (norm_base, norm_step) = line(self.measured.low, self.measured.high);
        reporter.report(Stage::Train, 0, 1)?;
        let (order, group_ends) = regroup(&self.parts.centroids, dim, DEFAULT_SEED);
        reporter.report(Stage::Train, 1, 1)?;
        let (path, identity) = self.files.name(FileKind::Codebook);
        let root = identity.number;
        let head = CodebookHead {
            dim,
            nbits,
            codec,
            centroids: self.centroids,
            centroid_type: self.parts.centroid_type,
            reach: reach(&self.parts.centroids, dim),
            norm_base,
            norm_step,
            // Of decoded residuals: the true ones are not known here.
            mean_residual: (self.measured.residuals / total as f64) as f32,
            tokens: total,
            trained_on: 0,
            root,
        };
        let trained = Trained {
            head,
            centroids: std::mem::take(&mut self.parts.centroids),
            order,
            group_ends,
            tables: self.parts.tables.clone(),
        };
        let codebook = CodebookRow {
            number: root,
            seal: trained.write(&path, &identity)?,
        };
        drop(trained);
        let mut start = 0;
        let mut rows = Vec::with_capacity(self.segments.len());
        for passages in std::mem::take(&mut self.segments) {
            let (path, identity) = self.files.name(FileKind::Segment);
            let tokens = passages.tokens();
            let mut out = CodedWriter::create(&path, &identity)?;
            self.copy(start, tokens as usize, &head, &mut out, &mut |done| {
                reporter.report(Stage::Write, start as u64 + done, total)
            })?;
            let seal: FileSeal = out.finish(&passages, root, &head)?;
            rows.push(SegmentRow {
                number: identity.number,
                codebook: root,
                passages: passages.docnos.len() as u64,
                tokens,
                seal,
            });
            start += tokens as usize;
        }
        Ok((codebook, rows))
    }

    /// Copies tokens from the spool to a segment.
    fn copy(
        &self,
        start: usize,
        tokens: usize,
        head: &CodebookHead,
        out: &mut CodedWriter,
        report: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let record = RECORD_HEAD + row_bytes(head.dim, head.nbits);
        let mut coded = Coded::default();
        for first in (0..tokens).step_by(BATCH) {
            let last = (first + BATCH).min(tokens);
            coded.clear();
            let records: &[u8] = self
                .spool
                .items((start + first) * record, (start + last) * record);
            for token in records.chunks_exact(record) {
                let (code, rest) = token.split_at(4);
                let (inverse, residual) = rest.split_at(4);
                let word = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
                let steps = (f32::from_bits(word(inverse)) - head.norm_base) / head.norm_step;
                coded.codes.push(word(code));
                coded.norms.push(steps.round() as u8);
                coded.residuals.extend_from_slice(residual);
            }
            out.push(&coded)?;
            report(last as u64)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::table::ResidualTables;
    use crate::codec::{CentroidType, Codec};
    use crate::{Index, OpenOptions, SearchParams};

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
