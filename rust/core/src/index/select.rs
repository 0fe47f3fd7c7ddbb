//! Documents by filter, in pages, in the order of their adding.

use std::sync::Arc;

use super::Index;
use super::results::{Document, document};
use super::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::filter::cache::Selection;
use crate::storage::catalog::Catalog;

/// The documents of a page, each looked at once more against the filter.
pub(super) fn in_full(
    page: Vec<(u32, String)>,
    filter: Option<&Filter>,
    catalog: &mut Catalog,
) -> Result<Vec<Document>> {
    let each = |(key, _): (u32, String)| {
        let row = catalog.document(key)?;
        if let Some(filter) = filter {
            catalog.verify_match(&row, filter)?;
        }
        document(catalog, row)
    };
    page.into_iter().map(each).collect()
}

impl Index {
    /// What a filter lets through, for a read in the catalogue's transaction.
    pub(crate) fn selection(
        &self,
        filter: Option<&Filter>,
        catalog: &mut Catalog,
        snapshot: &Snapshot,
    ) -> Result<Option<Arc<Selection>>> {
        filter
            .filter(|filter| !filter.is_empty())
            .map(|filter| self.filters.select(filter, catalog, snapshot.generation))
            .transpose()
    }

    fn page(
        &self,
        filter: Option<&Filter>,
        after: Option<&str>,
        limit: usize,
        catalog: &mut Catalog,
        snapshot: &Snapshot,
    ) -> Result<Vec<(u32, String)>> {
        let from = match after {
            None => 0,
            Some(id) => match catalog.document_by_id(id)? {
                Some(row) => row.document + 1,
                None => {
                    return Err(Error::DocumentNotFound {
                        id: id.into(),
                        path: self.path().into(),
                    });
                }
            },
        };
        let selection = self.selection(filter, catalog, snapshot)?;
        catalog.documents_in(selection.as_ref().map(|s| &s.set), from, limit)
    }

    /// Up to `limit` ids of documents that match, of all without a filter, in the order of their adding, from the document behind `after`.
    ///
    /// # Errors
    /// [`Error::DocumentNotFound`] when `after` was deleted meanwhile.
    pub fn select(
        &self,
        filter: Option<&Filter>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>> {
        self.read(|catalog, snapshot| {
            let page = self.page(filter, after, limit, catalog, snapshot)?;
            Ok(page.into_iter().map(|(_, id)| id).collect())
        })
    }

    /// Up to `limit` ids, as [`select`](Self::select) without a filter.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>> {
        self.select(None, after, limit)
    }

    /// Documents in full, otherwise as [`select`](Self::select).
    ///
    /// # Errors
    /// As [`select`](Self::select), and [`Error::Corrupt`] when the catalogue is damaged.
    pub fn documents(
        &self,
        filter: Option<&Filter>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Document>> {
        self.read(|catalog, snapshot| {
            let page = self.page(filter, after, limit, catalog, snapshot)?;
            in_full(page, filter, catalog)
        })
    }

    /// How many documents match.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the catalogue is damaged.
    pub fn count(&self, filter: Option<&Filter>) -> Result<u64> {
        self.read(|catalog, snapshot| {
            let Some(selection) = self.selection(filter, catalog, snapshot)? else {
                return catalog.document_count();
            };
            let held = selection.set.documents.len() as u64;
            match selection.set.complement {
                false => Ok(held),
                true => Ok(catalog.document_count()?.saturating_sub(held)),
            }
        })
    }
}
