//! Documents and their passages, as they are read. A document's key is the docno of its first passage; its passages have the docnos from
//! there on.

use rusqlite::{OptionalExtension, Row};

use super::{Catalog, unsigned};
use crate::error::Result;
use crate::filter::Filter;
use crate::filter::set::DocumentSet;

/// A row of `documents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DocumentRow {
    pub(crate) document: u32,
    pub(crate) passages: u32,
    pub(crate) id: String,
    pub(crate) title: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) metadata: Option<String>,
}

/// A row of `passages`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PassageRow {
    pub(crate) docno: u32,
    pub(crate) document: u32,
    pub(crate) ordinal: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) tokens: u32,
}

pub(super) fn document_checksum(
    (document, passages): (u32, u32),
    id: &str,
    title: Option<&str>,
    text: Option<&str>,
    metadata: Option<&str>,
) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for number in [document, passages] {
        hasher.update(&u64::from(number).to_le_bytes());
    }
    for field in [Some(id), title, text, metadata] {
        match field {
            Some(value) => {
                hasher.update(&(value.len() as u64).to_le_bytes());
                hasher.update(value.as_bytes());
            }
            None => hasher.update(&u64::MAX.to_le_bytes()),
        }
    }
    hasher.finalize()
}

pub(super) fn passage_checksum(row: &PassageRow) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    let fields = [
        u64::from(row.docno),
        u64::from(row.document),
        u64::from(row.ordinal),
        row.start,
        row.end,
        u64::from(row.tokens),
    ];
    for field in fields {
        hasher.update(&field.to_le_bytes());
    }
    hasher.finalize()
}

impl Catalog {
    /// Numbers of documents and live passages, and tokens of live passages.
    pub(crate) fn counts(&mut self) -> Result<(u64, u64, u64)> {
        self.run(|c| {
            let documents =
                c.query_row("SELECT count(*) FROM documents", [], |row| unsigned(row, 0))?;
            c.query_row(
                "SELECT count(*), coalesce(sum(tokens), 0) FROM passages",
                [],
                |row| Ok((documents, unsigned(row, 0)?, unsigned(row, 1)?)),
            )
        })
    }

    pub(crate) fn document_count(&mut self) -> Result<u64> {
        self.run(|c| c.query_row("SELECT count(*) FROM documents", [], |row| unsigned(row, 0)))
    }

    /// Makes sure that a document which the table of values gave for a filter does match it: a damaged row there must not become a
    /// wrong answer.
    pub(crate) fn verify_match(&self, row: &DocumentRow, filter: &Filter) -> Result<()> {
        let metadata = serde_json::from_str(row.metadata.as_deref().unwrap_or("{}"));
        match metadata.is_ok_and(|metadata| filter.matches(&metadata)) {
            true => Ok(()),
            false => Err(self.corrupt(
                "field_values",
                format!(
                    "it does not agree with the metadata of document {:?}",
                    row.id
                ),
            )),
        }
    }

    pub(crate) fn passage(&mut self, docno: u32) -> Result<PassageRow> {
        let row = self.run(|c| {
            let sql = "SELECT docno, document, ordinal, start, end, tokens, checksum FROM passages WHERE docno = ?1";
            c.prepare_cached(sql)?.query_row([docno], passage_row).optional()
        })?;
        match row {
            Some((row, checksum)) if checksum == passage_checksum(&row) => Ok(row),
            Some(_) => Err(self.corrupt("passages", format!("wrong checksum of passage {docno}"))),
            None => Err(self.corrupt(
                "passages",
                format!("passage {docno} stands in a segment but not here"),
            )),
        }
    }

    pub(crate) fn passages_of(&mut self, document: u32) -> Result<Vec<PassageRow>> {
        let rows: Vec<(PassageRow, u32)> = self.run(|c| {
            let sql = "SELECT docno, document, ordinal, start, end, tokens, checksum FROM passages \
                       WHERE docno >= ?1 AND docno < ?1 + (SELECT passages FROM documents WHERE document = ?1)";
            let mut statement = c.prepare_cached(sql)?;
            let rows = statement.query_map([document], passage_row)?;
            rows.collect()
        })?;
        if rows.is_empty()
            || rows.iter().any(|(row, checksum)| {
                *checksum != passage_checksum(row) || row.document != document
            })
        {
            return Err(self.corrupt(
                "passages",
                format!("the passages of document {document} are not whole"),
            ));
        }
        Ok(rows.into_iter().map(|(row, _)| row).collect())
    }

    pub(crate) fn document(&mut self, document: u32) -> Result<DocumentRow> {
        let found = self.find_document("document = ?1", &document)?;
        found.ok_or_else(|| {
            self.corrupt(
                "documents",
                format!("document {document} has passages but no row"),
            )
        })
    }

    pub(crate) fn document_by_id(&mut self, id: &str) -> Result<Option<DocumentRow>> {
        self.find_document("id = ?1", &id)
    }

    pub(super) fn find_document(
        &mut self,
        filter: &str,
        value: &dyn rusqlite::ToSql,
    ) -> Result<Option<DocumentRow>> {
        let row = self.run(|c| {
            let sql = format!(
                "SELECT document, passages, id, title, text, metadata, checksum FROM documents WHERE {filter}"
            );
            c.prepare_cached(&sql)?
                .query_row([value], |row| {
                    let document = DocumentRow {
                        document: row.get(0)?,
                        passages: row.get(1)?,
                        id: row.get(2)?,
                        title: row.get(3)?,
                        text: row.get(4)?,
                        metadata: row.get(5)?,
                    };
                    Ok((document, row.get::<_, u32>(6)?))
                })
                .optional()
        })?;
        match row {
            None => Ok(None),
            Some((d, checksum)) => {
                let right = document_checksum(
                    (d.document, d.passages),
                    &d.id,
                    d.title.as_deref(),
                    d.text.as_deref(),
                    d.metadata.as_deref(),
                );
                if right != checksum {
                    return Err(self.corrupt(
                        "documents",
                        format!("wrong checksum of document {:?}", d.id),
                    ));
                }
                Ok(Some(d))
            }
        }
    }

    /// Up to `limit` documents of a set, of all when there is none, from the key `from` on, ascending: in the order of their adding.
    pub(crate) fn documents_in(
        &mut self,
        set: Option<&DocumentSet>,
        from: u32,
        limit: usize,
    ) -> Result<Vec<(u32, String)>> {
        let entry = |row: &Row<'_>| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?));
        if let Some(set) = set.filter(|set| !set.complement) {
            let mut out = Vec::new();
            for document in set.documents.iter_from(from).take(limit) {
                let sql = "SELECT document, id FROM documents WHERE document = ?1";
                let found = self.run(|c| {
                    c.prepare_cached(sql)?
                        .query_row([document], entry)
                        .optional()
                })?;
                out.push(found.ok_or_else(|| {
                    self.corrupt(
                        "field_values",
                        format!("it has values of document {document}, which is not there"),
                    )
                })?);
            }
            return Ok(out);
        }
        self.run(|c| {
            let sql = "SELECT document, id FROM documents WHERE document >= ?1 ORDER BY document";
            let mut statement = c.prepare_cached(sql)?;
            let mut rows = statement.query([from])?;
            let mut out = Vec::new();
            while out.len() < limit {
                let Some(row) = rows.next()? else { break };
                let found = entry(row)?;
                if set.is_none_or(|set| set.contains(found.0)) {
                    out.push(found);
                }
            }
            Ok(out)
        })
    }

    /// Every docno that has a row, ascending: for `check`.
    pub(crate) fn docnos(&mut self) -> Result<Vec<u32>> {
        self.run(|c| {
            let mut statement = c.prepare("SELECT docno FROM passages ORDER BY docno")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        })
    }
}

fn passage_row(row: &Row<'_>) -> rusqlite::Result<(PassageRow, u32)> {
    let passage = PassageRow {
        docno: row.get(0)?,
        document: row.get(1)?,
        ordinal: row.get(2)?,
        start: unsigned(row, 3)?,
        end: unsigned(row, 4)?,
        tokens: row.get(5)?,
    };
    Ok((passage, row.get(6)?))
}
