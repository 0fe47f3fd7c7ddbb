//! The function `repair`.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::enter;
use crate::progress::reported;

#[pyfunction]
#[pyo3(signature = (path, destination, progress=None))]
pub(crate) fn repair<'py>(
    py: Python<'py>,
    path: PathBuf,
    destination: PathBuf,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let repaired = enter(py, || {
        reported(progress.as_ref(), |progress| {
            weft_core::repair(&path, &destination, progress)
        })
    })?;
    let lost: Vec<(Option<String>, u32, String, bool)> = repaired
        .lost
        .into_iter()
        .map(|l| (l.id, l.docno, l.reason, l.text_is_whole))
        .collect();
    let out = PyDict::new(py);
    out.set_item("documents", repaired.documents)?;
    out.set_item("passages", repaired.passages)?;
    out.set_item("tokens", repaired.tokens)?;
    out.set_item("lost", lost)?;
    out.set_item("damage", repaired.damage)?;
    out.set_item("texts", repaired.texts)?;
    Ok(out)
}
