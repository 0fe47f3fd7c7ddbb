//! Reading a segment: validated frame, bytes checked at first touch.

use std::path::Path;

use weft_kernels::row_bytes;

use super::{
    CODES, DOCNOS, ENDS, HEAD, HEAD_BYTES, MAX_TOKENS, NORMS, POSTING_ENDS, POSTINGS, RESIDUALS,
    SegmentKind, VECTORS, code_width, postings,
};
use crate::codec::codebook::Codebook;
use crate::error::{Error, Result};
use crate::format::FileIdentity;
use crate::format::read::Container;
use crate::storage::catalog::SegmentRow;

/// A segment on disk.
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) kind: SegmentKind,
    pub(crate) dim: usize,
    pub(crate) codebook: u64,
    pub(crate) tokens: usize,
    pub(super) passages: usize,
    pub(super) centroids: usize,
    pub(super) code_width: usize,
    pub(super) row_bytes: usize,
    pub(super) file: Container,
}

impl Segment {
    /// Opens and validates a segment; `codebook` is the one the catalogue names for it.
    pub(crate) fn open(
        path: &Path,
        identity: &FileIdentity,
        row: &SegmentRow,
        codebook: Option<&Codebook>,
    ) -> Result<Self> {
        let file = Container::open(path, identity, &row.seal)?;
        let bad = |section: &str, detail: String| Error::corrupt(path, section, detail);
        let head: Vec<u8> = file.section(HEAD)?.numbers::<u8>(HEAD_BYTES)?.to_vec();
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let kind = match word(4) {
            1 => SegmentKind::Coded,
            2 => SegmentKind::Float,
            other => return Err(bad("the head", format!("kind {other} is unknown"))),
        };
        let (dim, passages, tokens) = (word(0) as usize, word(16) as usize, long(24));
        crate::codec::check_dim(dim).map_err(|e| bad("the head", e.to_string()))?;
        if long(8) != row.codebook || passages as u64 != row.passages || tokens != row.tokens {
            return Err(bad(
                "the head",
                "codebook, passages or tokens are not those of the catalogue".into(),
            ));
        }
        if tokens > MAX_TOKENS || passages == 0 {
            return Err(bad(
                "the head",
                format!("{passages} passages with {tokens} tokens"),
            ));
        }
        let mut segment = Self {
            number: row.number,
            kind,
            dim,
            codebook: row.codebook,
            tokens: tokens as usize,
            passages,
            centroids: word(36) as usize,
            code_width: word(20) as usize,
            row_bytes: 0,
            file,
        };
        match (kind, codebook) {
            (SegmentKind::Coded, Some(codebook)) => {
                let h = &codebook.head;
                // A codebook that grew since has more centroids than there were.
                if h.dim != dim || h.nbits != word(32) || h.centroids < segment.centroids {
                    return Err(bad(
                        "the head",
                        format!("it does not fit codebook {}", row.codebook),
                    ));
                }
                if segment.code_width != code_width(segment.centroids) {
                    return Err(bad(
                        "the head",
                        format!("codes of {} bytes", segment.code_width),
                    ));
                }
                segment.row_bytes = row_bytes(dim, h.nbits);
            }
            (SegmentKind::Float, None) => segment.row_bytes = dim * 2,
            _ => return Err(bad("the head", "kind and codebook do not fit".into())),
        }
        segment.check_frame()?;
        Ok(segment)
    }

    fn check_frame(&self) -> Result<()> {
        let bad =
            |section: &str, detail: &str| Err(Error::corrupt(self.file.path(), section, detail));
        if self.docnos()?.windows(2).any(|w| w[0] >= w[1]) {
            return bad("the docnos", "they do not ascend");
        }
        let ends = self.ends()?;
        if ends.first().is_none_or(|&e| e == 0) || ends.windows(2).any(|w| w[0] >= w[1]) {
            return bad("the ends", "they do not ascend");
        }
        if ends.last().map(|&e| e as usize) != Some(self.tokens) {
            return bad("the ends", "the last is not the number of tokens");
        }
        let sizes: &[(u32, usize)] = match self.kind {
            SegmentKind::Coded => &[
                (CODES, self.tokens * self.code_width),
                (RESIDUALS, self.tokens * self.row_bytes),
                (NORMS, self.tokens),
                (POSTING_ENDS, self.centroids * 8),
            ],
            SegmentKind::Float => &[(VECTORS, self.tokens * self.row_bytes)],
        };
        for &(section, bytes) in sizes {
            if self.file.section(section)?.len() != bytes {
                return bad(
                    &format!("section {section}"),
                    &format!("its length should be {bytes}"),
                );
            }
        }
        if self.kind == SegmentKind::Coded {
            let ends = self.posting_ends()?;
            let last = ends.last().copied();
            if ends.windows(2).any(|w| w[0] > w[1])
                || last != Some(self.file.section(POSTINGS)?.len() as u64)
            {
                return bad(
                    "the posting ends",
                    "they do not ascend to the length of the postings",
                );
            }
        }
        Ok(())
    }

    /// Size of the file.
    pub(crate) fn bytes(&self) -> usize {
        self.file.len()
    }

    /// Size of a section, for `info`.
    pub(crate) fn section_bytes(&self, section: u32) -> usize {
        self.file.section(section).map_or(0, |s| s.len())
    }

    /// Bytes of a token's code, of those that a search reads.
    pub(crate) fn code_bytes(&self) -> usize {
        match self.kind {
            SegmentKind::Coded => self.code_width,
            SegmentKind::Float => 0,
        }
    }

    /// Bytes of a token: its vector, or its code, residual and norm.
    pub(crate) fn token_bytes(&self) -> usize {
        match self.kind {
            SegmentKind::Coded => self.code_width + self.row_bytes + 1,
            SegmentKind::Float => self.row_bytes,
        }
    }

    /// Number of passages, deleted ones included.
    pub(crate) fn passages(&self) -> usize {
        self.passages
    }

    /// Docno of every passage.
    pub(crate) fn docnos(&self) -> Result<&[u32]> {
        self.file.section(DOCNOS)?.numbers(self.passages)
    }

    /// Exclusive token ends of every passage.
    pub(crate) fn ends(&self) -> Result<&[u32]> {
        self.file.section(ENDS)?.numbers(self.passages)
    }

    fn posting_ends(&self) -> Result<&[u64]> {
        self.file.section(POSTING_ENDS)?.numbers(self.centroids)
    }

    /// Appends the codes of tokens `start..end`.
    pub(crate) fn codes(&self, start: usize, end: usize, out: &mut Vec<u32>) -> Result<()> {
        let bytes = self
            .file
            .section(CODES)?
            .get(start * self.code_width, end * self.code_width)?;
        let first = out.len();
        if self.code_width == 2 {
            out.extend(
                bytes
                    .chunks_exact(2)
                    .map(|b| u32::from(u16::from_le_bytes([b[0], b[1]]))),
            );
        } else {
            out.extend(
                bytes
                    .chunks_exact(3)
                    .map(|b| u32::from_le_bytes([b[0], b[1], b[2], 0])),
            );
        }
        // The checksum was right, so this only fails for a file that was written wrong; kernels index by these codes.
        match out[first..].iter().all(|&c| (c as usize) < self.centroids) {
            true => Ok(()),
            false => Err(Error::corrupt(
                self.file.path(),
                "the codes",
                "a code is no centroid",
            )),
        }
    }

    /// Residuals of tokens `start..end`.
    pub(crate) fn residuals(&self, start: usize, end: usize) -> Result<&[u8]> {
        self.file
            .section(RESIDUALS)?
            .get(start * self.row_bytes, end * self.row_bytes)
    }

    /// Bytes of the reciprocal norms of tokens `start..end`.
    pub(crate) fn norms(&self, start: usize, end: usize) -> Result<&[u8]> {
        self.file.section(NORMS)?.get(start, end)
    }

    /// Float16 vectors of tokens `start..end`.
    pub(crate) fn vectors(&self, start: usize, end: usize) -> Result<&[u16]> {
        self.file
            .section(VECTORS)?
            .some(start * self.dim, end * self.dim)
    }

    /// Calls for every passage (position in this segment) that has a centroid of the codebook.
    pub(crate) fn postings(&self, centroid: u32, call: impl FnMut(u32)) -> Result<()> {
        let ends = self.posting_ends()?;
        let c = centroid as usize;
        if c >= self.centroids {
            // The codebook has grown since: no token here can have it.
            return Ok(());
        }
        let start = if c == 0 { 0 } else { ends[c - 1] };
        let bytes = self
            .file
            .section(POSTINGS)?
            .get(start as usize, ends[c] as usize)?;
        match postings::read(bytes, self.passages as u32, call) {
            true => Ok(()),
            false => Err(Error::corrupt(
                self.file.path(),
                "the postings",
                format!("the list of centroid {c} is malformed"),
            )),
        }
    }

    /// Checks every byte, code and posting.
    pub(crate) fn verify(&self) -> Result<()> {
        self.file.verify()?;
        if self.kind == SegmentKind::Float {
            return Ok(());
        }
        let mut codes = Vec::with_capacity(self.tokens);
        self.codes(0, self.tokens, &mut codes)?;
        let (starts, wanted) = postings::by_centroid(&codes, self.ends()?, self.centroids);
        for c in 0..self.centroids {
            let mut found = Vec::with_capacity(starts[c + 1] - starts[c]);
            self.postings(c as u32, |p| found.push(p))?;
            if found != wanted[starts[c]..starts[c + 1]] {
                let detail = format!("the list of centroid {c} is not that of the codes");
                return Err(Error::corrupt(self.file.path(), "the postings", detail));
            }
        }
        Ok(())
    }
}
