//! Segments: immutable files of token vectors, with the lists that lead from centroids to passages (SPEC.md section 4).

pub(crate) mod postings;
pub(crate) mod read;
pub(crate) mod salvage;
pub(crate) mod write;

pub(crate) const HEAD: u32 = 1;
pub(crate) const DOCNOS: u32 = 2;
pub(crate) const ENDS: u32 = 3;
pub(crate) const CODES: u32 = 4;
pub(crate) const RESIDUALS: u32 = 5;
pub(crate) const NORMS: u32 = 6;
pub(crate) const POSTING_ENDS: u32 = 7;
pub(crate) const POSTINGS: u32 = 8;
pub(crate) const VECTORS: u32 = 9;

pub(crate) const HEAD_BYTES: usize = 64;
/// A segment holds at most this many tokens, so that u32 counts them with room to spare.
pub(crate) const MAX_TOKENS: u64 = 1 << 31;

/// What a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SegmentKind {
    /// Codes, residuals, norms and postings.
    Coded = 1,
    /// Float16 vectors, searched exactly.
    Float = 2,
}

/// Bytes of a code for this many centroids.
pub(crate) fn code_width(centroids: usize) -> usize {
    if centroids <= 1 << 16 { 2 } else { 3 }
}
