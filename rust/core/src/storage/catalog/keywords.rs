//! The keyword index: title and text of every passage, in FTS5. Table `keywords`.
//!
//! Contentless: it holds no text, only the words of each passage and how many there are.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, params};

use super::{Catalog, unsigned};
use crate::bitmap::Bitmap;
use crate::error::Result;

/// The passages that SQL's function `admitted` says yes to; all when there is no set. FTS5 scores only what it lets through.
#[derive(Debug, Clone, Default)]
pub(super) struct Admitted(Arc<Mutex<Option<Arc<Bitmap>>>>);

impl Admitted {
    pub(super) fn register(connection: &Connection) -> rusqlite::Result<Self> {
        let admitted = Self::default();
        let set = admitted.clone();
        connection.create_scalar_function(
            "admitted",
            1,
            FunctionFlags::SQLITE_UTF8,
            move |context| {
                let docno: i64 = context.get(0)?;
                let set = set.0.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(set
                    .as_ref()
                    .is_none_or(|set| u32::try_from(docno).is_ok_and(|docno| set.contains(docno))))
            },
        )?;
        Ok(admitted)
    }

    fn set(&self, set: Option<Arc<Bitmap>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = set;
    }
}

impl Catalog {
    pub(super) fn add_keywords(
        &mut self,
        docno: u32,
        title: Option<&str>,
        text: Option<&str>,
    ) -> Result<()> {
        self.run(|c| {
            c.prepare_cached("INSERT INTO keywords (rowid, title, text) VALUES (?1, ?2, ?3)")?
                .execute(params![docno, title, text])
                .map(drop)
        })
    }

    pub(super) fn remove_keywords(&mut self, docno: u32) -> Result<()> {
        self.run(|c| {
            c.prepare_cached("DELETE FROM keywords WHERE rowid = ?1")?
                .execute([docno])
                .map(drop)
        })
    }

    /// How many passages there are.
    pub(crate) fn keyword_rows(&mut self) -> Result<u64> {
        self.run(|c| {
            c.query_row("SELECT count(*) FROM keywords_docsize", [], |row| {
                unsigned(row, 0)
            })
        })
    }

    /// How many passages match an FTS5 expression.
    pub(crate) fn keyword_count(&mut self, expression: &str) -> Result<u64> {
        self.run(|c| {
            c.prepare_cached("SELECT count(*) FROM keywords WHERE keywords MATCH ?1")?
                .query_row([expression], |row| unsigned(row, 0))
        })
    }

    /// Calls with docno and BM25 score, the greater the better, of every passage that matches an FTS5 expression and is in the set, if
    /// there is one.
    pub(crate) fn keyword_scores(
        &mut self,
        expression: &str,
        set: Option<&Arc<Bitmap>>,
        mut call: impl FnMut(u32, f64),
    ) -> Result<()> {
        let (limit, mut strange) = (self.number::<u32>("next_docno")?, None);
        self.admitted.set(set.cloned());
        self.run(|c| {
            let sql = match set {
                Some(_) => "SELECT rowid, bm25(keywords) FROM keywords WHERE keywords MATCH ?1 AND admitted(rowid)",
                None => "SELECT rowid, bm25(keywords) FROM keywords WHERE keywords MATCH ?1",
            };
            let mut statement = c.prepare_cached(sql)?;
            let mut rows = statement.query([expression])?;
            while let Some(row) = rows.next()? {
                // Callers keep scores by docno: a damaged one must not ask for all memory.
                match row.get::<_, u32>(0)? {
                    docno if docno < limit => call(docno, -row.get::<_, f64>(1)?),
                    docno => strange = Some(docno),
                }
            }
            Ok(())
        })?;
        match strange {
            None => Ok(()),
            Some(docno) => {
                Err(self.corrupt("keywords", format!("passage {docno} was never given")))
            }
        }
    }
}
