//! Which query token met which token of a passage, and MaxSim without an index.

use weft_kernels::{f16_to_f32, maxsim_f32, sum_maxima};

use super::Index;
use super::search::prepare;
use crate::codec::encode::decode;
use crate::error::{Error, Result};
use crate::search::interaction::range;
use crate::segment::SegmentKind;
use crate::storage::catalog::PassageRow;

/// The best match of a query token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Position among the passage's vectors.
    pub token: u32,
    /// Their similarity.
    pub similarity: f32,
}

/// MaxSim of a query with passages given as vectors, in float32; rows of `dim` numbers everywhere.
///
/// # Errors
/// [`Error::InvalidInput`] names the argument that cannot be used.
pub fn maxsim(query: &[f32], passages: &[&[f32]], dim: usize) -> Result<Vec<f32>> {
    let query = prepare(&[query], dim)?.remove(0);
    let mut maxima = vec![0.0; query.lanes()];
    passages
        .iter()
        .enumerate()
        .map(|(i, passage)| {
            check_passage(passage, dim, i)?;
            maxima.fill(f32::NEG_INFINITY);
            maxsim_f32(&query, passage, &mut maxima);
            Ok(sum_maxima(&query, &maxima))
        })
        .collect()
}

fn check_passage(passage: &[f32], dim: usize, i: usize) -> Result<()> {
    if passage.is_empty() || !passage.len().is_multiple_of(dim) {
        let n = passage.len();
        return Err(Error::invalid(format!(
            "passage {i} has {n} numbers, not one or more rows of {dim}"
        )));
    }
    match passage.iter().position(|v| v.is_nan() || v.abs() > 1e15) {
        Some(at) => Err(Error::invalid(format!(
            "row {} of passage {i} has a component that is {}",
            at / dim,
            passage[at]
        ))),
        None => Ok(()),
    }
}

/// The best match of every query token among the vectors of a passage; of equal ones the first.
///
/// # Errors
/// [`Error::InvalidInput`] names the argument that cannot be used.
pub fn matches(query: &[f32], passage: &[f32], dim: usize) -> Result<Vec<Match>> {
    prepare(&[query], dim)?;
    check_passage(passage, dim, 0)?;
    let best = |token: &[f32]| {
        let mut best = Match {
            token: 0,
            similarity: f32::NEG_INFINITY,
        };
        for (i, vector) in passage.chunks_exact(dim).enumerate() {
            // The kernels' order of summation, so that the parts add up to the score that a search gives.
            let similarity = token
                .iter()
                .zip(vector)
                .fold(0.0_f32, |sum, (q, v)| q.mul_add(*v, sum));
            if similarity > best.similarity {
                best = Match {
                    token: i as u32,
                    similarity,
                };
            }
        }
        best
    };
    Ok(query.chunks_exact(dim).map(best).collect())
}

impl Index {
    /// The vectors of a passage as the index has them: `[tokens][dim]`, unit length.
    ///
    /// # Errors
    /// [`Error::DocumentNotFound`], and [`Error::InvalidInput`] when the document has no such passage.
    pub fn vectors(&self, id: &str, passage: u32) -> Result<(Vec<f32>, usize)> {
        let mut found = self.passage_vectors(id, Some(passage))?;
        let (_, vectors, dim) = found.remove(0);
        Ok((vectors, dim))
    }

    /// How the score of a query with a document comes about: passage (the best one when `passage` is absent), score, and the match of
    /// every query token.
    ///
    /// # Errors
    /// As [`vectors`](Self::vectors) and [`search`](Self::search).
    pub fn explain(
        &self,
        query: &[f32],
        dim: usize,
        id: &str,
        passage: Option<u32>,
    ) -> Result<(u32, f32, Vec<Match>)> {
        let mut best: Option<(u32, f32, Vec<f32>)> = None;
        for (ordinal, vectors, has) in self.passage_vectors(id, passage)? {
            if has != dim {
                return Err(Error::Dimension {
                    what: "the query".into(),
                    expected: has,
                    found: dim,
                });
            }
            let score = maxsim(query, &[&vectors], dim)?[0];
            if best.as_ref().is_none_or(|(_, s, _)| score > *s) {
                best = Some((ordinal, score, vectors));
            }
        }
        let (ordinal, score, vectors) = best.ok_or_else(|| Error::DocumentNotFound {
            id: id.into(),
            path: self.path().into(),
        })?;
        Ok((ordinal, score, matches(query, &vectors, dim)?))
    }

    fn passage_vectors(
        &self,
        id: &str,
        passage: Option<u32>,
    ) -> Result<Vec<(u32, Vec<f32>, usize)>> {
        self.read(|catalog, snapshot| {
            let row = catalog.document_by_id(id)?;
            let row = row.ok_or_else(|| Error::DocumentNotFound {
                id: id.into(),
                path: self.path().into(),
            })?;
            let rows = catalog.passages_of(row.document)?;
            let chosen: Vec<&PassageRow> = rows
                .iter()
                .filter(|row| passage.is_none_or(|p| p == row.ordinal))
                .collect();
            if chosen.is_empty() {
                let (n, p) = (rows.len(), passage.unwrap_or(0));
                return Err(Error::invalid(format!(
                    "document {id:?} has {n} passages, there is no passage {p}"
                )));
            }
            let mut out = Vec::with_capacity(chosen.len());
            for row in chosen {
                let (segment, position) = snapshot.place(catalog, row.docno)?;
                let (start, end) = range(segment.ends()?, position);
                let mut vectors = vec![0.0; (end - start) * segment.dim];
                match (segment.kind, snapshot.codebooks.get(&segment.codebook)) {
                    (SegmentKind::Coded, Some(codebook)) => {
                        let mut codes = Vec::new();
                        segment.codes(start, end, &mut codes)?;
                        decode(
                            codebook,
                            &codes,
                            segment.residuals(start, end)?,
                            &mut vectors,
                        )?;
                    }
                    _ => f16_to_f32(segment.vectors(start, end)?, &mut vectors),
                }
                out.push((row.ordinal, vectors, segment.dim));
            }
            Ok(out)
        })
    }
}
