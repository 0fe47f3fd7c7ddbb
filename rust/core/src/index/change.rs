//! Changes without vectors: deleting, updating metadata, remembering the encoder.

use std::sync::Arc;

use super::Index;
use super::write::Writer;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::filter::cache::Unkept;
use crate::filter::evaluate::evaluate;
use crate::progress::Progress;
use crate::storage::catalog::{DocumentRow, parse_metadata};

impl Index {
    /// Deletes documents; unknown ids are passed over. Returns how many there were.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn delete(self: &Arc<Self>, ids: &[&str]) -> Result<u64> {
        let mut writer = self.begin()?;
        let deleted = writer.delete(ids)?;
        if deleted > 0 {
            writer.commit(&mut Progress::none())?;
        }
        Ok(deleted)
    }

    /// Deletes the documents that match a filter. Returns how many there were.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn delete_where(self: &Arc<Self>, filter: &Filter) -> Result<u64> {
        let mut writer = self.begin()?;
        let deleted = writer.delete_where(filter)?;
        if deleted > 0 {
            writer.commit(&mut Progress::none())?;
        }
        Ok(deleted)
    }
}

impl Writer {
    pub(super) fn remove(&mut self, id: &str) -> Result<bool> {
        match self.catalog.document_by_id(id)? {
            Some(row) => self.remove_row(&row).map(|()| true),
            None => Ok(false),
        }
    }

    fn remove_row(&mut self, row: &DocumentRow) -> Result<()> {
        let generation = self.generation();
        self.dead
            .extend(self.catalog.delete_document(row, generation)?);
        self.staged = true;
        Ok(())
    }

    /// Stages the deletion of documents; says how many there were.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the catalogue is damaged.
    pub fn delete(&mut self, ids: &[&str]) -> Result<u64> {
        let mut deleted = 0;
        for id in ids {
            deleted += u64::from(self.remove(id)?);
        }
        self.deleted += deleted;
        Ok(deleted)
    }

    /// Stages the deletion of all documents that match a filter, those staged by this writer included; says how many there were.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub fn delete_where(&mut self, filter: &Filter) -> Result<u64> {
        let set = evaluate(&filter.0, &mut self.catalog, &Unkept)?;
        let found = self.catalog.documents_in(Some(&set), 0, usize::MAX)?;
        for (document, _) in &found {
            let row = self.catalog.document(*document)?;
            self.catalog.verify_match(&row, filter)?;
            self.remove_row(&row)?;
        }
        self.deleted += found.len() as u64;
        Ok(found.len() as u64)
    }

    /// Ids of the documents that match a filter, those staged by this writer included, in the order of their adding.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub fn select(&mut self, filter: &Filter) -> Result<Vec<String>> {
        let set = evaluate(&filter.0, &mut self.catalog, &Unkept)?;
        let found = self.catalog.documents_in(Some(&set), 0, usize::MAX)?;
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    /// Metadata of documents, `{}` for one that has none, `None` where there is no such document.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub fn metadata(&mut self, ids: &[&str]) -> Result<Vec<Option<String>>> {
        let each = |id: &&str| {
            let row = self.catalog.document_by_id(id)?;
            Ok(row.map(|row| row.metadata.unwrap_or_else(|| "{}".into())))
        };
        ids.iter().map(each).collect()
    }

    /// Stages other metadata, a JSON object or none at all, for documents; their vectors are not touched. Unknown ids are passed over.
    /// Says how many there were.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when the lists do not fit or metadata are no JSON object; then nothing of the call was staged.
    pub fn update(&mut self, ids: &[&str], metadata: &[Option<&str>]) -> Result<u64> {
        if ids.len() != metadata.len() {
            let (n, m) = (ids.len(), metadata.len());
            return Err(Error::invalid(format!(
                "metadata has {m} entries, ids has {n}"
            )));
        }
        let taken_apart = |(id, metadata): (&&str, &Option<&str>)| {
            parse_metadata(*metadata)
                .map_err(|e| Error::invalid(format!("document {id:?} is to have {e}")))
        };
        let values: Vec<_> = ids
            .iter()
            .zip(metadata)
            .map(taken_apart)
            .collect::<Result<_>>()?;
        let mut updated = 0;
        for ((id, metadata), values) in ids.iter().zip(metadata).zip(&values) {
            if let Some(row) = self.catalog.document_by_id(id)? {
                self.catalog.update_metadata(&row, *metadata, values)?;
                updated += 1;
            }
        }
        self.updated += updated;
        self.staged |= updated > 0;
        Ok(updated)
    }

    /// Remembers the encoder that the index is made with: JSON with a `fingerprint`. The first one stays.
    ///
    /// # Errors
    /// [`Error::EncoderMismatch`] when the index was made with another one.
    pub fn set_encoder(&mut self, description: &str) -> Result<()> {
        let given = self.catalog.fingerprint(description)?;
        let Some(stored) = self.settings.encoder.clone() else {
            self.catalog.set("encoder", description)?;
            self.settings.encoder = Some(description.to_owned());
            self.staged = true;
            return Ok(());
        };
        if self.catalog.fingerprint(&stored)? == given {
            return Ok(());
        }
        let path = self.index.directory.display();
        Err(Error::EncoderMismatch(format!(
            "'{path}' was made with the encoder {stored}, not with {description}: open it with that one, or make a new index"
        )))
    }
}
