//! What a search gives back, and the text that belongs to it.

use super::Index;
use crate::error::{Error, Result};
use crate::search::Scored;
use crate::storage::catalog::{Catalog, DocumentRow};

/// What comes with a search besides its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchOptions {
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
            group: false,
            texts: true,
            threads: None,
        }
    }
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The document's id.
    pub id: String,
    /// MaxSim over decoded vectors.
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

/// The characters `start..end` of a text.
fn slice(text: &str, start: u64, end: u64) -> Option<&str> {
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let first = places.nth(start as usize)?;
    match end.checked_sub(start)? {
        0 => Some(&text[first..first]),
        length => Some(&text[first..places.nth(length as usize - 1)?]),
    }
}

/// Turns scored passages into hits: at most `k`, and of every document only the first when grouped.
pub(crate) fn hits(
    catalog: &mut Catalog,
    scored: &[Scored],
    k: usize,
    options: &SearchOptions,
) -> Result<Vec<Hit>> {
    let mut out: Vec<Hit> = Vec::with_capacity(k.min(scored.len()));
    let mut seen = std::collections::HashSet::new();
    for &Scored { score, docno } in scored {
        if out.len() == k {
            break;
        }
        let passage = catalog.passage(docno)?;
        if options.group && !seen.insert(passage.document) {
            continue;
        }
        let row = catalog.document(passage.document)?;
        let passages = catalog.passages_of(passage.document)?.len() as u32;
        let DocumentRow {
            id,
            title,
            text,
            metadata,
            ..
        } = row;
        let text = match (&text, options.texts) {
            (Some(text), true) => Some(
                slice(text, passage.start, passage.end)
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
        });
    }
    Ok(out)
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
                    let spans = catalog
                        .passages_of(row.document)?
                        .iter()
                        .map(|p| (p.start, p.end))
                        .collect();
                    let DocumentRow {
                        id,
                        title,
                        text,
                        metadata,
                        ..
                    } = row;
                    Ok(Some(Document {
                        id,
                        text,
                        title,
                        metadata,
                        spans,
                    }))
                })
                .collect()
        })
    }

    /// Up to `limit` ids in the order of their adding, from the document behind `after`.
    ///
    /// # Errors
    /// [`Error::DocumentNotFound`] when `after` was deleted meanwhile.
    pub fn ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>> {
        self.read(|catalog, _| {
            let key = match after {
                None => 0,
                Some(id) => match catalog.document_by_id(id)? {
                    Some(row) => row.document,
                    None => {
                        return Err(Error::DocumentNotFound {
                            id: id.into(),
                            path: self.path().into(),
                        });
                    }
                },
            };
            Ok(catalog
                .ids_after(key, limit)?
                .into_iter()
                .map(|(_, id)| id)
                .collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::slice;

    #[test]
    fn slices_count_code_points() {
        let text = "a\u{e9}\u{1F600}b";
        assert_eq!(slice(text, 0, 4), Some(text));
        assert_eq!(slice(text, 1, 3), Some("\u{e9}\u{1F600}"));
        assert_eq!(slice(text, 4, 4), Some(""));
        assert_eq!(slice(text, 2, 5), None);
        assert_eq!(slice(text, 3, 2), None);
    }
}
