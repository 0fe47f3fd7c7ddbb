//! The engine of Weft: late-interaction search in one directory of files.
//!
//! An index holds token vectors of passages, compressed to centroids and residuals (ColBERTv2, PLAID), and finds
//! the passages with the greatest MaxSim to a query: for every query token the best match among a passage's tokens, summed. What
//! lies on disk is specified in `SPEC.md`. This crate knows nothing of Python and of text encoders; vectors come in, passages
//! come out.
//!
//! ```
//! use std::sync::Arc;
//!
//! use weft_core::{Index, NewDocument, OpenOptions, Progress, SearchParams};
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("small.weft");
//! let index = Index::open(&path, &OpenOptions { create: true, ..OpenOptions::default() }).unwrap();
//! let index = Arc::new(index);
//! let mut writer = index.begin().unwrap();
//! let documents = [NewDocument { id: Some("a"), ..NewDocument::default() }, NewDocument { id: Some("b"), ..NewDocument::default() }];
//! // Two passages of one token each, in eight dimensions.
//! let mut vectors = [0.0; 16];
//! vectors[0] = 1.0;
//! vectors[9] = 1.0;
//! writer.add(&documents, &[1, 1], &vectors, 8).unwrap();
//! writer.commit(&mut Progress::none()).unwrap();
//! let hits = index.search(&[&vectors[8..]], 8, &SearchParams::default(), &Default::default()).unwrap();
//! assert_eq!(hits[0][0].id, "b");
//! ```

#![forbid(unsafe_op_in_unsafe_fn)]

mod bitmap;
mod cluster;
pub mod codec;
mod error;
mod filter;
mod format;
#[cfg(fuzzing)]
#[allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a target that panics says so"
)]
pub mod fuzzing;
mod index;
mod progress;
mod search;
mod segment;
mod storage;
mod text;

pub use cluster::centroid_count;
pub use codec::{CentroidType, Codec};
pub use error::{Error, Result};
pub use filter::Filter;
pub use format::FORMAT_VERSION;
pub use index::Index;
pub use index::codes::DocumentCodes;
pub use index::compact::Compacted;
pub use index::explain::{Match, matches, maxsim};
pub use index::import::Importer;
pub use index::info::{CodebookInfo, Info, SegmentInfo};
pub use index::options::{DEFAULT_NBITS, DEFAULT_SEED, DEFAULT_TRAIN_TOKENS, OpenOptions};
pub use index::repair::{Lost, Repaired, repair};
pub use index::results::{Document, Hit, SearchOptions};
pub use index::walk::Cursor;
pub use index::write::{Committed, NewDocument, Writer};
pub use progress::{Progress, ProgressCall, Stage};
pub use search::fusion::{Fusion, FusionRule, List, Mode, Part};
pub use search::params::{DEFAULT_K, Resolved, SearchParams};
pub use search::profile::{Profile, SearchStage, StageProfile};
pub use search::tuned::Tuned;
