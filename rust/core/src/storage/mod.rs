//! What touches the disk: the memory map, directories, and the SQLite catalogue.

pub(crate) mod catalog;
pub(crate) mod map;
pub(crate) mod spool;
pub(crate) mod unfinished;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::index::snapshot::Snapshot;

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<()> {
    // Windows has no handle for this; NTFS journals directory entries itself.
    if cfg!(unix) {
        std::fs::File::open(path)
            .and_then(|d| d.sync_all())
            .map_err(Error::io(path))?;
    }
    Ok(())
}

/// Path of a codebook file.
pub(crate) fn codebook_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("codebook-{number}.weft"))
}

/// Path of a segment file.
pub(crate) fn segment_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("segment-{number}.weft"))
}

/// Codebook and segment files that `snapshot` does not name: what a writer left that was
/// killed or could not remove a file. Spools of dead writers are removed on the way. Called only under the writer lock.
pub(crate) fn orphans(directory: &Path, snapshot: &Snapshot) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(Error::io(directory))? {
        let path = entry.map_err(Error::io(directory))?.path();
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        let number = |kind: &str| {
            name.strip_prefix(kind)?
                .strip_suffix(".weft")?
                .parse::<u64>()
                .ok()
        };
        let orphaned = match (number("segment-"), number("codebook-")) {
            (Some(number), _) => snapshot.segments.iter().all(|s| s.number != number),
            (_, Some(number)) => snapshot.codebooks.values().all(|c| c.number != number),
            _ => false,
        };
        if orphaned {
            found.push(path);
        } else if name.starts_with("spool-") && name.ends_with(".tmp") {
            remove([&path]);
        }
    }
    Ok(found)
}

/// Removes files that nobody needs. That one stays is no error: on Windows a file that a reader still maps cannot be removed, and
/// the next writer tries again.
pub(crate) fn remove<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) {
    for path in paths {
        let _swept_later = std::fs::remove_file(path);
    }
}
