//! The class `Writer`.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use weft_core::{Error, NewDocument};

use crate::buffer::Matrix;
use crate::engine;
use crate::errors::{enter, invalid};
use crate::progress::reported;

/// The one writer of an index; gone after `commit` or `abort`.
#[pyclass(frozen, module = "weft._core")]
pub(crate) struct Writer(Mutex<Option<weft_core::Writer>>);

/// Columns of a batch of documents, of one length.
pub(crate) struct Columns {
    ids: Vec<Option<String>>,
    texts: Vec<Option<String>>,
    titles: Vec<Option<String>>,
    metadata: Vec<Option<String>>,
    spans: Vec<Vec<(u64, u64)>>,
}

impl Columns {
    pub(crate) fn new(
        ids: Vec<Option<String>>,
        texts: Vec<Option<String>>,
        titles: Vec<Option<String>>,
        metadata: Vec<Option<String>>,
        spans: Vec<Vec<(u64, u64)>>,
    ) -> PyResult<Self> {
        let n = ids.len();
        for (what, found) in [
            ("texts", texts.len()),
            ("titles", titles.len()),
            ("metadata", metadata.len()),
            ("spans", spans.len()),
        ] {
            if found != n {
                return Err(invalid(format!("{what} has {found} entries, ids has {n}")));
            }
        }
        Ok(Self {
            ids,
            texts,
            titles,
            metadata,
            spans,
        })
    }

    /// The same, document by document.
    pub(crate) fn documents(&self) -> Vec<NewDocument<'_>> {
        let document = |i: usize| NewDocument {
            id: self.ids[i].as_deref(),
            text: self.texts[i].as_deref(),
            title: self.titles[i].as_deref(),
            metadata: self.metadata[i].as_deref(),
            spans: self.spans[i].clone(),
        };
        (0..self.ids.len()).map(document).collect()
    }
}

/// Whether an error left everything as it was before the call.
pub(crate) fn refused(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidInput(_)
            | Error::InvalidFilter(_)
            | Error::Dimension { .. }
            | Error::EncoderMismatch(_)
    )
}

/// What a commit did, for Python.
pub(crate) fn committed<'py>(
    py: Python<'py>,
    committed: &weft_core::Committed,
) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("added", committed.added)?;
    out.set_item("replaced", committed.replaced)?;
    out.set_item("deleted", committed.deleted)?;
    out.set_item("updated", committed.updated)?;
    out.set_item("generation", committed.generation)?;
    Ok(out)
}

impl Writer {
    pub(crate) fn new(writer: weft_core::Writer) -> Self {
        Self(Mutex::new(Some(writer)))
    }

    /// Works with the writer, which stays for further calls when this one was done or refused.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut weft_core::Writer) -> weft_core::Result<T> + Send,
    ) -> PyResult<T> {
        // Taken out for the time of the call: a second thread gets an error instead of a wait that Python does not see.
        let mut writer = self.take()?;
        let (writer, result) = enter(py, || {
            let result = work(&mut writer);
            Ok((writer, result))
        })?;
        // Any other error may have come half way: what was staged until then must never be committed.
        if result.as_ref().err().is_none_or(refused) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
        }
        result.map_err(|e| crate::errors::convert(py, e))
    }

    fn take(&self) -> PyResult<weft_core::Writer> {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        writer.ok_or_else(|| {
            invalid("the writer was committed or aborted already: begin a new one".into())
        })
    }
}

#[pymethods]
impl Writer {
    #[allow(
        clippy::too_many_arguments,
        reason = "columns of a batch, as Python has them"
    )]
    fn add(
        &self,
        py: Python<'_>,
        ids: Vec<Option<String>>,
        texts: Vec<Option<String>>,
        titles: Vec<Option<String>>,
        metadata: Vec<Option<String>>,
        spans: Vec<Vec<(u64, u64)>>,
        lengths: Vec<usize>,
        vectors: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<String>> {
        let columns = Columns::new(ids, texts, titles, metadata, spans)?;
        let vectors = Matrix::read(vectors, "vectors")?;
        if vectors.rows != lengths.iter().sum::<usize>() {
            let (rows, tokens) = (vectors.rows, lengths.iter().sum::<usize>());
            return Err(invalid(format!(
                "vectors has {rows} rows, lengths add up to {tokens}"
            )));
        }
        self.with(py, |writer| {
            let documents = columns.documents();
            writer.add(&documents, &lengths, &vectors.values, vectors.columns)
        })
    }

    fn delete(&self, py: Python<'_>, ids: Vec<String>) -> PyResult<u64> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.with(py, |writer| writer.delete(&ids))
    }

    fn delete_where(&self, py: Python<'_>, filter: &str) -> PyResult<u64> {
        let filter = engine::filter(py, filter)?;
        self.with(py, |writer| writer.delete_where(&filter))
    }

    fn select(&self, py: Python<'_>, filter: &str) -> PyResult<Vec<String>> {
        let filter = engine::filter(py, filter)?;
        self.with(py, |writer| writer.select(&filter))
    }

    fn metadata(&self, py: Python<'_>, ids: Vec<String>) -> PyResult<Vec<Option<String>>> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.with(py, |writer| writer.metadata(&ids))
    }

    fn update(
        &self,
        py: Python<'_>,
        ids: Vec<String>,
        metadata: Vec<Option<String>>,
    ) -> PyResult<u64> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let metadata: Vec<Option<&str>> = metadata.iter().map(Option::as_deref).collect();
        self.with(py, |writer| writer.update(&ids, &metadata))
    }

    fn set_encoder(&self, py: Python<'_>, description: &str) -> PyResult<()> {
        self.with(py, |writer| writer.set_encoder(description))
    }

    #[pyo3(signature = (progress=None))]
    fn commit<'py>(
        &self,
        py: Python<'py>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let writer = self.take()?;
        let done = enter(py, || {
            reported(progress.as_ref(), |progress| writer.commit(progress))
        })?;
        committed(py, &done)
    }

    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        enter(py, || {
            drop(writer);
            Ok(())
        })
    }
}
