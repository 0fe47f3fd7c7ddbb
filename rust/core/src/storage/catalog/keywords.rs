//! The keyword index: title and text of every passage, in FTS5. Table `keywords`.
//!
//! Contentless: it holds no text, only the words of each passage and how many there are.

use rusqlite::params;

use super::Catalog;
use crate::error::Result;

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
}
