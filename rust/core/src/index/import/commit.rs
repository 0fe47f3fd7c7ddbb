//! The end of an import: the codebook, the segments, and the name.

use std::sync::Arc;

use super::{BATCH, Importer};
use crate::cluster::kmeans::regroup;
use crate::codec::codebook::{CodebookHead, Trained, line, reach};
use crate::codec::encode::Coded;
use crate::codec::parts::CodebookParts;
use crate::error::{Error, Result};
use crate::format::FileKind;
use crate::index::options::DEFAULT_SEED;
use crate::index::write::Committed;
use crate::progress::{Progress, Reporter, Stage};
use crate::segment::write::{CodedWriter, Passages};
use crate::storage::catalog::{CodebookRow, SegmentRow};
use crate::storage::sync_directory;

impl Importer {
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
        self.records.seal()?;
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
            records,
            unfinished,
            added,
            ..
        } = self;
        drop((catalog, records));
        unfinished.finish()?;
        Ok(Committed {
            added,
            replaced: 0,
            deleted: 0,
            updated: 0,
            generation,
        })
    }

    /// Writes the files; on the pool.
    fn write(&mut self, reporter: &Reporter) -> Result<(CodebookRow, Vec<SegmentRow>)> {
        let CodebookParts {
            dim, nbits, codec, ..
        } = self.parts;
        let total: u64 = self.segments.iter().map(Passages::tokens).sum();
        let measured = self.records.measured;
        let (norm_base, norm_step) = line(measured.low, measured.high);
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
            mean_residual: (measured.residuals / total as f64) as f32,
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
        let mut coded = Coded::default();
        for passages in std::mem::take(&mut self.segments) {
            let (path, identity) = self.files.name(FileKind::Segment);
            let end = start + passages.tokens() as usize;
            let mut out = CodedWriter::create(&path, &identity)?;
            for first in (start..end).step_by(BATCH) {
                let last = (first + BATCH).min(end);
                let line = (norm_base, norm_step);
                self.records.read(first, last, line, &mut coded);
                out.push(&coded)?;
                reporter.report(Stage::Write, last as u64, total)?;
            }
            let seal = out.finish(&passages, root, &head)?;
            rows.push(SegmentRow {
                number: identity.number,
                codebook: root,
                passages: passages.docnos.len() as u64,
                tokens: passages.tokens(),
                seal,
            });
            start = end;
        }
        Ok((codebook, rows))
    }
}
