//! Growing a codebook: new centroids join the old ones, so that every code given so far keeps its meaning.
//!
//! A collection that arrives in steps outgrows the centroids its first tokens were clustered into: it becomes larger, and it comes
//! to topics that were not there. Coding all of it anew would need the original vectors, which an index does not keep; coding
//! decoded vectors again would lose as much as the first coding did, at every turn. So a codebook only gains centroids, from the
//! original vectors of the tokens that are about to be coded, where those are served worst. How many it may have follows the
//! rule for all tokens together, with more room for tokens that lie farther from their centroids than is typical.
//!
//! Residual tables stay as they are, so that segments of all ages are merged by copying.
//!
//! Tried on 100,476 passages in steps of 500, sorted by source (overlap@10 with MaxSim over the originals at 50,238 and at
//! the end; one build at once: 0.815 and 0.886 with 32,768 centroids):
//! * at doublings, from a sample of decoded and new tokens: 0.807 and 0.856 with 81,290 centroids, because tokens that arrive later
//!   are not in the sample;
//! * from new tokens, weighted by their squared distance instead of the farther half: 0.822 and 0.878 with 72,421;
//! * from new tokens, 1.25 times the rule and no more for new topics: 0.827 and 0.872 with 47,171;
//! * as it is here: 0.825 and 0.885 with 72,013.

use std::sync::Arc;

use weft_kernels::{f16_to_f32, f32_to_f16};

use super::codebook::{Codebook, CodebookHead, Rows, SAMPLE_BYTES, Trained, reach};
use super::encode::{VectorCoder, decode};
use crate::cluster::kmeans::{self, norm, regroup};
use crate::cluster::plaid_rule;
use crate::cluster::random::Random;
use crate::error::Result;
use crate::progress::Reporter;
use crate::segment::read::Segment;

/// Centroids a growing codebook may have, as a multiple of `16 * sqrt(tokens)`: for more of the same, and at most.
const ROOM: (f64, f64) = (1.25, 2.0);
/// Residuals this much longer than typical ask for more room, which is all given at 15 percent beyond.
const TYPICAL: f64 = 1.03;
const ROOM_PER_DRIFT: f64 = 5.0;
/// Tokens looked at to tell: the mean length of 4,096 residuals is known to a quarter of a percent.
const LOOKED_AT: u64 = 4096;
/// Tokens a new centroid is trained on at least.
const TOKENS_PER_CENTROID: usize = 12;
/// One new centroid for so many old ones is the least that is worth a new file.
const LEAST_GROWTH: usize = 64;

/// Points, and how far each is from its centroid.
struct Measured {
    dim: usize,
    points: Vec<f32>,
    lengths: Vec<f32>,
}

impl Measured {
    fn new(points: Vec<f32>, dim: usize, coder: &VectorCoder<'_>) -> Self {
        let mut codes = vec![0; points.len() / dim];
        coder.assigner.assign(&points, &mut codes);
        let mut residual = vec![0.0; dim];
        let length = |(point, &code): (&[f32], &u32)| {
            let centroid = &coder.centroids[code as usize * dim..(code as usize + 1) * dim];
            for ((r, x), c) in residual.iter_mut().zip(point).zip(centroid) {
                *r = x - c;
            }
            norm(&residual)
        };
        let lengths = points.chunks_exact(dim).zip(&codes).map(length).collect();
        Self {
            dim,
            points,
            lengths,
        }
    }

    fn mean(&self) -> f64 {
        let sum: f64 = self.lengths.iter().map(|&l| f64::from(l)).sum();
        sum / self.lengths.len().max(1) as f64
    }

    /// The half that is farther from its centroids, as f16.
    fn farther_half(&self) -> Vec<u16> {
        let mut lengths = self.lengths.clone();
        let middle = lengths.len() / 2;
        let median = *lengths.select_nth_unstable_by(middle, f32::total_cmp).1;
        let points = self.points.chunks_exact(self.dim).zip(&self.lengths);
        let far = points.filter(|(_, length)| **length >= median);
        let far: Vec<f32> = far.flat_map(|(point, _)| point.iter().copied()).collect();
        let mut halves = vec![0; far.len()];
        f32_to_f16(&far, &mut halves);
        halves
    }
}

/// A codebook with more centroids, when the tokens about to be coded call for it. `segments` are those coded so far, `fresh` the
/// original vectors of the new tokens.
pub(crate) fn grow(
    codebook: &Codebook,
    segments: &[Arc<Segment>],
    fresh: &dyn Rows,
    seed: u64,
    reporter: &Reporter,
) -> Result<Option<Trained>> {
    let head = &codebook.head;
    let dim = head.dim;
    let coded: u64 = segments.iter().map(|s| s.tokens as u64).sum();
    let total = coded + fresh.len();
    let room = |times: f64| ((times * plaid_rule(total)) as usize).saturating_sub(head.centroids);
    let worthwhile = |count: usize| count > 0 && count * LEAST_GROWTH >= head.centroids;
    if !worthwhile(room(ROOM.1)) {
        return Ok(None);
    }
    let seed = seed ^ total;
    let mut random = Random::new(seed);
    let coder = VectorCoder::new(codebook)?;
    let new = Measured::new(some(fresh, LOOKED_AT, dim, &mut random)?, dim, &coder);
    let old = decoded(codebook, segments, LOOKED_AT, &mut random)?;
    let drift = match old.is_empty() {
        true => 1.0,
        false => {
            // Decoded residuals are shorter than the true ones, by as much as those of the new tokens become.
            let again = Measured::new(coder.round_trip(&new.points)?, dim, &coder);
            again.mean() / Measured::new(old, dim, &coder).mean()
        }
    };
    let times = (ROOM.0 + (drift - TYPICAL) * ROOM_PER_DRIFT).clamp(ROOM.0, ROOM.1);
    if !worthwhile(room(times)) {
        return Ok(None);
    }
    let most = SAMPLE_BYTES / (4 * dim as u64);
    let points = some(fresh, most, dim, &mut random)?;
    let points = Measured::new(points, dim, &coder).farther_half();
    let count = room(times).min(points.len() / dim / TOKENS_PER_CENTROID);
    if !worthwhile(count) {
        return Ok(None);
    }
    let trained_on = head.trained_on + (points.len() / dim) as u64;
    let mut new = kmeans::train(&points, dim, count, seed, reporter)?.centroids;
    head.centroid_type.round(&mut new);
    let mut centroids = coder.centroids;
    centroids.append(&mut new);
    let (order, group_ends) = regroup(&centroids, dim, seed);
    Ok(Some(Trained {
        head: CodebookHead {
            centroids: centroids.len() / dim,
            reach: reach(&centroids, dim),
            tokens: total,
            trained_on,
            ..*head
        },
        centroids,
        order,
        group_ends,
        tables: codebook.tables.clone(),
    }))
}

/// Original vectors of up to `count` rows.
fn some(rows: &dyn Rows, count: u64, dim: usize, random: &mut Random) -> Result<Vec<f32>> {
    let mut halves = Vec::with_capacity(count.min(rows.len()) as usize * dim);
    rows.gather(&random.choose(rows.len(), count), &mut halves)?;
    let mut points = vec![0.0; halves.len()];
    f16_to_f32(&halves, &mut points);
    Ok(points)
}

/// Decoded vectors of `count` tokens of segments, deleted ones included: they are gone at the next merge, and knowing them
/// would cost a look at every docno.
fn decoded(
    codebook: &Codebook,
    segments: &[Arc<Segment>],
    count: u64,
    random: &mut Random,
) -> Result<Vec<f32>> {
    let total: u64 = segments.iter().map(|s| s.tokens as u64).sum();
    let mut rows = random.choose(total, count).into_iter().peekable();
    let (mut codes, mut residuals) = (Vec::new(), Vec::new());
    let mut start = 0;
    for segment in segments {
        let end = start + segment.tokens as u64;
        while let Some(row) = rows.next_if(|&row| row < end) {
            let at = (row - start) as usize;
            segment.codes(at, at + 1, &mut codes)?;
            residuals.extend_from_slice(segment.residuals(at, at + 1)?);
        }
        start = end;
    }
    let mut out = Vec::new();
    decode(codebook, &codes, &residuals, &mut out)?;
    Ok(out)
}
