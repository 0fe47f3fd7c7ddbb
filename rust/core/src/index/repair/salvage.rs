//! The work of a repair: document by document, then segment by segment.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use weft_kernels::row_bytes;

use super::directory::Directory;
use super::files::{Files, Place, describe};
use super::{Lost, Repaired, TEXTS};
use crate::bitmap::Bitmap;
use crate::codec::encode::Coded;
use crate::error::{Error, Result};
use crate::format::{FORMAT_VERSION, FileIdentity, FileKind, FileSeal};
use crate::progress::{Progress, Stage};
use crate::segment::read::Segment;
use crate::segment::write::{CodedWriter, FloatWriter, Passages};
use crate::storage::catalog::{
    Access, Catalog, CodebookRow, DocumentRow, PassageRow, SegmentRow, Settings, StagedDocument,
    parse_metadata,
};
use crate::storage::{codebook_path, segment_path, sync_directory};
use crate::text::CodePoints;

/// Documents between two reports.
const DOCUMENTS_A_REPORT: usize = 256;
/// Tokens copied at once.
const BATCH: usize = 1 << 16;

/// A repair on its way.
pub(super) struct Salvage {
    source: Catalog,
    settings: Settings,
    files: Files,
    deleted: Bitmap,
    /// The new index.
    directory: PathBuf,
    catalog: Catalog,
    uuid: [u8; 16],
    /// Docnos that were taken over.
    kept: Bitmap,
    /// Docnos of documents that have been looked at.
    seen: Bitmap,
    texts: Option<BufWriter<File>>,
    report: Repaired,
}

impl Salvage {
    pub(super) fn new(path: &Path, directory: &Path, mut source: Catalog) -> Result<Self> {
        let mut report = Repaired::default();
        let settings = match source.settings() {
            Ok(settings) => settings,
            Err(error) => {
                let found = Directory::look(path, None)?;
                let settings = found.settings.ok_or(error)?;
                report.damage.push(
                    "the settings of the index cannot be read: dimension and codec are those of its files, the encoder is unknown"
                        .into(),
                );
                settings
            }
        };
        let files = Files::open(path, &mut source, &settings, &mut report.damage)?;
        let mut deleted = Bitmap::default();
        match source.deletions_since(None) {
            Ok(docnos) => docnos
                .into_iter()
                .filter(|&d| d < settings.next_docno)
                .for_each(|d| {
                    deleted.insert(d);
                }),
            Err(error) => report.damage.push(describe(error)),
        }
        let uuid = super::super::random_uuid()?;
        Catalog::create(
            directory,
            &Settings {
                version: FORMAT_VERSION,
                uuid,
                ..settings.clone()
            },
        )?;
        let mut catalog = Catalog::open(directory, Access::Write, Duration::ZERO)?;
        catalog.begin(Access::Write)?;
        Ok(Self {
            source,
            settings,
            files,
            deleted,
            directory: directory.into(),
            catalog,
            uuid,
            kept: Bitmap::default(),
            seen: Bitmap::default(),
            texts: None,
            report,
        })
    }

    pub(super) fn run(mut self, progress: &mut Progress<'_>) -> Result<Repaired> {
        self.documents(progress)?;
        self.segments(progress)?;
        if let Some(out) = self.texts.take() {
            let path = self.directory.join(TEXTS);
            let file = out.into_inner().map_err(|e| Error::Io {
                path: path.clone(),
                source: e.into_error(),
            })?;
            file.sync_all().map_err(Error::io(&path))?;
            self.report.texts = Some(path);
        }
        if let Some(dim) = self.settings.dim {
            self.catalog.set("dim", &dim.to_string())?;
        }
        if let Some(encoder) = &self.settings.encoder {
            self.catalog.set("encoder", encoder)?;
        }
        if !self.settings.tuned.all().is_empty() {
            self.catalog.set("tuned", &self.settings.tuned.json())?;
        }
        let next = &self.settings;
        self.catalog
            .set("next_docno", &next.next_docno.to_string())?;
        self.catalog.set("next_file", &next.next_file.to_string())?;
        self.catalog.set("generation", "1")?;
        sync_directory(&self.directory)?;
        self.catalog.commit()?;
        Ok(self.report)
    }

    /// Takes over every document that is whole.
    fn documents(&mut self, progress: &mut Progress<'_>) -> Result<()> {
        let found = self.source.document_keys();
        let (mut keys, names) = (found.rows, found.others);
        keys.extend(names.keys());
        if let Some(error) = found.damage {
            self.report.damage.push(describe(error));
            // Every document begins with a passage, and the segments know these.
            let live = self.files.places().iter().map(|p| p.docno);
            keys.extend(live.filter(|&d| !self.deleted.contains(d)));
        }
        keys.sort_unstable();
        keys.dedup();
        for (i, &key) in keys.iter().enumerate() {
            if i % DOCUMENTS_A_REPORT == 0 {
                progress.report(Stage::Write, i as u64, keys.len() as u64)?;
            }
            self.document(key, &names)?;
        }
        // Live passages of documents that no row told of.
        let places = self.files.places().to_vec();
        for place in places {
            let docno = place.docno;
            let unknown = !self.seen.contains(docno) && !self.deleted.contains(docno);
            let first = self.source.passage(docno).map_or(true, |p| p.ordinal == 0);
            if unknown && first {
                self.lose(
                    None,
                    docno,
                    "its row in the catalogue cannot be read".into(),
                    false,
                );
            }
        }
        Ok(())
    }

    fn document(&mut self, key: u32, names: &HashMap<u32, String>) -> Result<()> {
        let name = names.get(&key);
        let row = match self.source.document_if_any(key) {
            Ok(Some(row)) => row,
            Ok(None) => {
                if let Some(id) = name {
                    self.seen.insert(key);
                    let reason = "its row in the catalogue is missing";
                    self.lose(Some(id.clone()), key, reason.into(), false);
                }
                return Ok(());
            }
            Err(error)
                if name.is_some() || self.source.passage(key).is_ok_and(|p| p.ordinal == 0) =>
            {
                self.seen.insert(key);
                self.lose(name.cloned(), key, describe(error), false);
                return Ok(());
            }
            Err(_) => return Ok(()),
        };
        for docno in key..key.saturating_add(row.passages) {
            self.seen.insert(docno);
        }
        match self.take(&row)? {
            Ok(()) => Ok(()),
            Err(reason) => {
                self.lose(Some(row.id.clone()), key, reason, true);
                self.keep_text(&row)
            }
        }
    }

    fn lose(&mut self, id: Option<String>, docno: u32, reason: String, text_is_whole: bool) {
        self.report.lost.push(Lost {
            id,
            docno,
            reason,
            text_is_whole,
        });
    }

    /// Takes a document over if all of it is whole, or says what is not.
    fn take(&mut self, row: &DocumentRow) -> Result<std::result::Result<(), String>> {
        let mut passages = Vec::with_capacity(row.passages as usize);
        let text = row.text.as_deref().map(CodePoints::new);
        for ordinal in 0..row.passages {
            let docno = row.document + ordinal;
            let passage: PassageRow = match self.source.passage(docno) {
                Ok(passage) => passage,
                Err(error) => return Ok(Err(describe(error))),
            };
            let Some(place) = self.files.place(docno) else {
                return Ok(Err(format!(
                    "the vectors of passage {docno} stand in no segment that can be read"
                )));
            };
            let vectors = self.files.segments[place.segment as usize]
                .verify_tokens(place.start as usize, place.end as usize);
            if let Err(error) = vectors {
                return Ok(Err(describe(error)));
            }
            if (passage.document, passage.ordinal) != (row.document, ordinal)
                || passage.tokens != place.end - place.start
            {
                return Ok(Err(format!(
                    "passage {docno} is another one in the catalogue than in its segment"
                )));
            }
            let piece = text
                .as_ref()
                .and_then(|t| t.slice(passage.start, passage.end));
            passages.push((passage, piece));
        }
        let values = match parse_metadata(row.metadata.as_deref()) {
            Ok(values) if !passages.is_empty() => values,
            Ok(_) => return Ok(Err("it has no passages".into())),
            Err(detail) => return Ok(Err(format!("it has {detail}"))),
        };
        self.catalog.add_document(&StagedDocument {
            id: &row.id,
            title: row.title.as_deref(),
            text: row.text.as_deref(),
            metadata: row.metadata.as_deref(),
            values: &values,
            passages: &passages,
        })?;
        for (passage, _) in &passages {
            self.kept.insert(passage.docno);
            self.report.tokens += u64::from(passage.tokens);
        }
        self.report.documents += 1;
        self.report.passages += passages.len() as u64;
        Ok(Ok(()))
    }

    fn keep_text(&mut self, row: &DocumentRow) -> Result<()> {
        let path = self.directory.join(TEXTS);
        let metadata = row
            .metadata
            .as_deref()
            .and_then(|m| serde_json::from_str::<serde_json::Value>(m).ok());
        let line = serde_json::json!({
            "id": row.id, "title": row.title, "text": row.text, "metadata": metadata,
        });
        let out = match &mut self.texts {
            Some(out) => out,
            None => {
                let file = File::create(&path).map_err(Error::io(&path))?;
                self.texts.insert(BufWriter::new(file))
            }
        };
        writeln!(out, "{line}").map_err(Error::io(&path))
    }

    /// Writes the passages that were taken over, as they are, under the numbers that their files had.
    fn segments(&mut self, progress: &mut Progress<'_>) -> Result<()> {
        let kept = |place: &&Place| self.kept.contains(place.docno);
        let places: Vec<Place> = self.files.places().iter().filter(kept).copied().collect();
        let total = self.report.tokens;
        let (mut done, mut used) = (0, Vec::new());
        for (number, segment) in self.files.segments.iter().enumerate() {
            let own: Vec<Place> = places
                .iter()
                .filter(|p| p.segment as usize == number)
                .copied()
                .collect();
            if own.is_empty() {
                continue;
            }
            let identity = FileIdentity {
                version: FORMAT_VERSION,
                kind: FileKind::Segment,
                number: segment.number,
                index: self.uuid,
            };
            let mut passages = Passages::default();
            for place in &own {
                passages.push(place.docno, (place.end - place.start) as usize)?;
            }
            let path = segment_path(&self.directory, segment.number);
            let seal = self.write(segment, &path, &identity, &own, &passages, &mut |tokens| {
                progress.report(Stage::Write, done + tokens, total)
            })?;
            done += passages.tokens();
            self.catalog.add_segment(&SegmentRow {
                number: segment.number,
                codebook: segment.codebook,
                passages: own.len() as u64,
                tokens: passages.tokens(),
                seal,
            })?;
            used.push(segment.codebook);
        }
        for (root, codebook) in &self.files.codebooks {
            if !used.contains(root) {
                continue;
            }
            let identity = FileIdentity {
                version: FORMAT_VERSION,
                kind: FileKind::Codebook,
                number: codebook.number,
                index: self.uuid,
            };
            let path = codebook_path(&self.directory, codebook.number);
            let seal = codebook.copy(&path, &identity)?;
            let number = codebook.number;
            self.catalog.add_codebook(&CodebookRow { number, seal })?;
        }
        Ok(())
    }

    fn write(
        &self,
        segment: &Segment,
        path: &Path,
        identity: &FileIdentity,
        own: &[Place],
        passages: &Passages,
        report: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<FileSeal> {
        let Some(codebook) = self.files.codebooks.get(&segment.codebook) else {
            let mut out = FloatWriter::create(path, identity)?;
            for (i, place) in own.iter().enumerate() {
                out.push(segment.vectors(place.start as usize, place.end as usize)?)?;
                if i % DOCUMENTS_A_REPORT == 0 {
                    report(u64::from(passages.ends[i]))?;
                }
            }
            return out.finish(passages, segment.dim);
        };
        let mut out = CodedWriter::create(path, identity)?;
        let mut coded = Coded::default();
        let bytes = row_bytes(codebook.head.dim, codebook.head.nbits);
        for (i, place) in own.iter().enumerate() {
            let (start, end) = (place.start as usize, place.end as usize);
            segment.codes(start, end, &mut coded.codes)?;
            coded
                .residuals
                .extend_from_slice(segment.residuals(start, end)?);
            coded.norms.extend_from_slice(segment.norms(start, end)?);
            if coded.residuals.len() >= bytes * BATCH || i + 1 == own.len() {
                out.push(&coded)?;
                coded.clear();
                report(u64::from(passages.ends[i]))?;
            }
        }
        out.finish(passages, codebook.head.root, &codebook.head)
    }
}
