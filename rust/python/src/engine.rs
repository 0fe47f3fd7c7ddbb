//! Functions of the module: CPU tiers, defaults, MaxSim without an index.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use weft_core::Filter;

use crate::buffer::{Matrix, bytes};
use crate::errors::{convert, enter, invalid};

#[pyfunction]
pub(crate) fn cpu_tier() -> String {
    weft_kernels::tier().to_string()
}

#[pyfunction]
pub(crate) fn cpu_tiers() -> Vec<String> {
    weft_kernels::available()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Defaults as the engine has them, so that no other place states them.
#[pyfunction]
#[pyo3(signature = (k=None))]
pub(crate) fn defaults(py: Python<'_>, k: Option<usize>) -> PyResult<Bound<'_, PyDict>> {
    let k = k.unwrap_or(weft_core::DEFAULT_K);
    let params = weft_core::SearchParams {
        k,
        ..Default::default()
    }
    .resolve();
    let out = PyDict::new(py);
    out.set_item("k", params.k)?;
    out.set_item("nprobe", params.nprobe)?;
    out.set_item("ndocs", params.ndocs)?;
    out.set_item("centroid_score_threshold", params.centroid_score_threshold)?;
    out.set_item("nbits", weft_core::DEFAULT_NBITS)?;
    out.set_item("codec", weft_core::Codec::Weft.name())?;
    out.set_item("seed", weft_core::DEFAULT_SEED)?;
    Ok(out)
}

#[pyfunction]
pub(crate) fn maxsim(
    py: Python<'_>,
    query: &Bound<'_, PyAny>,
    documents: Vec<Bound<'_, PyAny>>,
) -> PyResult<Vec<f32>> {
    let query = Matrix::read(query, "query")?;
    let mut matrices = Vec::with_capacity(documents.len());
    for (i, document) in documents.iter().enumerate() {
        let what = format!("documents[{i}]");
        let matrix = Matrix::read(document, &what)?;
        check_dim(&query, &matrix, &what)?;
        matrices.push(matrix);
    }
    enter(py, || {
        let passages: Vec<&[f32]> = matrices.iter().map(|m| m.values.as_slice()).collect();
        weft_core::maxsim(&query.values, &passages, query.columns)
    })
}

#[pyfunction]
pub(crate) fn maxsim_matrix<'py>(
    py: Python<'py>,
    query: &Bound<'py, PyAny>,
    document: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let (query, document) = (
        Matrix::read(query, "query")?,
        Matrix::read(document, "document")?,
    );
    check_dim(&query, &document, "document")?;
    let matches = weft_core::matches(&query.values, &document.values, query.columns)
        .map_err(|e| convert(py, e))?;
    let tokens: Vec<u32> = matches.iter().map(|m| m.token).collect();
    let similarities: Vec<f32> = matches.iter().map(|m| m.similarity).collect();
    Ok((
        bytes(py, &tokens, u32::to_le_bytes)?,
        bytes(py, &similarities, f32::to_le_bytes)?,
    ))
}

/// Raises what is wrong with a filter, before anything else is done with it.
#[pyfunction]
pub(crate) fn parse_filter(py: Python<'_>, json: &str) -> PyResult<()> {
    filter(py, json).map(drop)
}

/// A filter from its JSON.
pub(crate) fn filter(py: Python<'_>, json: &str) -> PyResult<Filter> {
    Filter::parse(json).map_err(|e| convert(py, e))
}

fn check_dim(query: &Matrix, document: &Matrix, what: &str) -> PyResult<()> {
    match query.columns == document.columns {
        true => Ok(()),
        false => {
            let (q, d) = (query.columns, document.columns);
            Err(invalid(format!(
                "{what} has dimension {d}, the query has {q}"
            )))
        }
    }
}
