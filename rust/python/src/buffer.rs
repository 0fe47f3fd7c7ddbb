//! Arrays in: anything with the buffer protocol, C-contiguous, of the types each call names. One of the three homes of `unsafe`.

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
    /// Whether it was float16.
    pub(crate) half: bool,
}

impl Matrix {
    /// Copies an array; `what` names it in errors.
    pub(crate) fn read(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Self> {
        let array = Array::get(object, what, FLOATS)?;
        let &[rows, columns] = array.buffer.shape() else {
            let shape = array.buffer.shape();
            return Err(invalid(format!(
                "{what} has shape {shape:?}: it must have two dimensions, tokens and dim"
            )));
        };
        let half = array.item == 'e';
        let values = array.floats();
        Ok(Self {
            values,
            rows,
            columns,
            half,
        })
    }
}

/// Copies an array of one dimension, float32 or float16.
pub(crate) fn floats(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<f32>> {
    let array = Array::get(object, what, FLOATS)?;
    array.one_dimension()?;
    Ok(array.floats())
}

/// Copies an array of one dimension, uint32 or int32 without negative numbers.
pub(crate) fn codes(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<u32>> {
    let array = Array::get(object, what, CODES)?;
    array.one_dimension()?;
    let signed = matches!(array.item, 'i' | 'l');
    let bytes = array.bytes().chunks_exact(4);
    let values: Vec<u32> = bytes
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    let negative = |v: &u32| signed && v.cast_signed() < 0;
    match values.iter().position(negative) {
        Some(at) => {
            let value = values[at].cast_signed();
            Err(invalid(format!("{what}[{at}] is {value}")))
        }
        None => Ok(values),
    }
}

/// Copies an array of two dimensions of bytes: rows and their width.
pub(crate) fn byte_rows(
    object: &Bound<'_, PyAny>,
    what: &str,
) -> PyResult<(Vec<u8>, usize, usize)> {
    let array = Array::get(object, what, BYTES)?;
    let &[rows, width] = array.buffer.shape() else {
        let shape = array.buffer.shape();
        return Err(invalid(format!(
            "{what} has shape {shape:?}: it must have two dimensions, tokens and bytes"
        )));
    };
    Ok((array.bytes().to_vec(), rows, width))
}

/// Formats of items with their sizes, and what to call them.
type Items = (&'static [(char, usize)], &'static str);
const FLOATS: Items = (&[('f', 4), ('e', 2)], "float32 or float16");
const CODES: Items = (&[('i', 4), ('I', 4), ('l', 4), ('L', 4)], "int32 or uint32");
const BYTES: Items = (&[('B', 1)], "uint8");

/// An array that was found to hold what is wanted.
struct Array<'a> {
    buffer: PyUntypedBuffer,
    item: char,
    what: &'a str,
}

impl<'a> Array<'a> {
    fn get(object: &Bound<'_, PyAny>, what: &'a str, (items, named): Items) -> PyResult<Self> {
        let found = || {
            object
                .get_type()
                .qualname()
                .map_or_else(|_| "?".into(), |n| n.to_string())
        };
        let Ok(buffer) = PyUntypedBuffer::get(object) else {
            let found = found();
            return Err(invalid(format!(
                "{what} is a {found}, not an array of {named}"
            )));
        };
        let format = buffer.format().to_string_lossy().into_owned();
        let (code, size) = (
            format.trim_start_matches(['<', '=', '@']),
            buffer.item_size(),
        );
        let fits = |&&(item, bytes): &&(char, usize)| {
            code.len() == 1 && code.starts_with(item) && size == bytes
        };
        let Some(&(item, _)) = items.iter().find(fits) else {
            return Err(invalid(format!(
                "{what} has items of format '{format}' ({size} bytes): convert it to {named}"
            )));
        };
        if !buffer.is_c_contiguous() {
            return Err(invalid(format!(
                "{what} is not C-contiguous: pass numpy.ascontiguousarray(...)"
            )));
        }
        Ok(Self { buffer, item, what })
    }

    fn one_dimension(&self) -> PyResult<()> {
        match self.buffer.shape() {
            [_] => Ok(()),
            shape => {
                let what = self.what;
                Err(invalid(format!(
                    "{what} has shape {shape:?}: it must have one dimension"
                )))
            }
        }
    }

    /// Its bytes, to be copied at once, while the interpreter is held: the engine works without it, when other threads could change
    /// the array.
    fn bytes(&self) -> &[u8] {
        let buffer = &self.buffer;
        if buffer.len_bytes() == 0 {
            return &[];
        }
        // SAFETY: the buffer is C-contiguous, so `len_bytes` bytes stand at `buf_ptr`, and they stay there as long as
        // `buffer` lives, which is longer than this slice. Bytes have no alignment and no invalid values. The
        // interpreter is held and the slice is gone before it is let go, so no Python code writes meanwhile; on a free-threaded
        // build a program that writes to an array during the call has a race of its own, as with numpy.
        unsafe { std::slice::from_raw_parts(buffer.buf_ptr().cast::<u8>(), buffer.len_bytes()) }
    }

    fn floats(&self) -> Vec<f32> {
        let bytes = self.bytes();
        if self.item == 'f' {
            let values = bytes.chunks_exact(4);
            return values
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
        }
        let halves: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]))
            .collect();
        let mut values = vec![0.0; halves.len()];
        weft_kernels::f16_to_f32(&halves, &mut values);
        values
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
