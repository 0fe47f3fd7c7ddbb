//! The heavy part of a commit: training, coding, writing and merging files. It runs on the pool, away from the catalogue.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::merge;
use super::snapshot::Snapshot;
use super::source::Source;
use crate::codec::Codec;
use crate::codec::codebook::{self, Codebook};
use crate::codec::encode::{Coded, VectorCoder};
use crate::error::Result;
use crate::format::{FileIdentity, FileKind};
use crate::progress::{Reporter, Stage};
use crate::segment::read::Segment;
use crate::segment::write::{CodedWriter, FloatWriter, Passages};
use crate::storage::catalog::{CodebookRow, SegmentRow, Settings};
use crate::storage::spool::Spool;
use crate::storage::{codebook_path, segment_path};

/// Tokens coded between two reports.
const BATCH: usize = 1 << 16;

/// Names and remembers the files of a commit.
pub(crate) struct NewFiles {
    pub(crate) directory: PathBuf,
    pub(crate) index: [u8; 16],
    pub(crate) next: u64,
    /// Removed when the commit fails.
    pub(crate) created: Vec<PathBuf>,
}

impl NewFiles {
    pub(crate) fn name(&mut self, kind: FileKind) -> (PathBuf, FileIdentity) {
        let number = self.next;
        self.next += 1;
        let path = match kind {
            FileKind::Codebook => codebook_path(&self.directory, number),
            FileKind::Segment => segment_path(&self.directory, number),
        };
        self.created.push(path.clone());
        (
            path,
            FileIdentity {
                kind,
                number,
                index: self.index,
            },
        )
    }
}

/// What a commit changes besides documents.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) codebooks: Vec<CodebookRow>,
    pub(crate) segments: Vec<SegmentRow>,
    /// Numbers of segments that others replace.
    pub(crate) retired: Vec<u64>,
    /// Deleted docnos that no segment holds any more.
    pub(crate) forgotten: Vec<u32>,
}

/// What a commit starts from.
pub(crate) struct Build<'a> {
    pub(crate) snapshot: &'a Arc<Snapshot>,
    pub(crate) spool: &'a Spool,
    pub(crate) pending: &'a Passages,
    pub(crate) dead: &'a HashSet<u32>,
    pub(crate) files: &'a mut NewFiles,
    pub(crate) settings: &'a Settings,
    pub(crate) dim: usize,
    pub(crate) train_tokens: u64,
}

impl Build<'_> {
    pub(crate) fn run(&mut self, reporter: &Reporter) -> Result<Change> {
        let mut change = Change::default();
        let snapshot = Arc::clone(self.snapshot);
        let dead = {
            let dead = self.dead;
            move |docno: u32| snapshot.deleted.contains(docno) || dead.contains(&docno)
        };
        match self.snapshot.codebooks.values().next_back() {
            Some(codebook) => {
                let fresh = Source::new(self.dim, self.spool, self.pending, Vec::new(), &dead)?;
                if fresh.passages.tokens() > 0 {
                    change
                        .segments
                        .push(self.write_coded(&fresh, codebook, reporter)?);
                }
                self.merge(&dead, codebook, &mut change, reporter)?;
            }
            None => {
                let floats = self.snapshot.segments.clone();
                let all = Source::new(self.dim, self.spool, self.pending, floats, &dead)?;
                if all.passages.tokens() >= self.train_tokens {
                    let codebook = self.train(&all, &mut change, reporter)?;
                    change
                        .segments
                        .push(self.write_coded(&all, &codebook, reporter)?);
                    self.retire_all(&all, &mut change)?;
                } else if !self.pending.docnos.is_empty() {
                    // Uncompressed segments are small by definition: joining them at every commit keeps their number at one.
                    if !all.passages.docnos.is_empty() {
                        change.segments.push(self.write_float(&all)?);
                    }
                    self.retire_all(&all, &mut change)?;
                }
            }
        }
        Ok(change)
    }

    /// All old segments have been rewritten without their deleted passages.
    fn retire_all(&self, kept: &Source<'_>, change: &mut Change) -> Result<()> {
        for segment in &self.snapshot.segments {
            let gone = segment
                .docnos()?
                .iter()
                .filter(|d| kept.passages.docnos.binary_search(d).is_err());
            change.forgotten.extend(gone);
            change.retired.push(segment.number);
        }
        Ok(())
    }

    fn train(
        &mut self,
        source: &Source<'_>,
        change: &mut Change,
        reporter: &Reporter,
    ) -> Result<Codebook> {
        let codec = Codec::parse(&self.settings.codec)?;
        let trained = codebook::train(
            source,
            self.dim,
            self.settings.nbits,
            codec,
            self.settings.seed,
            reporter,
        )?;
        let (path, identity) = self.files.name(FileKind::Codebook);
        let seal = trained.write(&path, &identity)?;
        change.codebooks.push(CodebookRow {
            number: identity.number,
            seal,
        });
        Codebook::open(&path, &identity, &seal)
    }

    fn write_coded(
        &mut self,
        source: &Source<'_>,
        codebook: &Codebook,
        reporter: &Reporter,
    ) -> Result<SegmentRow> {
        let (path, identity) = self.files.name(FileKind::Segment);
        let mut out = CodedWriter::create(&path, &identity)?;
        let coder = VectorCoder::new(codebook)?;
        let mut coded = Coded::default();
        let total = source.passages.tokens();
        reporter.report(Stage::Encode, 0, total)?;
        source.batches(BATCH, |halves, done| {
            coder.code(halves, &mut coded);
            out.push(&coded)?;
            reporter.report(Stage::Encode, done as u64, total)
        })?;
        let passages = &source.passages;
        let seal = out.finish(passages, codebook.number, &codebook.head)?;
        Ok(row(identity.number, codebook.number, passages, seal))
    }

    fn write_float(&mut self, source: &Source<'_>) -> Result<SegmentRow> {
        let (path, identity) = self.files.name(FileKind::Segment);
        let mut out = FloatWriter::create(&path, &identity)?;
        source.batches(BATCH, |halves, _| out.push(halves))?;
        let seal = out.finish(&source.passages, self.dim)?;
        Ok(row(identity.number, 0, &source.passages, seal))
    }

    /// Joins segments of similar size, the one just written among them.
    fn merge(
        &mut self,
        dead: &dyn Fn(u32) -> bool,
        codebook: &Codebook,
        change: &mut Change,
        reporter: &Reporter,
    ) -> Result<()> {
        let mut segments: Vec<Arc<Segment>> = self
            .snapshot
            .segments
            .iter()
            .filter(|s| s.codebook == codebook.number)
            .cloned()
            .collect();
        for row in &change.segments {
            let identity = FileIdentity {
                kind: FileKind::Segment,
                number: row.number,
                index: self.files.index,
            };
            let path = segment_path(&self.files.directory, row.number);
            segments.push(Arc::new(Segment::open(
                &path,
                &identity,
                row,
                Some(codebook),
            )?));
        }
        while let Some(chosen) = merge::choose(&segments) {
            let (path, identity) = self.files.name(FileKind::Segment);
            let merged = merge::merge(&path, &identity, &chosen, codebook, dead, reporter)?;
            for segment in &chosen {
                segments.retain(|s| s.number != segment.number);
                let fresh = change.segments.len();
                change.segments.retain(|row| row.number != segment.number);
                if change.segments.len() == fresh {
                    change.retired.push(segment.number);
                } else {
                    // Written a moment ago and named nowhere: no reader can know it.
                    let _swept_later =
                        std::fs::remove_file(segment_path(&self.files.directory, segment.number));
                }
            }
            change.forgotten.extend(merged.forgotten);
            if let Some((passages, seal)) = merged.written {
                let row = row(identity.number, codebook.number, &passages, seal);
                segments.push(Arc::new(Segment::open(
                    &path,
                    &identity,
                    &row,
                    Some(codebook),
                )?));
                change.segments.push(row);
            }
        }
        Ok(())
    }
}

fn row(
    number: u64,
    codebook: u64,
    passages: &Passages,
    seal: crate::format::FileSeal,
) -> SegmentRow {
    SegmentRow {
        number,
        codebook,
        passages: passages.docnos.len() as u64,
        tokens: passages.tokens(),
        seal,
    }
}
