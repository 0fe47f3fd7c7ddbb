//! Python's progress callbacks.

use pyo3::prelude::*;
use weft_core::{Progress, Result, Stage};

use crate::errors::stop;

/// Runs work that reports. The callback is called on the thread of the caller: signals are seen, and Python's code runs where the
/// user expects it. Call without the interpreter.
pub(crate) fn reported<T>(
    callback: Option<&Py<PyAny>>,
    work: impl FnOnce(&mut Progress<'_>) -> Result<T>,
) -> Result<T> {
    let mut call = |stage: Stage, done: u64, total: u64| {
        Python::attach(|py| {
            py.check_signals()?;
            match callback {
                Some(callback) => callback.call1(py, (stage.name(), done, total)).map(drop),
                None => Ok(()),
            }
        })
        .map_err(stop)
    };
    work(&mut Progress::new(&mut call))
}
