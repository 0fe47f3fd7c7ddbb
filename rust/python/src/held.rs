//! What Python holds until it is committed or aborted: a writer, or an importer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use weft_core::{Error, Result};

use crate::errors::{convert, enter, invalid};

/// Something that works for one thread at a time and ends once.
pub(crate) struct Held<T> {
    slot: Mutex<Option<T>>,
    /// What a call is told when it has ended.
    gone: &'static str,
}

impl<T: Send> Held<T> {
    pub(crate) fn new(held: T, gone: &'static str) -> Self {
        Self {
            slot: Mutex::new(Some(held)),
            gone,
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<T>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it out for good.
    pub(crate) fn take(&self) -> PyResult<T> {
        self.slot().take().ok_or_else(|| invalid(self.gone.into()))
    }

    /// Works with it; it stays for further calls when this one was done or refused.
    pub(crate) fn with<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut T) -> Result<R> + Send,
    ) -> PyResult<R> {
        // Taken out for the time of the call: a second thread gets an error instead of a wait that Python does not see.
        let mut held = self.take()?;
        let (held, result) = enter(py, || {
            let result = work(&mut held);
            // Any other error may have come half way: what was staged until then must never be committed.
            let keep = result.as_ref().err().is_none_or(refused);
            Ok((keep.then_some(held), result))
        })?;
        *self.slot() = held;
        result.map_err(|e| convert(py, e))
    }

    /// Lets go of it, if it is still there.
    pub(crate) fn abort(&self, py: Python<'_>) -> PyResult<()> {
        let held = self.slot().take();
        enter(py, || {
            drop(held);
            Ok(())
        })
    }
}

/// Whether an error left everything as it was before the call.
fn refused(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidInput(_)
            | Error::InvalidFilter(_)
            | Error::Dimension { .. }
            | Error::EncoderMismatch(_)
    )
}
