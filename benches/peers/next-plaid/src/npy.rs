//! Reads the `.npy` files of a prepared folder: little-endian, C order, float16, float32 or int64.

use std::error::Error;
use std::path::Path;

use half::f16;
use ndarray::Array2;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Kind, shape and values of a file.
fn read(path: &Path) -> Outcome<(String, Vec<usize>, Vec<u8>)> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..10 + length])?;
    if &bytes[..7] != b"\x93NUMPY\x01" || header.contains("'fortran_order': True") {
        return Err(format!("{}: not version 1 in C order", path.display()).into());
    }
    let between = |from: &str, to: &str| -> Outcome<String> {
        let (_, rest) = header.split_once(from).ok_or("a header without its keys")?;
        Ok(rest
            .split_once(to)
            .ok_or("a header without an end")?
            .0
            .to_string())
    };
    let shape = between("'shape': (", ")")?;
    let shape = shape
        .split(',')
        .filter_map(|n| n.trim().parse().ok())
        .collect();
    Ok((
        between("'descr': '", "'")?,
        shape,
        bytes[10 + length..].to_vec(),
    ))
}

/// The rows of `vectors`, cut up by `lengths`.
pub fn matrices(folder: &Path, vectors: &str, lengths: &str) -> Outcome<Vec<Array2<f32>>> {
    let (kind, shape, bytes) = read(&folder.join(format!("{vectors}.npy")))?;
    let values: Vec<f32> = match kind.as_str() {
        "<f2" => bytes
            .chunks_exact(2)
            .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
            .collect(),
        "<f4" => bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect(),
        other => return Err(format!("vectors of type {other}").into()),
    };
    drop(bytes);
    let (kind, _, bytes) = read(&folder.join(format!("{lengths}.npy")))?;
    if kind != "<i8" {
        return Err(format!("lengths of type {kind}").into());
    }
    let dim = *shape.get(1).ok_or("vectors without a dimension")?;
    let mut rest = values.as_slice();
    let mut found = Vec::new();
    for length in bytes.chunks_exact(8) {
        let rows = usize::try_from(i64::from_le_bytes(length.try_into()?))?;
        let (matrix, behind) = rest
            .split_at_checked(rows * dim)
            .ok_or("lengths that exceed the vectors")?;
        found.push(Array2::from_shape_vec((rows, dim), matrix.to_vec())?);
        rest = behind;
    }
    Ok(found)
}
