//! What touches the disk: the memory map, directories, and the SQLite catalogue.

pub(crate) mod catalog;
pub(crate) mod map;
pub(crate) mod spool;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

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

/// Removes files that look like ours and that `named` does not know: what a writer left when it was
/// killed. Called only under the writer lock. Failing to remove one is no error: on Windows a file that a
/// reader still maps cannot be removed, and the next writer tries again.
pub(crate) fn sweep(directory: &Path, named: &dyn Fn(&Path) -> bool) -> Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(directory).map_err(Error::io(directory))? {
        let path = entry.map_err(Error::io(directory))?.path();
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        let ours = (name.ends_with(".weft")
            && (name.starts_with("segment-") || name.starts_with("codebook-")))
            || (name.starts_with("spool-") && name.ends_with(".tmp"));
        if ours && !named(&path) && std::fs::remove_file(&path).is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}
