//! Coding token vectors with a codebook, and decoding them again.

use rayon::prelude::*;
use weft_kernels::{f16_to_f32, f32_to_f16, pack_planar, row_bytes};

use super::codebook::Codebook;
use super::table::ResidualTables;
use crate::cluster::assign::Assigner;
use crate::cluster::kmeans::norm;
use crate::error::{Error, Result};

/// Tokens a task codes.
const TASK: usize = 1024;

/// Codes vectors with one codebook.
pub(crate) struct VectorCoder<'a> {
    codebook: &'a Codebook,
    /// `[K][dim]`.
    pub(super) centroids: Vec<f32>,
    pub(super) assigner: Assigner,
}

/// Coded tokens.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Coded {
    /// Nearest centroids.
    pub(crate) codes: Vec<u32>,
    /// `[n][dim * nbits / 8]`, in planes.
    pub(crate) residuals: Vec<u8>,
    /// Bytes of reciprocal norms.
    pub(crate) norms: Vec<u8>,
}

impl Coded {
    /// Forgets the tokens and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.codes.clear();
        self.residuals.clear();
        self.norms.clear();
    }
}

impl<'a> VectorCoder<'a> {
    pub(crate) fn new(codebook: &'a Codebook) -> Result<Self> {
        let centroids = codebook.centroids()?;
        let assigner = codebook.assigner(&centroids)?;
        Ok(Self {
            codebook,
            centroids,
            assigner,
        })
    }

    /// What points are after coding and decoding.
    pub(super) fn round_trip(&self, points: &[f32]) -> Result<Vec<f32>> {
        let mut halves = vec![0; points.len()];
        f32_to_f16(points, &mut halves);
        let mut coded = Coded::default();
        self.code(&halves, &mut coded);
        let mut out = Vec::new();
        decode(self.codebook, &coded.codes, &coded.residuals, &mut out)?;
        Ok(out)
    }

    /// Codes f16 rows of unit length.
    pub(crate) fn code(&self, halves: &[u16], out: &mut Coded) {
        let head = &self.codebook.head;
        let (dim, n) = (head.dim, halves.len() / head.dim);
        let bytes = row_bytes(dim, head.nbits);
        let mut points = vec![0.0; halves.len()];
        f16_to_f32(halves, &mut points);
        out.codes.resize(n, 0);
        out.residuals.resize(n * bytes, 0);
        out.norms.resize(n, 0);
        self.assigner.assign(&points, &mut out.codes);
        points
            .par_chunks(TASK * dim)
            .zip(out.codes.par_chunks(TASK))
            .zip(
                out.residuals
                    .par_chunks_mut(TASK * bytes)
                    .zip(out.norms.par_chunks_mut(TASK)),
            )
            .for_each(|((points, codes), (residuals, norms))| {
                let mut buckets = vec![0_u8; dim];
                let mut decoded = vec![0.0_f32; dim];
                for (i, (point, &code)) in points.chunks_exact(dim).zip(codes).enumerate() {
                    let centroid = &self.centroids[code as usize * dim..(code as usize + 1) * dim];
                    let tables = &self.codebook.tables;
                    bucketise(point, centroid, tables, &mut buckets, &mut decoded);
                    pack_planar(
                        head.nbits,
                        dim,
                        &buckets,
                        &mut residuals[i * bytes..(i + 1) * bytes],
                    );
                    let steps = (1.0 / norm(&decoded) - head.norm_base) / head.norm_step;
                    // A decoded vector of no length gives infinity here, which the cast turns into the last byte.
                    norms[i] = steps.round() as u8;
                }
            });
    }
}

fn bucketise(
    point: &[f32],
    centroid: &[f32],
    tables: &ResidualTables,
    buckets: &mut [u8],
    decoded: &mut [f32],
) {
    for (((x, c), bucket), out) in point.iter().zip(centroid).zip(buckets).zip(decoded) {
        *bucket = tables.bucket(x - c);
        *out = c + tables.weights[*bucket as usize];
    }
}

/// Length of `centroid + weights` for a vector.
pub(crate) fn decoded_norm(point: &[f32], centroid: &[f32], tables: &ResidualTables) -> f32 {
    let (mut buckets, mut decoded) = (vec![0; point.len()], vec![0.0; point.len()]);
    bucketise(point, centroid, tables, &mut buckets, &mut decoded);
    norm(&decoded)
}

/// Decodes tokens to unit vectors: `normalise(centroid + weights)`, `[n][dim]`. The length is computed, not read
/// from its byte: this is the definition of a decoded vector, the byte only serves the integer stages of a search.
pub(crate) fn decode(
    codebook: &Codebook,
    codes: &[u32],
    residuals: &[u8],
    out: &mut Vec<f32>,
) -> Result<()> {
    let dim = codebook.head.dim;
    let mut centroids = vec![0.0; codes.len() * dim];
    for (row, &code) in centroids.chunks_exact_mut(dim).zip(codes) {
        codebook.centroid(code, row)?;
    }
    let places: Vec<u32> = (0..codes.len() as u32).collect();
    let ones = vec![1.0; codes.len()];
    out.resize(codes.len() * dim, 0.0);
    weft_kernels::decode(
        &codebook.residual_table,
        dim,
        &centroids,
        &places,
        residuals,
        &ones,
        out,
    );
    for row in out.chunks_exact_mut(dim) {
        let factor = 1.0 / norm(row).max(1e-12);
        row.iter_mut().for_each(|v| *v *= factor);
    }
    Ok(())
}

/// Takes float32 vectors of any length over zero and makes float16 unit vectors; `what` names them in errors.
pub(crate) fn unit_halves(
    values: &[f32],
    dim: usize,
    what: &str,
    out: &mut Vec<u16>,
) -> Result<()> {
    let start = out.len();
    out.resize(start + values.len(), 0);
    let mut unit = vec![0.0_f32; dim];
    for (i, (row, half)) in values
        .chunks_exact(dim)
        .zip(out[start..].chunks_exact_mut(dim))
        .enumerate()
    {
        let length = row
            .iter()
            .map(|&v| f64::from(v) * f64::from(v))
            .sum::<f64>()
            .sqrt();
        if !length.is_finite() {
            let kind = if row.iter().any(|v| v.is_nan()) {
                "NaN"
            } else {
                "infinity"
            };
            return Err(Error::invalid(format!(
                "row {i} of {what} has a component that is {kind}"
            )));
        }
        if length < 1e-20 {
            return Err(Error::invalid(format!(
                "row {i} of {what} is all zeros, which has no direction: leave it out"
            )));
        }
        let factor = 1.0 / length;
        unit.iter_mut()
            .zip(row)
            .for_each(|(u, &v)| *u = (f64::from(v) * factor) as f32);
        weft_kernels::f32_to_f16(&unit, half);
    }
    Ok(())
}
