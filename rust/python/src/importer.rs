//! The class `Importer`.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use weft_core::codec::parts::CodebookParts;
use weft_core::codec::table::ResidualTables;
use weft_core::{CentroidType, Codec};

use crate::buffer::{Matrix, byte_rows, codes, floats};
use crate::errors::{enter, invalid};
use crate::held::Held;
use crate::progress::reported;
use crate::writer::{Columns, committed};

/// A new index in the making; gone after `commit` or `abort`.
#[pyclass(frozen, module = "weft._core")]
pub(crate) struct Importer(Held<weft_core::Importer>);

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
        let gone = "the importer was committed or aborted already: create a new one";
        Ok(Self(Held::new(importer, gone)))
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
        self.0.with(py, |importer| {
            importer.check_width(width)?;
            importer.add(&columns.documents(), &lengths, &codes, &residuals)
        })
    }

    fn set_encoder(&self, py: Python<'_>, description: &str) -> PyResult<()> {
        self.0
            .with(py, |importer| importer.set_encoder(description))
    }

    #[pyo3(signature = (progress=None))]
    fn commit<'py>(
        &self,
        py: Python<'py>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let importer = self.0.take()?;
        let done = enter(py, || {
            reported(progress.as_ref(), |progress| importer.commit(progress))
        })?;
        committed(py, &done)
    }

    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.0.abort(py)
    }
}
