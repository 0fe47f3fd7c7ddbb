//! What a writer does to documents, with everything that is derived from them: values for filters, words for keyword search.

use rusqlite::params;
use serde_json::{Map, Value};

use super::Catalog;
use super::documents::{DocumentRow, PassageRow, document_checksum, passage_checksum};
use crate::error::{Error, Result};
use crate::filter::flatten::{FieldValue, flatten};

/// A new document as it is staged.
pub(crate) struct StagedDocument<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: Option<&'a str>,
    pub(crate) text: Option<&'a str>,
    pub(crate) metadata: Option<&'a str>,
    /// Its metadata taken apart.
    pub(crate) values: &'a [FieldValue],
    /// Its passages with their texts; at least one.
    pub(crate) passages: &'a [(PassageRow, Option<&'a str>)],
}

/// Takes metadata apart; the error says what is wrong with them.
pub(crate) fn parse_metadata(
    metadata: Option<&str>,
) -> std::result::Result<Vec<FieldValue>, String> {
    match metadata.map(serde_json::from_str::<Map<String, Value>>) {
        None => Ok(Vec::new()),
        Some(Ok(entries)) => Ok(flatten(&entries)),
        Some(Err(error)) => Err(format!("metadata that are no JSON object: {error}")),
    }
}

impl Catalog {
    /// Adds a document with everything derived from it. Its key is the docno of its first passage.
    pub(crate) fn add_document(&mut self, staged: &StagedDocument<'_>) -> Result<()> {
        let StagedDocument {
            id,
            title,
            text,
            metadata,
            values,
            passages,
        } = *staged;
        let [(first, _), ..] = passages else {
            return Err(Error::invalid(format!("document {id:?} has no passages")));
        };
        let (document, count) = (first.document, passages.len() as u32);
        let checksum = document_checksum((document, count), id, title, text, metadata);
        self.run(|c| {
            c.prepare_cached("INSERT INTO documents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
                .execute(params![
                    document, count, id, title, text, metadata, checksum
                ])
        })?;
        for (row, text) in passages {
            self.add_passage(row)?;
            self.add_keywords(row.docno, title, *text)?;
        }
        self.add_values(document, count, values)
    }

    fn add_passage(&mut self, row: &PassageRow) -> Result<()> {
        let checksum = passage_checksum(row);
        self.run(|c| {
            let values = params![
                row.docno,
                row.document,
                row.ordinal,
                row.start as i64,
                row.end as i64,
                row.tokens,
                checksum
            ];
            c.prepare_cached("INSERT INTO passages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
                .execute(values)
                .map(drop)
        })
    }

    /// Removes a document and marks its passages deleted as of `generation`; returns their docnos.
    pub(crate) fn delete_document(
        &mut self,
        row: &DocumentRow,
        generation: u64,
    ) -> Result<std::ops::Range<u32>> {
        let values = self.values_of(row)?;
        self.remove_values(row.document, &values)?;
        let docnos = row.document..row.document + row.passages;
        for docno in docnos.clone() {
            self.remove_keywords(docno)?;
            self.run(|c| {
                c.prepare_cached("INSERT INTO deletions VALUES (?1, ?2)")?
                    .execute(params![docno, generation as i64])?;
                c.prepare_cached("DELETE FROM passages WHERE docno = ?1")?
                    .execute([docno])
            })?;
        }
        self.run(|c| {
            c.prepare_cached("DELETE FROM documents WHERE document = ?1")?
                .execute([row.document])
        })?;
        Ok(docnos)
    }

    /// Gives a document other metadata, and touches nothing but what differs.
    pub(crate) fn update_metadata(
        &mut self,
        row: &DocumentRow,
        metadata: Option<&str>,
        values: &[FieldValue],
    ) -> Result<()> {
        let old = self.values_of(row)?;
        let differing = |from: &[FieldValue], other: &[FieldValue]| -> Vec<FieldValue> {
            // Both are sorted.
            from.iter()
                .filter(|v| other.binary_search(v).is_err())
                .cloned()
                .collect()
        };
        self.remove_values(row.document, &differing(&old, values))?;
        self.add_values(row.document, row.passages, &differing(values, &old))?;
        let checksum = document_checksum(
            (row.document, row.passages),
            &row.id,
            row.title.as_deref(),
            row.text.as_deref(),
            metadata,
        );
        self.run(|c| {
            c.prepare_cached(
                "UPDATE documents SET metadata = ?2, checksum = ?3 WHERE document = ?1",
            )?
            .execute(params![row.document, metadata, checksum])
            .map(drop)
        })
    }

    /// A stored document's metadata taken apart. They were taken apart when they came, and the checksum was right.
    pub(super) fn values_of(&self, row: &DocumentRow) -> Result<Vec<FieldValue>> {
        parse_metadata(row.metadata.as_deref()).map_err(|detail| {
            self.corrupt("documents", format!("document {:?} has {detail}", row.id))
        })
    }
}
