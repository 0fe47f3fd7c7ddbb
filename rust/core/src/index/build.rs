//! The heavy part of a commit: training, coding, writing and merging files. It runs on the pool, away from the catalogue.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::merge::{self, SMALLEST_CODED};
use super::snapshot::Snapshot;
use super::source::Source;
use crate::codec::Codec;
use crate::codec::codebook::{self, Codebook, Trained};
use crate::codec::encode::{Coded, VectorCoder};
use crate::codec::grow::grow;
use crate::error::Result;
use crate::format::{FileIdentity, FileKind};
use crate::progress::{Reporter, Stage};
use crate::segment::SegmentKind;
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
    pub(crate) version: u32,
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
                version: self.version,
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
    /// Numbers of codebooks that a grown one replaces.
    pub(crate) retired_codebooks: Vec<u64>,
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
    /// Writes what was added, and joins what has become many.
    pub(crate) fn run(&mut self, reporter: &Reporter) -> Result<Change> {
        let mut change = Change::default();
        if self.pending.docnos.is_empty() {
            // Deleting costs marks and nothing else.
            return Ok(change);
        }
        let dead = self.dead();
        let floats = self.floats();
        let waiting: u64 = floats.iter().map(|s| s.tokens as u64).sum();
        let known = self.snapshot.codebooks.values().next_back().cloned();
        let enough = match &known {
            Some(_) => SMALLEST_CODED,
            None => self.train_tokens,
        };
        if waiting + self.pending.tokens() < enough {
            return self.write_floats(floats, &dead, change, reporter);
        }
        let all = Source::new(self.dim, self.spool, self.pending, floats, &dead)?;
        let fresh = all.passages.tokens();
        if known.is_none() && fresh < enough {
            // Deleted passages made it look like more.
            return self.write_floats(self.floats(), &dead, change, reporter);
        }
        if fresh > 0 {
            let codebook = match known {
                Some(codebook) => self.grow(codebook, &all, &mut change, reporter)?,
                None => Arc::new(self.train(&all, &mut change, reporter)?),
            };
            let row = self.write_coded(&all, &codebook, reporter)?;
            change.segments.push(row);
            let coded = self.coded(&codebook);
            self.join(coded, Some(&codebook), &dead, &mut change, reporter)?;
        }
        self.retire(&self.floats(), &dead, &mut change)?;
        Ok(change)
    }

    /// Joins everything and drops what was deleted.
    pub(crate) fn compact(&mut self, reporter: &Reporter) -> Result<Change> {
        let mut change = Change::default();
        let dead = self.dead();
        let mut families = vec![(self.floats(), None)];
        for codebook in self.snapshot.codebooks.values() {
            families.push((self.coded(codebook), Some(Arc::clone(codebook))));
        }
        for (segments, codebook) in families {
            let mut open = segments.clone();
            for group in merge::choose_all(&segments, &dead)? {
                self.replace(
                    &group,
                    codebook.as_deref(),
                    &dead,
                    &mut open,
                    &mut change,
                    reporter,
                )?;
            }
        }
        Ok(change)
    }

    fn dead(&self) -> impl Fn(u32) -> bool + use<> {
        let snapshot = Arc::clone(self.snapshot);
        let dead = self.dead.clone();
        move |docno| snapshot.deleted.contains(docno) || dead.contains(&docno)
    }

    fn floats(&self) -> Vec<Arc<Segment>> {
        let all = self.snapshot.segments.iter();
        all.filter(|s| s.kind == SegmentKind::Float)
            .cloned()
            .collect()
    }

    fn coded(&self, codebook: &Codebook) -> Vec<Arc<Segment>> {
        let all = self.snapshot.segments.iter();
        all.filter(|s| s.kind == SegmentKind::Coded && s.codebook == codebook.head.root)
            .cloned()
            .collect()
    }

    /// Keeps new passages uncompressed: there are too few to train on, or, later, to be worth a coded segment. A search scans them.
    fn write_floats(
        &mut self,
        floats: Vec<Arc<Segment>>,
        dead: &dyn Fn(u32) -> bool,
        mut change: Change,
        reporter: &Reporter,
    ) -> Result<Change> {
        let fresh = Source::new(self.dim, self.spool, self.pending, Vec::new(), dead)?;
        if fresh.passages.tokens() > 0 {
            change.segments.push(self.write_float(&fresh)?);
            self.join(floats, None, dead, &mut change, reporter)?;
        }
        Ok(change)
    }

    /// Segments whose live passages stand in another one now.
    fn retire(
        &self,
        segments: &[Arc<Segment>],
        dead: &dyn Fn(u32) -> bool,
        change: &mut Change,
    ) -> Result<()> {
        for segment in segments {
            let gone = segment.docnos()?.iter().filter(|&&d| dead(d));
            change.forgotten.extend(gone);
            change.retired.push(segment.number);
        }
        Ok(())
    }

    fn grow(
        &mut self,
        codebook: Arc<Codebook>,
        source: &Source<'_>,
        change: &mut Change,
        reporter: &Reporter,
    ) -> Result<Arc<Codebook>> {
        let coded = self.coded(&codebook);
        let seed = self.settings.seed;
        match grow(&codebook, &coded, source, seed, reporter)? {
            None => Ok(codebook),
            Some(trained) => {
                change.retired_codebooks.push(codebook.number);
                Ok(Arc::new(self.write_codebook(&trained, change)?))
            }
        }
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
        self.write_codebook(&trained, change)
    }

    fn write_codebook(&mut self, trained: &Trained, change: &mut Change) -> Result<Codebook> {
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
        let seal = out.finish(passages, codebook.head.root, &codebook.head)?;
        Ok(row(identity.number, codebook.head.root, passages, seal))
    }

    fn write_float(&mut self, source: &Source<'_>) -> Result<SegmentRow> {
        let (path, identity) = self.files.name(FileKind::Segment);
        let mut out = FloatWriter::create(&path, &identity)?;
        source.batches(BATCH, |halves, _| out.push(halves))?;
        let seal = out.finish(&source.passages, self.dim)?;
        Ok(row(identity.number, 0, &source.passages, seal))
    }

    /// Joins segments of similar size, the one just written among them.
    fn join(
        &mut self,
        mut segments: Vec<Arc<Segment>>,
        codebook: Option<&Codebook>,
        dead: &dyn Fn(u32) -> bool,
        change: &mut Change,
        reporter: &Reporter,
    ) -> Result<()> {
        for row in &change.segments {
            segments.push(self.open(row, codebook)?);
        }
        while let Some(chosen) = merge::choose(&segments) {
            self.replace(&chosen, codebook, dead, &mut segments, change, reporter)?;
        }
        // Looking for hollow segments costs a look at every docno, which is nothing beside coding a batch.
        let passages: usize = segments.iter().map(|s| s.passages()).sum();
        if codebook.is_some() && self.snapshot.deleted.len() * 4 > passages {
            while let Some(hollow) = merge::choose_hollow(&segments, dead)? {
                self.replace(&[hollow], codebook, dead, &mut segments, change, reporter)?;
            }
        }
        Ok(())
    }

    /// Puts one segment in the place of some; `open` are the candidates of further merges.
    fn replace(
        &mut self,
        chosen: &[Arc<Segment>],
        codebook: Option<&Codebook>,
        dead: &dyn Fn(u32) -> bool,
        open: &mut Vec<Arc<Segment>>,
        change: &mut Change,
        reporter: &Reporter,
    ) -> Result<()> {
        let (path, identity) = self.files.name(FileKind::Segment);
        let merged = merge::merge(&path, &identity, chosen, codebook, dead, reporter)?;
        for segment in chosen {
            open.retain(|s| s.number != segment.number);
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
            let root = codebook.map_or(0, |c| c.head.root);
            let row = row(identity.number, root, &passages, seal);
            open.push(self.open(&row, codebook)?);
            change.segments.push(row);
        }
        Ok(())
    }

    fn open(&self, row: &SegmentRow, codebook: Option<&Codebook>) -> Result<Arc<Segment>> {
        let identity = FileIdentity {
            version: self.files.version,
            kind: FileKind::Segment,
            number: row.number,
            index: self.files.index,
        };
        let path = segment_path(&self.files.directory, row.number);
        Segment::open(&path, &identity, row, codebook).map(Arc::new)
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
