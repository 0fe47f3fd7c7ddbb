//! Arrays in: anything with the buffer protocol, C-contiguous, float32 or float16. One of the three homes of `unsafe`.

use pyo3::buffer::PyUntypedBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::invalid;

/// A copied array of two dimensions.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub(crate) values: Vec<f32>,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Matrix {
    /// Copies an array; `what` names it in errors.
    ///
    /// It is copied, once, while the interpreter is held: the engine works without it, when other threads could change the array.
    pub(crate) fn read(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Self> {
        let found = || {
            object
                .get_type()
                .qualname()
                .map_or_else(|_| "?".into(), |n| n.to_string())
        };
        let Ok(buffer) = PyUntypedBuffer::get(object) else {
            let found = found();
            return Err(invalid(format!(
                "{what} is a {found}, not an array of float32 or float16"
            )));
        };
        let format = buffer.format().to_string_lossy().into_owned();
        let half = match (
            format.trim_start_matches(['<', '=', '@']),
            buffer.item_size(),
        ) {
            ("f", 4) => false,
            ("e", 2) => true,
            _ => {
                let bytes = buffer.item_size();
                return Err(invalid(format!(
                    "{what} has items of format '{format}' ({bytes} bytes): convert it to float32 or float16"
                )));
            }
        };
        let &[rows, columns] = buffer.shape() else {
            let shape = buffer.shape();
            return Err(invalid(format!(
                "{what} has shape {shape:?}: it must have two dimensions, tokens and dim"
            )));
        };
        if !buffer.is_c_contiguous() {
            return Err(invalid(format!(
                "{what} is not C-contiguous: pass numpy.ascontiguousarray(...)"
            )));
        }
        let bytes = if buffer.len_bytes() == 0 {
            &[]
        } else {
            // SAFETY: the buffer is C-contiguous, so `len_bytes` bytes stand at `buf_ptr`, and they stay there as long as
            // `buffer` lives, which is longer than this slice. Bytes have no alignment and no invalid values. The
            // interpreter is held and the slice is gone before it is let go, so no Python code writes meanwhile; on a free-threaded
            // build a program that writes to an array during the call has a race of its own, as with numpy.
            unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast::<u8>(), buffer.len_bytes()) }
        };
        let values = if half {
            let halves: Vec<u16> = bytes
                .chunks_exact(2)
                .map(|b| u16::from_le_bytes([b[0], b[1]]))
                .collect();
            let mut values = vec![0.0; halves.len()];
            weft_kernels::f16_to_f32(&halves, &mut values);
            values
        } else {
            bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect()
        };
        Ok(Self {
            values,
            rows,
            columns,
        })
    }
}

/// Numbers out, as bytes that numpy wraps without a copy.
pub(crate) fn bytes<'py, const N: usize, T: Copy>(
    py: Python<'py>,
    values: &[T],
    convert: impl Fn(T) -> [u8; N],
) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, values.len() * N, |out| {
        for (out, &value) in out.chunks_exact_mut(N).zip(values) {
            out.copy_from_slice(&convert(value));
        }
        Ok(())
    })
}
