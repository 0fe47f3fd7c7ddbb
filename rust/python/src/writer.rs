//! The class `Writer`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use weft_core::NewDocument;

use crate::buffer::Matrix;
use crate::engine;
use crate::errors::{enter, invalid};
use crate::held::Held;
use crate::progress::reported;

/// The one writer of an index; gone after `commit` or `abort`.
#[pyclass(frozen, module = "weft._core")]
pub(crate) struct Writer(Held<weft_core::Writer>);

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
        let gone = "the writer was committed or aborted already: begin a new one";
        Self(Held::new(writer, gone))
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
        self.0.with(py, |writer| {
            let documents = columns.documents();
            writer.add(&documents, &lengths, &vectors.values, vectors.columns)
        })
    }

    fn delete(&self, py: Python<'_>, ids: Vec<String>) -> PyResult<u64> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.0.with(py, |writer| writer.delete(&ids))
    }

    fn delete_where(&self, py: Python<'_>, filter: &str) -> PyResult<u64> {
        let filter = engine::filter(py, filter)?;
        self.0.with(py, |writer| writer.delete_where(&filter))
    }

    fn select(&self, py: Python<'_>, filter: &str) -> PyResult<Vec<String>> {
        let filter = engine::filter(py, filter)?;
        self.0.with(py, |writer| writer.select(&filter))
    }

    fn metadata(&self, py: Python<'_>, ids: Vec<String>) -> PyResult<Vec<Option<String>>> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.0.with(py, |writer| writer.metadata(&ids))
    }

    fn update(
        &self,
        py: Python<'_>,
        ids: Vec<String>,
        metadata: Vec<Option<String>>,
    ) -> PyResult<u64> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let metadata: Vec<Option<&str>> = metadata.iter().map(Option::as_deref).collect();
        self.0.with(py, |writer| writer.update(&ids, &metadata))
    }

    fn set_encoder(&self, py: Python<'_>, description: &str) -> PyResult<()> {
        self.0.with(py, |writer| writer.set_encoder(description))
    }

    #[pyo3(signature = (progress=None))]
    fn commit<'py>(
        &self,
        py: Python<'py>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let writer = self.0.take()?;
        let done = enter(py, || {
            reported(progress.as_ref(), |progress| writer.commit(progress))
        })?;
        committed(py, &done)
    }

    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.0.abort(py)
    }
}
