//! Writing: documents are staged, then one transaction makes them visible.

use std::collections::HashSet;
use std::sync::Arc;

use super::Index;
use super::build::{Build, Change, NewFiles};
use super::snapshot::Snapshot;
use super::staging::Batch;
use crate::codec::check_dim;
use crate::codec::encode::unit_halves;
use crate::error::{Error, Result};
use crate::progress::{Progress, Stage};
use crate::segment::write::Passages;
use crate::storage::catalog::{Access, Catalog, Settings};
use crate::storage::spool::Spool;
use crate::storage::{codebook_path, orphans, remove, segment_path, sync_directory};

/// A document to add. Vectors come beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewDocument<'a> {
    /// Its id; one is made when absent. A document with the same id is replaced.
    pub id: Option<&'a str>,
    /// Its text.
    pub text: Option<&'a str>,
    /// Its title.
    pub title: Option<&'a str>,
    /// Its metadata: a JSON object, kept as it is.
    pub metadata: Option<&'a str>,
    /// Where its passages begin and end in the text, in code points; empty for one passage with the whole text.
    pub spans: Vec<(u64, u64)>,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Documents added, replaced ones included.
    pub added: u64,
    /// Documents that took the place of one with the same id.
    pub replaced: u64,
    /// Documents deleted, replaced ones not included.
    pub deleted: u64,
    /// Documents that got other metadata.
    pub updated: u64,
    /// Number of the commit; that of the last one when nothing was staged.
    pub generation: u64,
}

/// The one writer of an index. Dropped without a commit it leaves the index as it was.
pub struct Writer {
    pub(super) index: Arc<Index>,
    pub(super) catalog: Catalog,
    pub(super) settings: Settings,
    snapshot: Arc<Snapshot>,
    spool: Spool,
    pending: Passages,
    /// Docnos marked deleted by this writer.
    pub(super) dead: HashSet<u32>,
    files: NewFiles,
    added: u64,
    pub(super) replaced: u64,
    pub(super) deleted: u64,
    pub(super) updated: u64,
    /// Whether a commit would change anything.
    pub(super) staged: bool,
    halves: Vec<u16>,
    /// Join everything at the commit.
    pub(super) whole: bool,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("index", &self.index)
            .field("added", &self.added)
            .finish_non_exhaustive()
    }
}

impl Index {
    /// Becomes the writer.
    ///
    /// # Errors
    /// [`Error::Locked`] while there is another one, [`Error::ReadOnly`] when the index is not to be changed.
    pub fn begin(self: &Arc<Self>) -> Result<Writer> {
        self.check_process()?;
        if self.read_only {
            return Err(Error::ReadOnly {
                path: self.directory.clone(),
            });
        }
        let mut catalog = Catalog::open(&self.directory, Access::Write, self.lock_timeout)?;
        let (mut settings, mut snapshot) = self.begin_catalog(&mut catalog)?;
        let left = orphans(&self.directory, &snapshot)?;
        if !left.is_empty() {
            // They may be files of a commit that failed or died in its last step, whose rows still lie at the end of SQLite's
            // log and would be found there after a crash. A commit of our own overwrites these rows, or makes them durable where
            // they count; only then is a file without a name surely nobody's.
            let next = settings.next_file + left.len() as u64;
            catalog.set("next_file", &next.to_string())?;
            catalog.commit()?;
            remove(&left);
            (settings, snapshot) = self.begin_catalog(&mut catalog)?;
        }
        let files = NewFiles {
            directory: self.directory.clone(),
            version: settings.version,
            index: settings.uuid,
            next: settings.next_file,
            created: Vec::new(),
        };
        Ok(Writer {
            spool: Spool::create(&self.directory)?,
            index: Arc::clone(self),
            catalog,
            settings,
            snapshot,
            pending: Passages::default(),
            dead: HashSet::new(),
            files,
            added: 0,
            replaced: 0,
            deleted: 0,
            updated: 0,
            staged: false,
            halves: Vec::new(),
            whole: false,
        })
    }

    /// Takes the lock and looks at what there is.
    fn begin_catalog(&self, catalog: &mut Catalog) -> Result<(Settings, Arc<Snapshot>)> {
        catalog.begin(Access::Write)?;
        let known = self
            .snapshot
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        let settings = catalog.settings()?;
        let snapshot = Snapshot::load(&self.directory, catalog, known.as_deref())?;
        Ok((settings, Arc::new(snapshot)))
    }
}

impl Writer {
    pub(super) fn generation(&self) -> u64 {
        self.settings.generation + 1
    }

    /// Stages documents. `lengths` are the tokens of their passages, one number a passage, and `vectors` all their rows of `dim`
    /// numbers, in the same order. Rows are brought to unit length. Returns the ids.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] and [`Error::Dimension`] name the document and the row. The writer can be used further: nothing of the
    /// call was staged.
    pub fn add(
        &mut self,
        documents: &[NewDocument<'_>],
        lengths: &[usize],
        vectors: &[f32],
        dim: usize,
    ) -> Result<Vec<String>> {
        check_dim(dim)?;
        if let Some(expected) = self.settings.dim.filter(|&d| d != dim) {
            return Err(Error::Dimension {
                what: "the vectors".into(),
                expected,
                found: dim,
            });
        }
        let tokens: usize = lengths.iter().sum();
        if tokens * dim != vectors.len() {
            let n = vectors.len();
            return Err(Error::invalid(format!(
                "{tokens} tokens of dimension {dim}, but {n} numbers"
            )));
        }
        let batch = Batch::examine(documents, lengths, self.settings.next_docno)?;
        self.halves.clear();
        self.halves.reserve(vectors.len());
        batch.passages(|what, tokens| {
            let values = &vectors[tokens.start * dim..tokens.end * dim];
            unit_halves(values, dim, &what(), &mut self.halves)
        })?;
        // Everything was checked; from here on only the disk can fail, which ends the writer.
        self.spool.push(&self.halves)?;
        self.settings.dim = Some(dim);
        let mut ids = Vec::with_capacity(documents.len());
        for (number, document) in documents.iter().enumerate() {
            let id = match document.id {
                Some(id) => {
                    self.replaced += u64::from(self.remove(id)?);
                    id.to_owned()
                }
                None => self.catalog.make_id()?,
            };
            let (catalog, pending) = (&mut self.catalog, &mut self.pending);
            let next = &mut self.settings.next_docno;
            batch.stage(number, &id, catalog, next, |docno, tokens| {
                pending.push(docno, tokens)
            })?;
            ids.push(id);
            self.added += 1;
            self.staged = true;
        }
        // Reads of this writer refuse docnos from here on.
        self.catalog
            .set("next_docno", &self.settings.next_docno.to_string())?;
        Ok(ids)
    }

    /// Makes everything staged visible at once and durable.
    ///
    /// # Errors
    /// Whatever stops it (a full disk, the progress callback) leaves the index as it was.
    pub fn commit(mut self, progress: &mut Progress<'_>) -> Result<Committed> {
        if !self.staged {
            return Ok(Committed {
                added: 0,
                replaced: 0,
                deleted: 0,
                updated: 0,
                generation: self.settings.generation,
            });
        }
        self.spool.seal()?;
        // Added and replaced within this writer: no segment will hold them, so nothing needs to be marked.
        let gone: Vec<u32> = self
            .dead
            .iter()
            .copied()
            .filter(|d| self.pending.docnos.binary_search(d).is_ok())
            .collect();
        self.catalog.forget_deletions(&gone)?;
        let pool = Arc::clone(self.index.pool()?);
        let change = match self.settings.dim {
            Some(dim) => {
                // Nothing can be trained on nothing.
                let train_tokens = self.index.train_tokens.max(1);
                let Self {
                    snapshot,
                    spool,
                    pending,
                    dead,
                    files,
                    settings,
                    whole,
                    ..
                } = &mut self;
                let mut build = Build {
                    snapshot,
                    spool,
                    pending,
                    dead,
                    files,
                    settings,
                    dim,
                    train_tokens,
                };
                let whole = *whole;
                progress.attend(&pool, |reporter| match whole {
                    true => build.compact(reporter),
                    false => build.run(reporter),
                })?
            }
            None => Change::default(),
        };
        progress.report(Stage::Write, 0, 1)?;
        for number in &change.retired {
            self.catalog.remove_segment(*number)?;
        }
        for number in &change.retired_codebooks {
            self.catalog.remove_codebook(*number)?;
        }
        self.catalog.forget_deletions(&change.forgotten)?;
        change
            .codebooks
            .iter()
            .try_for_each(|row| self.catalog.add_codebook(row))?;
        change
            .segments
            .iter()
            .try_for_each(|row| self.catalog.add_segment(row))?;
        let generation = self.generation();
        if let Some(dim) = self.settings.dim {
            self.catalog.set("dim", &dim.to_string())?;
        }
        self.catalog.set("generation", &generation.to_string())?;
        self.catalog
            .set("next_docno", &self.settings.next_docno.to_string())?;
        self.catalog
            .set("next_file", &self.files.next.to_string())?;
        if !self.files.created.is_empty() {
            sync_directory(&self.index.directory)?;
        }
        let committed = self.catalog.commit();
        if committed.as_ref().err().is_none_or(|e| !e.write_failed()) {
            // Visible now, or, when the last synchronisation failed, perhaps after a crash: the next writer finds out.
            self.files.created.clear();
        }
        committed?;
        // Readers that still use the old files keep them open; where that is not possible the next writer sweeps.
        for number in change.retired {
            let _swept_later = std::fs::remove_file(segment_path(&self.index.directory, number));
        }
        for number in change.retired_codebooks {
            let _swept_later = std::fs::remove_file(codebook_path(&self.index.directory, number));
        }
        Ok(Committed {
            added: self.added,
            replaced: self.replaced,
            deleted: self.deleted,
            updated: self.updated,
            generation,
        })
    }

    /// Leaves the index as it was. Dropping the writer does the same.
    pub fn abort(self) {
        drop(self);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.catalog.rollback();
        for path in &self.files.created {
            let _swept_later = std::fs::remove_file(path);
        }
    }
}
