//! Everything that can go wrong, by what the caller can do about it.

use std::path::{Path, PathBuf};

/// The result of every fallible call of the engine.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong. Messages are lower case, say what, where and what to do, and end without a full stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no index at this path.
    #[error("no index at '{}': create one with create=True or `weft index`", path.display())]
    NotFound {
        /// Where an index was looked for.
        path: PathBuf,
    },
    /// Something that is no index stands where one should be created.
    #[error("'{}' {detail}", path.display())]
    NotAnIndex {
        /// The path in question.
        path: PathBuf,
        /// Why it cannot hold an index.
        detail: String,
    },
    /// Another writer holds the index.
    #[error("'{}' is locked by another writer: wait for it to finish, or pass a longer lock_timeout", path.display())]
    Locked {
        /// The index.
        path: PathBuf,
    },
    /// The index cannot be written here.
    #[error("'{}' is open for reading only", path.display())]
    ReadOnly {
        /// The index.
        path: PathBuf,
    },
    /// A file is not what the catalogue says, or its checksum is wrong.
    #[error("'{}' is damaged in {section}: {detail}; restore it from a copy or rebuild the index", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The section of the file, or the table of the catalogue.
        section: String,
        /// What was found and what was expected.
        detail: String,
    },
    /// The index was written by a version this one does not read.
    #[error("'{}' has format version {found}, this version of weft reads {supported}: upgrade weft", path.display())]
    Incompatible {
        /// The file.
        path: PathBuf,
        /// The version found.
        found: u32,
        /// The version this build reads.
        supported: u32,
    },
    /// An argument is out of its range.
    #[error("{0}")]
    InvalidInput(String),
    /// A filter says something that the language does not know.
    #[error("{0}")]
    InvalidFilter(String),
    /// Vectors do not have the dimension of the index.
    #[error("{what} has dimension {found}, the index has {expected}")]
    Dimension {
        /// Which argument.
        what: String,
        /// The dimension of the index.
        expected: usize,
        /// The dimension given.
        found: usize,
    },
    /// No document has this id.
    #[error("no document '{id}' in '{}'", path.display())]
    DocumentNotFound {
        /// The id asked for.
        id: String,
        /// The index.
        path: PathBuf,
    },
    /// The index was made with another encoder.
    #[error("{0}")]
    EncoderMismatch(String),
    /// The operating system refused a file operation.
    #[error("'{}': {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("catalogue '{}': {source}", path.display())]
    Catalog {
        /// The catalogue.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The caller stopped the work; the index is as it was.
    #[error("interrupted; the index is as it was")]
    Interrupted,
}

impl Error {
    pub(crate) fn corrupt(
        path: &Path,
        section: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self::Corrupt {
            path: path.to_owned(),
            section: section.into(),
            detail: detail.into(),
        }
    }

    /// Whether SQLite could not write what it was given. In a commit this says that it is undone for good: what makes it count is written
    /// last.
    pub(crate) fn write_failed(&self) -> bool {
        match self {
            Self::Catalog {
                source: rusqlite::Error::SqliteFailure(e, _),
                ..
            } => {
                e.code == rusqlite::ErrorCode::DiskFull
                    || e.extended_code == rusqlite::ffi::SQLITE_IOERR_WRITE
            }
            _ => false,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidInput(message.into())
    }
}
