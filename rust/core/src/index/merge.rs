//! Joining coded segments of one codebook: codes and residuals are copied, postings made anew, deleted passages left out.
//!
//! Segments fall into levels by their size, each four times the one below. Four of a level become one, so that every
//! token is copied once a level (`log4` of the collection over a small segment) and a search meets a handful of segments, whatever the
//! number of commits.

use std::path::Path;
use std::sync::Arc;

use weft_kernels::row_bytes;

use crate::codec::codebook::Codebook;
use crate::codec::encode::Coded;
use crate::error::Result;
use crate::format::{FileIdentity, FileSeal};
use crate::progress::{Reporter, Stage};
use crate::segment::MAX_TOKENS;
use crate::segment::read::Segment;
use crate::segment::write::{CodedWriter, Passages};

/// Segments of a level that are joined, and the ratio of levels.
const FAN: usize = 4;
/// Segments up to this many tokens are of the lowest level.
const SMALLEST: u64 = 1 << 14;

/// What a merge left.
pub(crate) struct Merged {
    /// The new segment; none when all passages were deleted.
    pub(crate) written: Option<(Passages, FileSeal)>,
    /// Deleted passages that are gone now.
    pub(crate) forgotten: Vec<u32>,
}

fn level(tokens: u64) -> u32 {
    (tokens / SMALLEST).max(1).ilog2() / FAN.ilog2()
}

/// Segments to join, or nothing to do.
pub(crate) fn choose(segments: &[Arc<Segment>]) -> Option<Vec<Arc<Segment>>> {
    let mut levels: Vec<Vec<&Arc<Segment>>> = vec![Vec::new(); 32];
    for segment in segments {
        levels[level(segment.tokens as u64) as usize].push(segment);
    }
    let full = levels.into_iter().find(|l| l.len() >= FAN)?;
    let tokens: u64 = full.iter().map(|s| s.tokens as u64).sum();
    (tokens <= MAX_TOKENS).then(|| full.into_iter().cloned().collect())
}

/// Writes the live passages of segments to one file, in the order of their docnos.
pub(crate) fn merge(
    path: &Path,
    identity: &FileIdentity,
    segments: &[Arc<Segment>],
    codebook: &Codebook,
    dead: &dyn Fn(u32) -> bool,
    reporter: &Reporter,
) -> Result<Merged> {
    let mut places = Vec::new();
    let mut forgotten = Vec::new();
    for (number, segment) in segments.iter().enumerate() {
        let mut start = 0;
        for (&docno, &end) in segment.docnos()?.iter().zip(segment.ends()?) {
            match dead(docno) {
                true => forgotten.push(docno),
                false => places.push((docno, number, start as usize, end as usize)),
            }
            start = end;
        }
    }
    if places.is_empty() {
        return Ok(Merged {
            written: None,
            forgotten,
        });
    }
    places.sort_unstable();
    let mut out = CodedWriter::create(path, identity)?;
    let mut passages = Passages::default();
    let mut coded = Coded::default();
    let bytes = row_bytes(codebook.head.dim, codebook.head.nbits);
    let total: usize = places.iter().map(|(_, _, start, end)| end - start).sum();
    for (i, &(docno, number, start, end)) in places.iter().enumerate() {
        let segment = &segments[number];
        segment.codes(start, end, &mut coded.codes)?;
        coded
            .residuals
            .extend_from_slice(segment.residuals(start, end)?);
        coded.norms.extend_from_slice(segment.norms(start, end)?);
        passages.push(docno, end - start)?;
        if coded.residuals.len() >= bytes << 16 || i + 1 == places.len() {
            out.push(&coded)?;
            coded.codes.clear();
            coded.residuals.clear();
            coded.norms.clear();
            reporter.report(Stage::Write, passages.tokens(), total as u64)?;
        }
    }
    let seal = out.finish(&passages, codebook.number, &codebook.head)?;
    Ok(Merged {
        written: Some((passages, seal)),
        forgotten,
    })
}
