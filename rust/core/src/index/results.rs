//! What a search gives back, and the text that belongs to it.

use super::Index;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::search::Scored;
use crate::search::fusion::{List, Mode, Part};
use crate::storage::catalog::{Catalog, DocumentRow};
use crate::text::CodePoints;

/// What comes with a search besides its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchOptions {
    /// What ranks the passages.
    pub mode: Mode,
    /// The texts of the queries, for keywords.
    pub words: Vec<String>,
    /// Search only what matches.
    pub filter: Option<Filter>,
    /// Give every document once, with its best passage.
    pub group: bool,
    /// Fetch texts and metadata, not only ids.
    pub texts: bool,
    /// Threads for this call; those of the index when absent.
    pub threads: Option<usize>,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            mode: Mode::Semantic,
            words: Vec::new(),
            filter: None,
            group: false,
            texts: true,
            threads: None,
        }
    }
}

/// A passage that was found, before its texts are fetched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    pub(crate) scored: Scored,
    pub(crate) parts: [Option<Part>; 2],
}

impl Found {
    /// The passages of one list.
    pub(crate) fn of(list: List, scored: &[Scored]) -> Vec<Self> {
        let each = |(i, &scored): (usize, &Scored)| Self {
            scored,
            parts: [
                Some(Part {
                    list,
                    rank: i as u32 + 1,
                    score: scored.score,
                }),
                None,
            ],
        };
        scored.iter().enumerate().map(each).collect()
    }
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The document's id.
    pub id: String,
    /// By the search's mode: MaxSim over decoded vectors, BM25, or what the fusion of both makes.
    pub score: f32,
    /// The passage's number in the engine.
    pub docno: u32,
    /// Which passage of the document, from 0.
    pub passage: u32,
    /// How many passages the document has.
    pub passages: u32,
    /// Where the passage begins in the document's text, in code points.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// The passage's text, if the document has one.
    pub text: Option<String>,
    /// The document's title.
    pub title: Option<String>,
    /// The document's metadata, JSON.
    pub metadata: Option<String>,
    /// Where it stood in the lists that it was found in.
    pub parts: Vec<Part>,
}

/// A document as it was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its id.
    pub id: String,
    /// Its text.
    pub text: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Its metadata, JSON.
    pub metadata: Option<String>,
    /// Where its passages begin and end in the text, in code points.
    pub spans: Vec<(u64, u64)>,
}

/// Turns found passages into hits: at most `k`, and of every document only the first when grouped.
pub(crate) fn hits(
    catalog: &mut Catalog,
    found: &[Found],
    k: usize,
    options: &SearchOptions,
) -> Result<Vec<Hit>> {
    let mut out: Vec<Hit> = Vec::with_capacity(k.min(found.len()));
    let mut seen = std::collections::HashSet::new();
    for &Found {
        scored: Scored { score, docno },
        parts,
    } in found
    {
        if out.len() == k {
            break;
        }
        let passage = catalog.passage(docno)?;
        if options.group && !seen.insert(passage.document) {
            continue;
        }
        let row = catalog.document(passage.document)?;
        if let Some(filter) = &options.filter {
            catalog.verify_match(&row, filter)?;
        }
        let DocumentRow {
            passages,
            id,
            title,
            text,
            metadata,
            ..
        } = row;
        let text = match (&text, options.texts) {
            (Some(text), true) => Some(
                CodePoints::new(text)
                    .slice(passage.start, passage.end)
                    .map(str::to_owned)
                    .ok_or_else(|| {
                        let detail =
                            format!("passage {docno} ends behind the text of document {id:?}");
                        Error::corrupt(catalog.path(), "table passages", detail)
                    })?,
            ),
            _ => None,
        };
        out.push(Hit {
            id,
            score,
            docno,
            passage: passage.ordinal,
            passages,
            start: passage.start,
            end: passage.end,
            text,
            title: title.filter(|_| options.texts),
            metadata: metadata.filter(|_| options.texts),
            parts: parts.into_iter().flatten().collect(),
        });
    }
    Ok(out)
}

/// A stored document with the spans of its passages.
pub(crate) fn document(catalog: &mut Catalog, row: DocumentRow) -> Result<Document> {
    let passages = catalog.passages_of(row.document)?;
    Ok(Document {
        id: row.id,
        text: row.text,
        title: row.title,
        metadata: row.metadata,
        spans: passages.iter().map(|p| (p.start, p.end)).collect(),
    })
}

impl Index {
    /// Documents by id, `None` where there is no such document.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the catalogue is damaged.
    pub fn get(&self, ids: &[&str]) -> Result<Vec<Option<Document>>> {
        self.read(|catalog, _| {
            ids.iter()
                .map(|id| {
                    let Some(row) = catalog.document_by_id(id)? else {
                        return Ok(None);
                    };
                    document(catalog, row).map(Some)
                })
                .collect()
        })
    }
}
