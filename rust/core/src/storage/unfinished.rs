//! A directory that becomes an index when it is finished, and not before.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::sync_directory;
use crate::error::{Error, Result};

/// A new directory beside its destination; removed unless it was finished. A process that is killed leaves it there, where the next one
/// finds and names it.
#[derive(Debug)]
pub(crate) struct Unfinished {
    destination: PathBuf,
    path: Option<PathBuf>,
}

impl Unfinished {
    /// Makes one for a destination where nothing must be yet but an empty directory; `what` says in errors who needs it.
    pub(crate) fn create(destination: &Path, what: &str) -> Result<Self> {
        let empty =
            std::fs::read_dir(destination).is_ok_and(|mut entries| entries.next().is_none());
        if destination.exists() && !empty {
            return Err(Error::NotAnIndex {
                path: destination.into(),
                detail: format!(
                    "exists: {what} writes a new index, choose another place or remove it"
                ),
            });
        }
        let absolute = std::path::absolute(destination).map_err(Error::io(destination))?;
        if let Some(parent) = absolute.parent() {
            std::fs::create_dir_all(parent).map_err(Error::io(parent))?;
        }
        let mut path = OsString::from(destination);
        path.push(".unfinished");
        let path = PathBuf::from(path);
        match std::fs::create_dir(&path) {
            Ok(()) => Ok(Self {
                destination: destination.into(),
                path: Some(path),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let detail = format!(
                    "exists: another process is writing there, or {what} was interrupted; in that case remove it"
                );
                Err(Error::NotAnIndex { path, detail })
            }
            Err(error) => Err(Error::io(&path)(error)),
        }
    }

    /// Where to write until it is finished.
    pub(crate) fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(&self.destination)
    }

    /// Gives it the destination's name, durably. Nothing in it may be open any more.
    pub(crate) fn finish(mut self) -> Result<()> {
        let Some(path) = self.path.clone() else {
            return Ok(());
        };
        let destination = &self.destination;
        sync_directory(&path)?;
        if destination.exists() {
            std::fs::remove_dir(destination).map_err(Error::io(destination))?;
        }
        std::fs::rename(&path, destination).map_err(Error::io(destination))?;
        self.path = None;
        let absolute = std::path::absolute(destination).map_err(Error::io(destination))?;
        absolute.parent().map_or(Ok(()), sync_directory)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _gone_or_named_in_the_next_error = std::fs::remove_dir_all(path);
        }
    }
}
