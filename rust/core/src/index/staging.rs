//! A batch of documents on its way into the catalogue: first everything is examined, then its rows are staged.

use std::collections::HashMap;
use std::ops::Range;

use super::write::NewDocument;
use crate::error::{Error, Result};
use crate::filter::flatten::FieldValue;
use crate::storage::catalog::{Catalog, PassageRow, StagedDocument, parse_metadata};
use crate::text::CodePoints;

/// Documents that were found fit to be staged.
pub(super) struct Batch<'a> {
    documents: &'a [NewDocument<'a>],
    /// Tokens of all passages, document by document.
    lengths: &'a [usize],
    /// The first passage of every document.
    firsts: Vec<usize>,
    /// Metadata of the documents, taken apart.
    values: Vec<Vec<FieldValue>>,
}

/// A document of a batch, in the words of an error.
fn name(number: usize, document: &NewDocument<'_>) -> String {
    match document.id {
        Some(id) => format!("document {id:?}"),
        None => format!("document {number}"),
    }
}

impl<'a> Batch<'a> {
    /// Looks at ids, metadata, spans and numbers of tokens. `next` is the number of the next passage.
    pub(super) fn examine(
        documents: &'a [NewDocument<'a>],
        lengths: &'a [usize],
        next: u32,
    ) -> Result<Self> {
        let passages: usize = documents.iter().map(|d| d.spans.len().max(1)).sum();
        if passages != lengths.len() {
            let n = lengths.len();
            return Err(Error::invalid(format!(
                "{passages} passages, but the numbers of tokens of {n}"
            )));
        }
        if u64::from(next) + passages as u64 > u64::from(u32::MAX) {
            return Err(Error::invalid(
                "the index has given all 4,294,967,295 passage numbers: make a new one",
            ));
        }
        let mut values = Vec::with_capacity(documents.len());
        let (mut first, mut firsts) = (0, Vec::with_capacity(documents.len()));
        for (number, document) in documents.iter().enumerate() {
            firsts.push(first);
            first += document.spans.len().max(1);
            if document.id.is_some_and(str::is_empty) {
                return Err(Error::invalid(format!("ids[{number}] is empty")));
            }
            let taken_apart = parse_metadata(document.metadata);
            values.push(
                taken_apart
                    .map_err(|e| Error::invalid(format!("{} has {e}", name(number, document))))?,
            );
            let characters = CodePoints::new(document.text.unwrap_or_default()).len();
            if let Some((start, end)) = document
                .spans
                .iter()
                .find(|(s, e)| s > e || *e > characters)
            {
                return Err(Error::invalid(format!(
                    "a passage of document {number} is {start}..{end}, its text has {characters} characters"
                )));
            }
        }
        let batch = Self {
            documents,
            lengths,
            firsts,
            values,
        };
        batch.passages(|what, tokens| match tokens.is_empty() {
            true => Err(Error::invalid(format!(
                "{} has no tokens: it could never be found",
                what()
            ))),
            false => Ok(()),
        })?;
        Ok(batch)
    }

    /// Refuses ids that are there already, or twice in the batch.
    pub(super) fn refuse_known(&self, catalog: &mut Catalog) -> Result<()> {
        let mut seen = HashMap::new();
        for (number, document) in self.documents.iter().enumerate() {
            let Some(id) = document.id else { continue };
            let first = match seen.insert(id, number) {
                Some(first) => format!("ids[{first}] is the same"),
                None if catalog.document_by_id(id)?.is_some() => {
                    "a document of an earlier call has it".into()
                }
                None => continue,
            };
            return Err(Error::invalid(format!(
                "ids[{number}] is {id:?}, and {first}: every document needs an id of its own"
            )));
        }
        Ok(())
    }

    /// Calls for every passage with what makes its name for errors, and its tokens among those of the batch.
    pub(super) fn passages(
        &self,
        mut call: impl FnMut(&dyn Fn() -> String, Range<usize>) -> Result<()>,
    ) -> Result<()> {
        let (mut at, mut lengths) = (0, self.lengths.iter());
        for (number, document) in self.documents.iter().enumerate() {
            let count = document.spans.len().max(1);
            for (passage, &length) in lengths.by_ref().take(count).enumerate() {
                let what = || format!("passage {passage} of {}", name(number, document));
                call(&what, at..at + length)?;
                at += length;
            }
        }
        Ok(())
    }

    /// Stages the rows of a document. Its passages get the numbers from `next` on; `push` is told number and tokens of each.
    pub(super) fn stage(
        &self,
        number: usize,
        id: &str,
        catalog: &mut Catalog,
        next: &mut u32,
        mut push: impl FnMut(u32, usize) -> Result<()>,
    ) -> Result<()> {
        let document = &self.documents[number];
        let text = document.text.map(CodePoints::new);
        let whole = [(0, text.as_ref().map_or(0, CodePoints::len))];
        let spans = match document.spans.is_empty() {
            true => &whole[..],
            false => &document.spans,
        };
        let lengths = &self.lengths[self.firsts[number]..][..spans.len()];
        let key = *next;
        let mut passages = Vec::with_capacity(spans.len());
        for (ordinal, (&(start, end), &tokens)) in spans.iter().zip(lengths).enumerate() {
            let docno = *next;
            *next += 1;
            push(docno, tokens)?;
            let row = PassageRow {
                docno,
                document: key,
                ordinal: ordinal as u32,
                start,
                end,
                tokens: tokens as u32,
            };
            passages.push((row, text.as_ref().and_then(|t| t.slice(start, end))));
        }
        catalog.add_document(&StagedDocument {
            id,
            title: document.title,
            text: document.text,
            metadata: document.metadata,
            values: &self.values[number],
            passages: &passages,
        })
    }
}
