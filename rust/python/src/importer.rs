//! The class `Importer`.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use weft_core::codec::parts::CodebookParts;
use weft_core::codec::table::ResidualTables;
use weft_core::{CentroidType, Codec};

use crate::buffer::{Matrix, byte_rows, codes, floats};
use crate::errors::{convert, enter, invalid};
use crate::progress::reported;
use crate::writer::{Columns, committed, refused};

/// A new index in the making; gone after `commit` or `abort`.
#[pyclass(frozen, module = "weft._core")]
pub(crate) struct Importer {
    importer: Mutex<Option<weft_core::Importer>>,
}

impl Importer {
    /// Works with the importer, which stays for further calls when this one was done or refused.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut weft_core::Importer) -> weft_core::Result<T> + Send,
    ) -> PyResult<T> {
        let mut importer = self.take()?;
        let (importer, result) = enter(py, || {
            let result = work(&mut importer);
            // Any other error may have come half way: what was staged until then must never be committed.
            let keep = result.as_ref().err().is_none_or(refused);
            Ok((keep.then_some(importer), result))
        })?;
        *self.slot() = importer;
        result.map_err(|e| convert(py, e))
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<weft_core::Importer>> {
        self.importer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> PyResult<weft_core::Importer> {
        self.slot().take().ok_or_else(|| {
            invalid("the importer was committed or aborted already: create a new one".into())
        })
    }
}

#[pymethods]
impl Importer {
    #[staticmethod]
    #[pyo3(signature = (path, *, nbits, centroids, cutoffs, weights, threads=None))]
    fn create(
        py: Python<'_>,
        path: PathBuf,
        nbits: u32,
        centroids: &Bound<'_, PyAny>,
        cutoffs: &Bound<'_, PyAny>,
        weights: &Bound<'_, PyAny>,
        threads: Option<usize>,
    ) -> PyResult<Self> {
        let centroids = Matrix::read(centroids, "centroids")?;
        let tables = ResidualTables {
            cutoffs: floats(cutoffs, "cutoffs")?,
            weights: floats(weights, "weights")?,
        };
        let parts = CodebookParts {
            dim: centroids.columns,
            nbits,
            codec: Codec::Plaid,
            centroids: centroids.values,
            centroid_type: match centroids.half {
                true => CentroidType::Float16,
                false => CentroidType::Float32,
            },
            tables,
        };
        let importer = enter(py, || weft_core::Importer::create(&path, parts, threads))?;
        Ok(Self {
            importer: Mutex::new(Some(importer)),
        })
    }

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
        codes: &Bound<'_, PyAny>,
        residuals: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<String>> {
        let columns = Columns::new(ids, texts, titles, metadata, spans)?;
        let codes = self::codes(codes, "codes")?;
        let (residuals, rows, width) = byte_rows(residuals, "residuals")?;
        if rows != codes.len() {
            let n = codes.len();
            return Err(invalid(format!("residuals has {rows} rows, codes has {n}")));
        }
        self.with(py, |importer| {
            importer.check_width(width)?;
            importer.add(&columns.documents(), &lengths, &codes, &residuals)
        })
    }

    fn set_encoder(&self, py: Python<'_>, description: &str) -> PyResult<()> {
        self.with(py, |importer| importer.set_encoder(description))
    }

    #[pyo3(signature = (progress=None))]
    fn commit<'py>(
        &self,
        py: Python<'py>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let importer = self.take()?;
        let done = enter(py, || {
            reported(progress.as_ref(), |progress| importer.commit(progress))
        })?;
        committed(py, &done)
    }

    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        let importer = self.slot().take();
        enter(py, || {
            drop(importer);
            Ok(())
        })
    }
}
