//! Reading a catalogue that may be damaged: as many rows as SQLite still finds, instead of all or an error.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Access, Catalog, DocumentRow, FILE};
use crate::error::{Error, Result};

/// Keys of documents, from every place that names them.
#[derive(Debug, Default)]
pub(crate) struct DocumentKeys {
    /// Those that the rows themselves gave, ascending.
    pub(crate) rows: Vec<u32>,
    /// Ids by key, from the index over the ids, of documents that are not among the rows.
    pub(crate) others: HashMap<u32, String>,
    /// What stopped the reading of rows: there may be more.
    pub(crate) damage: Option<Error>,
}

impl Catalog {
    /// Opens a private copy of a catalogue, with a log beside it. Errors name `original`.
    pub(crate) fn open_copy(directory: &Path, original: PathBuf) -> Result<Self> {
        let open = || {
            let mut catalog = Self::open(directory, Access::Read, Duration::ZERO)?;
            catalog.begin(Access::Read)?;
            Ok(catalog)
        };
        let copy = directory.join(FILE);
        match open() {
            Ok(mut catalog) => {
                catalog.path = original;
                Ok(catalog)
            }
            Err(Error::Incompatible {
                found, supported, ..
            }) => Err(Error::Incompatible {
                path: original,
                found,
                supported,
            }),
            Err(error) => {
                let said = error.to_string();
                let said = said.replace(&*copy.to_string_lossy(), FILE);
                let detail = format!(
                    "nothing can be read of it, and only it knows ids and texts ({said}); the command `.recover` of the \
                     program sqlite3 may still find rows"
                );
                Err(Error::corrupt(&original, "its first page", detail))
            }
        }
    }

    /// The document with a key, if there is one.
    pub(crate) fn document_if_any(&mut self, document: u32) -> Result<Option<DocumentRow>> {
        self.find_document("document = ?1", &document)
    }

    /// All keys that can be found, from the front, and after damage from the back.
    pub(crate) fn document_keys(&mut self) -> DocumentKeys {
        let mut keys = DocumentKeys::default();
        let sql = "SELECT document FROM documents NOT INDEXED ORDER BY document";
        if let Err(error) = self.each(sql, |row| {
            keys.rows.push(row.get(0)?);
            Ok(())
        }) {
            keys.damage = Some(error);
            let mut back = Vec::new();
            let _known = self.each(&format!("{sql} DESC"), |row| {
                back.push(row.get(0)?);
                Ok(())
            });
            keys.rows.append(&mut back);
        }
        keys.rows.sort_unstable();
        keys.rows.dedup();
        // The index over ids has ids and keys and needs no row for them.
        let sql = "SELECT document, id FROM documents INDEXED BY sqlite_autoindex_documents_1 ORDER BY id";
        let (mut others, rows) = (HashMap::new(), &keys.rows);
        let found = self.each(sql, |row| {
            let document = row.get(0)?;
            if rows.binary_search(&document).is_err() {
                others.insert(document, row.get(1)?);
            }
            Ok(())
        });
        keys.others = others;
        keys.damage = keys.damage.or(found.err());
        keys
    }

    /// Calls for every row until the last or until SQLite stops.
    fn each(
        &mut self,
        sql: &str,
        mut call: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        self.run(|c| {
            let mut statement = c.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                call(row)?;
            }
            Ok(())
        })
    }
}
