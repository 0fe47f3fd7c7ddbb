//! Reading a segment that may be damaged: every passage whose own bytes have the right checksums.

use std::path::Path;

use weft_kernels::row_bytes;

use super::read::Segment;
use super::{CODES, DOCNOS, ENDS, MAX_TOKENS, NORMS, RESIDUALS, SegmentKind, VECTORS};
use crate::codec::codebook::Codebook;
use crate::error::{Error, Result};
use crate::format::BLOCK;
use crate::format::read::Container;
use crate::storage::catalog::SegmentRow;

/// Numbers under one checksum.
const NUMBERS: usize = BLOCK / 4;

impl Segment {
    /// Opens a segment of which the section table at least is whole. What the head says is taken from the catalogue and the codebook;
    /// postings are not looked at.
    pub(crate) fn salvage(
        path: &Path,
        row: &SegmentRow,
        codebook: Option<&Codebook>,
        dim: usize,
    ) -> Result<Self> {
        let file = Container::salvage(path, &row.seal)?;
        let (tokens, passages) = (row.tokens as usize, row.passages as usize);
        // The row has no checksum of its own; nothing of it is believed that the sections do not confirm.
        if row.tokens > MAX_TOKENS || row.passages > row.tokens {
            let detail = format!("{passages} passages with {tokens} tokens");
            return Err(Error::corrupt(path, "the head", detail));
        }
        let mut segment = Self {
            number: row.number,
            kind: SegmentKind::Float,
            dim,
            codebook: row.codebook,
            tokens,
            passages,
            centroids: 0,
            code_width: 0,
            row_bytes: dim * 2,
            file,
        };
        let mut sizes = vec![(DOCNOS, passages * 4), (ENDS, passages * 4)];
        match codebook {
            Some(codebook) => {
                segment.kind = SegmentKind::Coded;
                segment.centroids = codebook.head.centroids;
                segment.row_bytes = row_bytes(dim, codebook.head.nbits);
                // The number of centroids when it was written decides this, and the head may be lost.
                segment.code_width = segment.file.section(CODES)?.len() / tokens.max(1);
                sizes.push((CODES, tokens * segment.code_width.clamp(2, 3)));
                sizes.push((RESIDUALS, tokens * segment.row_bytes));
                sizes.push((NORMS, tokens));
            }
            None => sizes.push((VECTORS, tokens * segment.row_bytes)),
        }
        for (section, bytes) in sizes {
            if segment.file.section(section)?.len() != bytes {
                let detail = format!("its length should be {bytes}");
                return Err(Error::corrupt(path, format!("section {section}"), detail));
            }
        }
        Ok(segment)
    }

    /// Calls with docno, first token and end of every passage of which these can be read; says how many there are besides.
    pub(crate) fn passages_left(&self, mut call: impl FnMut(u32, u32, u32)) -> Result<usize> {
        let (docnos, ends) = (self.file.section(DOCNOS)?, self.file.section(ENDS)?);
        let (mut start, mut unknown) = (Some(0), 0);
        for first in (0..self.passages).step_by(NUMBERS) {
            let last = (first + NUMBERS).min(self.passages);
            let docnos = docnos.some::<u32>(first, last).ok();
            let Ok(ends) = ends.some::<u32>(first, last) else {
                unknown += last - first;
                start = None;
                continue;
            };
            for (i, &end) in ends.iter().enumerate() {
                match (docnos, start.replace(end)) {
                    (Some(docnos), Some(start)) if start < end && end as usize <= self.tokens => {
                        call(docnos[i], start, end);
                    }
                    _ => unknown += 1,
                }
            }
        }
        Ok(unknown)
    }

    /// Whether the vectors of tokens `start..end` are whole.
    pub(crate) fn verify_tokens(&self, start: usize, end: usize) -> Result<()> {
        match self.kind {
            SegmentKind::Float => self.vectors(start, end).map(drop),
            SegmentKind::Coded => {
                self.codes(start, end, &mut Vec::new())?;
                self.residuals(start, end)?;
                self.norms(start, end).map(drop)
            }
        }
    }
}
