//! Going through documents page by page while others change the index.

use super::Index;
use super::results::Document;
use super::select::in_full;
use super::snapshot::Snapshot;
use crate::error::Result;
use crate::filter::Filter;
use crate::storage::catalog::Catalog;

/// How far a walk over documents has come; the default is its beginning.
///
/// It counts in docnos, which are never used again, so that documents may be deleted and replaced while one walks: what is there
/// from the beginning to the end is met once. What is added after the beginning is not met: to replace each document that is met
/// would never end otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The first docno that was not looked at.
    pub from: u32,
    /// The first that was not given yet at the beginning; absent until a page was read.
    pub until: Option<u32>,
}

impl Cursor {
    fn page(
        &mut self,
        index: &Index,
        filter: Option<&Filter>,
        limit: usize,
        catalog: &mut Catalog,
        snapshot: &Snapshot,
    ) -> Result<Vec<(u32, String)>> {
        let until = match self.until {
            Some(until) => until,
            None => catalog.settings()?.next_docno,
        };
        let selection = index.selection(filter, catalog, snapshot)?;
        let set = selection.as_ref().map(|s| &s.set);
        let mut page = catalog.documents_in(set, self.from, limit)?;
        let full = page.len() == limit;
        page.retain(|&(key, _)| key < until);
        *self = Self {
            from: match page.last() {
                Some(&(key, _)) if full => key + 1,
                _ => until,
            },
            until: Some(until),
        };
        Ok(page)
    }
}

impl Index {
    /// Ids of the next documents that match, of all without a filter, in the order of their adding; none at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::Error::Corrupt) when the catalogue is damaged.
    pub fn walk_ids(
        &self,
        filter: Option<&Filter>,
        cursor: &mut Cursor,
        limit: usize,
    ) -> Result<Vec<String>> {
        self.read(|catalog, snapshot| {
            let page = cursor.page(self, filter, limit, catalog, snapshot)?;
            Ok(page.into_iter().map(|(_, id)| id).collect())
        })
    }

    /// Documents in full, otherwise as [`walk_ids`](Self::walk_ids).
    ///
    /// # Errors
    /// As [`walk_ids`](Self::walk_ids).
    pub fn walk(
        &self,
        filter: Option<&Filter>,
        cursor: &mut Cursor,
        limit: usize,
    ) -> Result<Vec<Document>> {
        self.read(|catalog, snapshot| {
            let page = cursor.page(self, filter, limit, catalog, snapshot)?;
            in_full(page, filter, catalog)
        })
    }
}
