//! Writing a segment: tokens are streamed, what describes them follows.

use std::path::Path;

use super::{
    CODES, DOCNOS, ENDS, HEAD, HEAD_BYTES, MAX_TOKENS, NORMS, POSTING_ENDS, POSTINGS, RESIDUALS,
    SegmentKind, VECTORS, code_width, postings,
};
use crate::codec::codebook::CodebookHead;
use crate::codec::encode::Coded;
use crate::error::{Error, Result};
use crate::format::write::ContainerWriter;
use crate::format::{FileIdentity, FileSeal};

/// Passages of a segment: docnos ascending, and the exclusive ends of their tokens.
#[derive(Debug, Default, Clone)]
pub(crate) struct Passages {
    pub(crate) docnos: Vec<u32>,
    pub(crate) ends: Vec<u32>,
}

impl Passages {
    pub(crate) fn push(&mut self, docno: u32, tokens: usize) -> Result<()> {
        let end = self.tokens() + tokens as u64;
        if end > MAX_TOKENS {
            return Err(Error::invalid(format!(
                "one commit holds more than {MAX_TOKENS} tokens: add the collection in several calls"
            )));
        }
        self.docnos.push(docno);
        self.ends.push(end as u32);
        Ok(())
    }

    pub(crate) fn tokens(&self) -> u64 {
        self.ends.last().map_or(0, |&e| u64::from(e))
    }
}

/// Writes coded tokens. Residuals go straight to the file; codes and norms (5 bytes a token) wait in memory, because the postings
/// need all codes.
pub(crate) struct CodedWriter {
    out: ContainerWriter,
    codes: Vec<u32>,
    norms: Vec<u8>,
}

impl CodedWriter {
    pub(crate) fn create(path: &Path, identity: &FileIdentity) -> Result<Self> {
        let mut out = ContainerWriter::create(path, identity)?;
        out.begin(RESIDUALS)?;
        Ok(Self {
            out,
            codes: Vec::new(),
            norms: Vec::new(),
        })
    }

    pub(crate) fn push(&mut self, coded: &Coded) -> Result<()> {
        self.out.write(&coded.residuals)?;
        self.codes.extend_from_slice(&coded.codes);
        self.norms.extend_from_slice(&coded.norms);
        Ok(())
    }

    /// Writes the rest; `passages` must cover the tokens that were pushed.
    pub(crate) fn finish(
        mut self,
        passages: &Passages,
        codebook: u64,
        head: &CodebookHead,
    ) -> Result<FileSeal> {
        assert_eq!(
            passages.tokens(),
            self.codes.len() as u64,
            "passages cover the tokens"
        );
        let out = &mut self.out;
        out.end()?;
        let width = code_width(head.centroids);
        out.begin(CODES)?;
        let mut bytes = Vec::with_capacity(1 << 20);
        for codes in self.codes.chunks(1 << 18) {
            bytes.clear();
            for code in codes {
                bytes.extend_from_slice(&code.to_le_bytes()[..width]);
            }
            out.write(&bytes)?;
        }
        out.end()?;
        out.section(NORMS, &self.norms)?;
        self.norms = Vec::new();
        out.begin(POSTINGS)?;
        let ends = postings::write(&self.codes, &passages.ends, head.centroids, out)?;
        out.end()?;
        out.section(POSTING_ENDS, bytemuck::cast_slice(&ends))?;
        let mut bytes = [0_u8; HEAD_BYTES];
        bytes[8..16].copy_from_slice(&codebook.to_le_bytes());
        bytes[20..24].copy_from_slice(&(width as u32).to_le_bytes());
        bytes[32..36].copy_from_slice(&head.nbits.to_le_bytes());
        bytes[36..40].copy_from_slice(&(head.centroids as u32).to_le_bytes());
        finish(self.out, bytes, SegmentKind::Coded, head.dim, passages)
    }
}

/// Writes float16 vectors.
pub(crate) struct FloatWriter {
    out: ContainerWriter,
}

impl FloatWriter {
    pub(crate) fn create(path: &Path, identity: &FileIdentity) -> Result<Self> {
        let mut out = ContainerWriter::create(path, identity)?;
        out.begin(VECTORS)?;
        Ok(Self { out })
    }

    pub(crate) fn push(&mut self, halves: &[u16]) -> Result<()> {
        self.out.write(bytemuck::cast_slice(halves))
    }

    pub(crate) fn finish(mut self, passages: &Passages, dim: usize) -> Result<FileSeal> {
        self.out.end()?;
        finish(self.out, [0; HEAD_BYTES], SegmentKind::Float, dim, passages)
    }
}

/// The sections that both kinds have.
fn finish(
    mut out: ContainerWriter,
    mut head: [u8; HEAD_BYTES],
    kind: SegmentKind,
    dim: usize,
    passages: &Passages,
) -> Result<FileSeal> {
    head[0..4].copy_from_slice(&(dim as u32).to_le_bytes());
    head[4..8].copy_from_slice(&(kind as u32).to_le_bytes());
    head[16..20].copy_from_slice(&(passages.docnos.len() as u32).to_le_bytes());
    head[24..32].copy_from_slice(&passages.tokens().to_le_bytes());
    out.section(DOCNOS, bytemuck::cast_slice(&passages.docnos))?;
    out.section(ENDS, bytemuck::cast_slice(&passages.ends))?;
    out.section(HEAD, &head)?;
    out.finish()
}
