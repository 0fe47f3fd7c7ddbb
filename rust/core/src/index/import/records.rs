//! The tokens of an import on their way to segments: checked and converted, but without the byte of their norm, whose line is known only
//! when all of them are there.

use std::path::Path;

use rayon::prelude::*;
use weft_kernels::row_bytes;

use crate::cluster::kmeans::norm;
use crate::codec::codebook::reciprocal;
use crate::codec::encode::Coded;
use crate::codec::pack::{plaid_to_planes, unpack_plaid};
use crate::codec::parts::CodebookParts;
use crate::error::Result;
use crate::storage::spool::Spool;

/// Tokens a task converts.
const TASK: usize = 1024;
/// Bytes of a record before the residual: code and reciprocal norm.
const HEAD: usize = 8;

/// What tokens are like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    /// Range of reciprocal norms.
    pub(super) low: f32,
    pub(super) high: f32,
    /// Sum of the lengths of residuals.
    pub(super) residuals: f64,
}

impl Measured {
    const NONE: Self = Self {
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
        residuals: 0.0,
    };

    fn and(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            residuals: self.residuals + other.residuals,
        }
    }
}

/// A spool of code, reciprocal norm and residual in planes of every token.
pub(super) struct Records {
    spool: Spool,
    /// Bytes of a residual.
    row: usize,
    pub(super) measured: Measured,
}

impl Records {
    pub(super) fn create(directory: &Path, parts: &CodebookParts) -> Result<Self> {
        Ok(Self {
            spool: Spool::create(directory)?,
            row: row_bytes(parts.dim, parts.nbits),
            measured: Measured::NONE,
        })
    }

    /// Bytes of a residual.
    pub(super) fn row(&self) -> usize {
        self.row
    }

    /// Takes tokens whose codes are known to be centroids. To be called on the pool.
    pub(super) fn push(
        &mut self,
        parts: &CodebookParts,
        codes: &[u32],
        residuals: &[u8],
    ) -> Result<()> {
        let (row, record) = (self.row, HEAD + self.row);
        let mut out = vec![0; codes.len() * record];
        let tasks = codes
            .par_chunks(TASK)
            .zip(residuals.par_chunks(TASK * row))
            .zip(out.par_chunks_mut(TASK * record));
        let measured: Vec<Measured> = tasks
            .map(|((codes, residuals), out)| convert(parts, codes, residuals, out))
            .collect();
        // In the order of the tokens, so that the sum does not depend on the number of threads.
        self.measured = measured.into_iter().fold(self.measured, Measured::and);
        self.spool.push(&out)
    }

    /// Ends writing; tokens can be read from here on.
    pub(super) fn seal(&mut self) -> Result<()> {
        self.spool.seal()
    }

    /// Reads tokens `start..end`, with the bytes of their norms on a line of this base and step.
    pub(super) fn read(&self, start: usize, end: usize, (base, step): (f32, f32), out: &mut Coded) {
        let record = HEAD + self.row;
        let word = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let records: &[u8] = self.spool.items(start * record, end * record);
        out.clear();
        for token in records.chunks_exact(record) {
            let inverse = f32::from_bits(word(&token[4..HEAD]));
            out.codes.push(word(&token[..4]));
            out.norms.push(((inverse - base) / step).round() as u8);
            out.residuals.extend_from_slice(&token[HEAD..]);
        }
    }
}

fn convert(parts: &CodebookParts, codes: &[u32], residuals: &[u8], out: &mut [u8]) -> Measured {
    let (dim, nbits) = (parts.dim, parts.nbits);
    let row = row_bytes(dim, nbits);
    let (mut buckets, mut decoded) = (vec![0_u8; dim], vec![0.0_f32; dim]);
    let mut measured = Measured::NONE;
    let tokens = codes.iter().zip(residuals.chunks_exact(row));
    for ((&code, residual), out) in tokens.zip(out.chunks_exact_mut(HEAD + row)) {
        unpack_plaid(residual, nbits, &mut buckets);
        for (value, &bucket) in decoded.iter_mut().zip(&buckets) {
            *value = parts.tables.weights[bucket as usize];
        }
        let length = f64::from(norm(&decoded));
        let centroid = &parts.centroids[code as usize * dim..(code as usize + 1) * dim];
        decoded.iter_mut().zip(centroid).for_each(|(v, c)| *v += c);
        let inverse = reciprocal(norm(&decoded));
        measured = measured.and(Measured {
            low: inverse,
            high: inverse,
            residuals: length,
        });
        out[..4].copy_from_slice(&code.to_le_bytes());
        out[4..HEAD].copy_from_slice(&inverse.to_le_bytes());
        plaid_to_planes(residual, nbits, dim, &mut out[HEAD..]);
    }
    measured
}
