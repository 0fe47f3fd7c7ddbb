//! Repair: what is whole in a damaged index goes to a new one, and what was lost is named.
//!
//! The damaged index is never changed. Documents are taken over with their docnos, codes and codebooks, so that no answer
//! changes for what is kept; words and metadata tables are made anew from the rows. Checksums decide what is whole: those of
//! rows in the catalogue, those of blocks of 65,536 bytes in the files, so that a flipped bit costs the passages of a block.

mod directory;
mod files;
mod salvage;

use std::path::{Path, PathBuf};

use self::salvage::Salvage;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::storage::catalog::{Catalog, FILE};
use crate::storage::unfinished::Unfinished;

/// Where texts of lost documents go, in the new index.
const TEXTS: &str = "lost.jsonl";

/// A document that could not be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its id, if that can still be read.
    pub id: Option<String>,
    /// The number of its first passage; without an id perhaps of one of its passages.
    pub docno: u32,
    /// What is missing.
    pub reason: String,
    /// Whether title, text and metadata are whole: they stand in the file [`Repaired::texts`] then.
    pub text_is_whole: bool,
}

/// What a repair did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Documents taken over.
    pub documents: u64,
    /// Their passages.
    pub passages: u64,
    /// Their tokens.
    pub tokens: u64,
    /// Documents that were lost.
    pub lost: Vec<Lost>,
    /// What was found damaged, in words.
    pub damage: Vec<String>,
    /// Lost documents with whole texts, one JSON object a line: adding them again makes the index complete.
    pub texts: Option<PathBuf>,
}

/// Salvages what is whole in the index at `path` into a new index at `destination`, where nothing must be yet.
///
/// # Errors
/// [`Error::NotAnIndex`] when something stands at `destination`, [`Error::Corrupt`] when nothing of the catalogue can be read,
/// [`Error::Locked`] while a writer is at work. Nothing is left at `destination` then.
pub fn repair(path: &Path, destination: &Path, progress: &mut Progress<'_>) -> Result<Repaired> {
    if !path.join(FILE).is_file() {
        return Err(super::missing(path));
    }
    let unfinished = Unfinished::create(destination, "a repair")?;
    let scratch = unfinished.path().join("source");
    std::fs::create_dir(&scratch).map_err(Error::io(&scratch))?;
    copy_catalogue(path, &scratch)?;
    let source = Catalog::open_copy(&scratch, path.join(FILE))?;
    let mut repaired = Salvage::new(path, unfinished.path(), source)?.run(progress)?;
    std::fs::remove_dir_all(&scratch).map_err(Error::io(&scratch))?;
    unfinished.finish()?;
    if repaired.texts.is_some() {
        repaired.texts = Some(destination.join(TEXTS));
    }
    Ok(repaired)
}

/// Copies the catalogue and its log: SQLite writes to whatever it opens, and to a damaged index nothing shall be written.
fn copy_catalogue(from: &Path, to: &Path) -> Result<()> {
    let names = [FILE.to_owned(), format!("{FILE}-wal")];
    let stamps = || -> Vec<_> {
        let stamp = |name| {
            let found = std::fs::metadata(from.join(name)).ok()?;
            Some((found.len(), found.modified().ok()))
        };
        names.iter().map(stamp).collect()
    };
    let before = stamps();
    for (name, stamp) in names.iter().zip(&before) {
        if stamp.is_some() {
            let file = from.join(name);
            std::fs::copy(&file, to.join(name)).map_err(Error::io(&file))?;
        }
    }
    match stamps() == before {
        true => Ok(()),
        false => Err(Error::Locked { path: from.into() }),
    }
}
