//! What an index consists of.

use super::Index;
use crate::error::Result;
use crate::search::tuned::Tuned;
use crate::segment::{CODES, NORMS, POSTING_ENDS, POSTINGS, RESIDUALS, SegmentKind, VECTORS};
use crate::storage::catalog::FILE;

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its file number.
    pub number: u64,
    /// Whether its vectors are compressed.
    pub coded: bool,
    /// Passages, deleted ones included.
    pub passages: u64,
    /// Tokens, deleted ones included.
    pub tokens: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// One codebook.
#[derive(Debug, Clone, PartialEq)]
pub struct CodebookInfo {
    /// Its file number.
    pub number: u64,
    /// Number of centroids.
    pub centroids: u64,
    /// Tokens the index had when it was trained, or grew last.
    pub tokens: u64,
    /// Mean length of a residual then.
    pub mean_residual: f32,
    /// Size of the file.
    pub bytes: u64,
}

/// An index in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// Version of the format in which it was made, and is written.
    pub format_version: u32,
    /// Documents.
    pub documents: u64,
    /// Live passages.
    pub passages: u64,
    /// Tokens of live passages.
    pub tokens: u64,
    /// Dimension of the vectors, once there are any.
    pub dim: Option<usize>,
    /// Bits a residual component.
    pub nbits: u32,
    /// Name of the codec.
    pub codec: String,
    /// Seed of sampling and clustering.
    pub seed: u64,
    /// Number of the last commit.
    pub generation: u64,
    /// The encoder's description.
    pub encoder: Option<String>,
    /// Search parameters that were measured on this index and are its defaults, by ascending `k`.
    pub tuned: Vec<Tuned>,
    /// Segments in the order of their numbers.
    pub segments: Vec<SegmentInfo>,
    /// Codebooks in the order of their numbers.
    pub codebooks: Vec<CodebookInfo>,
    /// Bytes by part: codes, residuals, norms, postings, vectors, centroids, catalogue, other.
    pub bytes: Vec<(&'static str, u64)>,
    /// Bytes a token of everything that a search reads: segments and codebooks, without texts.
    pub bytes_per_token: Option<f64>,
}

impl Index {
    /// Numbers of the index.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn info(&self) -> Result<Info> {
        self.read(|catalog, snapshot| {
            let settings = catalog.settings()?;
            let (documents, passages, tokens) = catalog.counts()?;
            let part = |sections: &[u32]| -> u64 {
                let sizes = snapshot
                    .segments
                    .iter()
                    .flat_map(|s| sections.iter().map(|&n| s.section_bytes(n) as u64));
                sizes.sum()
            };
            let mut bytes = vec![
                ("codes", part(&[CODES])),
                ("residuals", part(&[RESIDUALS])),
                ("norms", part(&[NORMS])),
                ("postings", part(&[POSTINGS, POSTING_ENDS])),
                ("vectors", part(&[VECTORS])),
                (
                    "centroids",
                    snapshot.codebooks.values().map(|c| c.bytes() as u64).sum(),
                ),
            ];
            let files = snapshot
                .segments
                .iter()
                .map(|s| s.bytes() as u64)
                .sum::<u64>()
                + bytes[5].1;
            bytes.push(("other", files - bytes.iter().map(|(_, n)| n).sum::<u64>()));
            let held: u64 = snapshot.segments.iter().map(|s| s.tokens as u64).sum();
            let catalogue = |suffix: &str| {
                let path = self.path().join(format!("{FILE}{suffix}"));
                std::fs::metadata(path).map_or(0, |m| m.len())
            };
            bytes.push(("catalogue", catalogue("") + catalogue("-wal")));
            Ok(Info {
                format_version: settings.version,
                documents,
                passages,
                tokens,
                dim: settings.dim,
                nbits: settings.nbits,
                codec: settings.codec,
                seed: settings.seed,
                generation: settings.generation,
                encoder: settings.encoder,
                tuned: settings.tuned.all().to_vec(),
                segments: snapshot
                    .segments
                    .iter()
                    .map(|s| SegmentInfo {
                        number: s.number,
                        coded: s.kind == SegmentKind::Coded,
                        passages: s.passages() as u64,
                        tokens: s.tokens as u64,
                        bytes: s.bytes() as u64,
                    })
                    .collect(),
                codebooks: snapshot
                    .codebooks
                    .values()
                    .map(|c| CodebookInfo {
                        number: c.number,
                        centroids: c.head.centroids as u64,
                        tokens: c.head.tokens,
                        mean_residual: c.head.mean_residual,
                        bytes: c.bytes() as u64,
                    })
                    .collect(),
                bytes,
                bytes_per_token: (held > 0).then(|| files as f64 / held as f64),
            })
        })
    }
}
