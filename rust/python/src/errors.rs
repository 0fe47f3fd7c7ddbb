//! From the engine's errors to the exceptions of `weft.errors`.

use std::cell::RefCell;

use pyo3::exceptions::{PyKeyboardInterrupt, PyMemoryError, PyOSError, PyPermissionError};
use pyo3::prelude::*;
use weft_core::Error;

thread_local! {
    /// The exception that a callback or a signal raised while the engine was at work on this thread.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Keeps an exception and tells the engine to stop.
pub(crate) fn stop(error: PyErr) -> Error {
    RAISED.set(Some(error));
    Error::Interrupted
}

/// Looks for Ctrl-C. Python does so only on its main thread; elsewhere this is always fine.
pub(crate) fn poll() -> weft_core::Result<()> {
    Python::attach(|py| py.check_signals()).map_err(stop)
}

/// An exception class of `weft.errors`, with a message.
fn named(py: Python<'_>, class: &str, message: String) -> PyErr {
    let raise = || py.import("weft.errors")?.getattr(class)?.call1((message,));
    match raise() {
        Ok(value) => PyErr::from_value(value),
        Err(error) => error,
    }
}

/// A bad argument.
pub(crate) fn invalid(message: String) -> PyErr {
    Python::attach(|py| named(py, "InvalidInput", message))
}

/// Every error of the engine has its class; there is no catch-all.
pub(crate) fn convert(py: Python<'_>, error: Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::NotFound { .. } => named(py, "IndexNotFound", message),
        Error::NotAnIndex { .. } => named(py, "IndexExists", message),
        Error::Locked { .. } => named(py, "IndexLocked", message),
        Error::ReadOnly { .. } => named(py, "ReadOnlyIndex", message),
        Error::Corrupt { .. } => named(py, "CorruptIndex", message),
        Error::Incompatible { .. } => named(py, "IncompatibleIndex", message),
        Error::InvalidInput(_) | Error::Dimension { .. } => named(py, "InvalidInput", message),
        Error::InvalidFilter(_) => named(py, "InvalidFilter", message),
        Error::DocumentNotFound { .. } => named(py, "DocumentNotFound", message),
        Error::EncoderMismatch(_) => named(py, "EncoderMismatch", message),
        Error::Io { source, .. } => match source.kind() {
            std::io::ErrorKind::PermissionDenied => PyPermissionError::new_err(message),
            std::io::ErrorKind::OutOfMemory => PyMemoryError::new_err(message),
            // With the number, so that callers can tell a full disk from the rest.
            _ => match source.raw_os_error() {
                Some(number) => PyOSError::new_err((number, message)),
                None => PyOSError::new_err(message),
            },
        },
        Error::Catalog { .. } => PyOSError::new_err(message),
        Error::Interrupted => RAISED
            .take()
            .unwrap_or_else(|| PyKeyboardInterrupt::new_err(message)),
    }
}

/// The one way into the engine: the interpreter is released, errors are converted. No other `detach` stands in this crate.
pub(crate) fn enter<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> weft_core::Result<T> + Send,
) -> PyResult<T> {
    py.detach(work).map_err(|error| convert(py, error))
}
