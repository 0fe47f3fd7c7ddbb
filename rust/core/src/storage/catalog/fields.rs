//! The values of all metadata, by field: what filters are answered from. Tables `fields`, `field_values`.
//!
//! The table is its own index: a condition on a field is one range of its key. A document's rows are found again from its
//! metadata, so there is no index by document.

use rusqlite::{Connection, OptionalExtension, params};

use super::Catalog;
use crate::error::Result;
use crate::filter::flatten::FieldValue;

/// Values of one kind from a key on, up to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ValueRange {
    pub(crate) kind: u8,
    pub(crate) from: Vec<u8>,
    pub(crate) to: Vec<u8>,
}

impl Catalog {
    /// Calls with document, number of passages and value of every row in a range.
    pub(crate) fn scan_values(
        &mut self,
        path: &str,
        range: &ValueRange,
        mut call: impl FnMut(u32, u32, &[u8]),
    ) -> Result<()> {
        let (limit, mut strange) = (self.number::<u32>("next_docno")?, None);
        self.run(|c| {
            let Some(field) = field(c, path)? else {
                return Ok(());
            };
            let sql = "SELECT document, passages, value FROM field_values \
                       WHERE field = ?1 AND kind = ?2 AND value >= ?3 AND value < ?4";
            let mut statement = c.prepare_cached(sql)?;
            let mut rows = statement.query(params![field, range.kind, range.from, range.to])?;
            while let Some(row) = rows.next()? {
                let (document, passages): (u32, u32) = (row.get(0)?, row.get(1)?);
                // A damaged row must not make a bitmap as large as it says.
                match document.checked_add(passages) {
                    Some(end) if end <= limit => {
                        call(document, passages, row.get_ref(2)?.as_bytes()?)
                    }
                    _ => strange = Some(document),
                }
            }
            Ok(())
        })?;
        match strange {
            None => Ok(()),
            Some(document) => Err(self.corrupt(
                "field_values",
                format!("document {document} was never given"),
            )),
        }
    }

    pub(super) fn add_values(
        &mut self,
        document: u32,
        passages: u32,
        values: &[FieldValue],
    ) -> Result<()> {
        for value in values {
            let field = self.field_or_new(&value.path)?;
            self.run(|c| {
                let row = params![field, value.kind, value.value, document, passages];
                c.prepare_cached("INSERT INTO field_values VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute(row)
            })?;
        }
        Ok(())
    }

    pub(super) fn remove_values(&mut self, document: u32, values: &[FieldValue]) -> Result<()> {
        for value in values {
            let field = self.field_or_new(&value.path)?;
            let removed = self.run(|c| {
                let sql = "DELETE FROM field_values WHERE field = ?1 AND kind = ?2 AND value = ?3 AND document = ?4";
                c.prepare_cached(sql)?
                    .execute(params![field, value.kind, value.value, document])
            })?;
            if removed != 1 {
                let detail = format!(
                    "the value of '{}' of document {document} is missing",
                    value.path
                );
                return Err(self.corrupt("field_values", detail));
            }
        }
        Ok(())
    }

    /// The number of a path. They are remembered: a writer that fails is closed, so none outlives its row.
    fn field_or_new(&mut self, path: &str) -> Result<i64> {
        if let Some(&field) = self.fields.get(path) {
            return Ok(field);
        }
        let found = self.run(|c| match field(c, path)? {
            Some(field) => Ok(field),
            None => c
                .prepare_cached("INSERT INTO fields (path) VALUES (?1)")?
                .insert([path]),
        })?;
        self.fields.insert(path.to_owned(), found);
        Ok(found)
    }
}

fn field(connection: &Connection, path: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT field FROM fields WHERE path = ?1")?
        .query_row([path], |row| row.get(0))
        .optional()
}
