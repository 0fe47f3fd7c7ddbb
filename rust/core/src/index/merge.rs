//! Joining segments: what they hold is copied, postings are made anew, deleted passages left out.
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
use crate::segment::read::Segment;
use crate::segment::write::{CodedWriter, FloatWriter, Passages};
use crate::segment::{MAX_TOKENS, SegmentKind};

/// Segments of a level that are joined, and the ratio of levels.
const FAN: usize = 4;
/// Coded segments up to this many tokens are of the lowest level; uncompressed ones are at most this large together.
pub(crate) const SMALLEST_CODED: u64 = 1 << 14;
/// Uncompressed segments up to this many tokens are of the lowest level: a document or two.
const SMALLEST_FLOAT: u64 = 1 << 9;
/// Tokens copied between two writes.
const BATCH: usize = 1 << 16;

/// What a merge left.
pub(crate) struct Merged {
    /// The new segment; none when all passages were deleted.
    pub(crate) written: Option<(Passages, FileSeal)>,
    /// Deleted passages that are gone now.
    pub(crate) forgotten: Vec<u32>,
}

fn level(segment: &Segment) -> usize {
    let smallest = match segment.kind {
        SegmentKind::Coded => SMALLEST_CODED,
        SegmentKind::Float => SMALLEST_FLOAT,
    };
    ((segment.tokens as u64 / smallest).max(1).ilog2() / FAN.ilog2()) as usize
}

/// Segments of one kind and codebook to join, or nothing to do.
pub(crate) fn choose(segments: &[Arc<Segment>]) -> Option<Vec<Arc<Segment>>> {
    let mut levels: Vec<Vec<&Arc<Segment>>> = vec![Vec::new(); 32];
    for segment in segments {
        levels[level(segment)].push(segment);
    }
    let full = levels.into_iter().find(|l| l.len() >= FAN)?;
    let tokens: u64 = full.iter().map(|s| s.tokens as u64).sum();
    (tokens <= MAX_TOKENS).then(|| full.into_iter().cloned().collect())
}

/// A segment more than half of whose passages were deleted.
pub(crate) fn choose_hollow(
    segments: &[Arc<Segment>],
    dead: &dyn Fn(u32) -> bool,
) -> Result<Option<Arc<Segment>>> {
    for segment in segments {
        let gone = segment.docnos()?.iter().filter(|&&d| dead(d)).count();
        if gone * 2 > segment.passages() {
            return Ok(Some(Arc::clone(segment)));
        }
    }
    Ok(None)
}

/// Everything of one kind and codebook, in as few groups as a segment can hold; nothing when that changes nothing.
pub(crate) fn choose_all(
    segments: &[Arc<Segment>],
    dead: &dyn Fn(u32) -> bool,
) -> Result<Vec<Vec<Arc<Segment>>>> {
    let mut groups: Vec<(u64, Vec<Arc<Segment>>)> = Vec::new();
    for segment in segments {
        let tokens = segment.tokens as u64;
        match groups.last_mut() {
            Some((sum, group)) if *sum + tokens <= MAX_TOKENS => {
                *sum += tokens;
                group.push(Arc::clone(segment));
            }
            _ => groups.push((tokens, vec![Arc::clone(segment)])),
        }
    }
    let mut out = Vec::new();
    for (_, group) in groups {
        if group.len() > 1 || group[0].docnos()?.iter().any(|&d| dead(d)) {
            out.push(group);
        }
    }
    Ok(out)
}

/// Writes the live passages of segments to one file, in the order of their docnos. `codebook` is that of coded segments.
pub(crate) fn merge(
    path: &Path,
    identity: &FileIdentity,
    segments: &[Arc<Segment>],
    codebook: Option<&Codebook>,
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
    let mut passages = Passages::default();
    for &(docno, _, start, end) in &places {
        passages.push(docno, end - start)?;
    }
    let total = passages.tokens();
    reporter.report(Stage::Merge, 0, total)?;
    let seal = match codebook {
        Some(codebook) => {
            let mut out = CodedWriter::create(path, identity)?;
            let mut coded = Coded::default();
            let bytes = row_bytes(codebook.head.dim, codebook.head.nbits);
            for (i, &(_, number, start, end)) in places.iter().enumerate() {
                let segment = &segments[number];
                segment.codes(start, end, &mut coded.codes)?;
                let residuals = segment.residuals(start, end)?;
                coded.residuals.extend_from_slice(residuals);
                coded.norms.extend_from_slice(segment.norms(start, end)?);
                if coded.residuals.len() >= bytes * BATCH || i + 1 == places.len() {
                    out.push(&coded)?;
                    coded.clear();
                    reporter.report(Stage::Merge, u64::from(passages.ends[i]), total)?;
                }
            }
            out.finish(&passages, codebook.head.root, &codebook.head)?
        }
        None => {
            let mut out = FloatWriter::create(path, identity)?;
            for &(_, number, start, end) in &places {
                out.push(segments[number].vectors(start, end)?)?;
            }
            out.finish(&passages, segments[0].dim)?
        }
    };
    Ok(Merged {
        written: Some((passages, seal)),
        forgotten,
    })
}
