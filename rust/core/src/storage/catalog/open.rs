//! Making and opening the catalogue: its schema, connections, and whose database it is.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::keywords::Admitted;
use super::{APPLICATION_ID, Access, Catalog, FILE, READ_TIMEOUT, Settings};
use crate::error::{Error, Result};
use crate::format::{FORMAT_VERSION, is_known};

/// What table `keywords` is made with.
pub(super) const KEYWORD_OPTIONS: &str = "title, text, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'";

const SCHEMA: &str = "
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    document INTEGER PRIMARY KEY, passages INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, title TEXT, text TEXT, metadata TEXT,
    checksum INTEGER NOT NULL);
CREATE TABLE passages (
    docno INTEGER PRIMARY KEY, document INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL, end INTEGER NOT NULL, tokens INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE fields (field INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
CREATE TABLE field_values (
    field INTEGER NOT NULL, kind INTEGER NOT NULL, value BLOB NOT NULL, document INTEGER NOT NULL, passages INTEGER NOT NULL,
    PRIMARY KEY (field, kind, value, document)) WITHOUT ROWID;
CREATE TABLE codebooks (codebook INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE segments (
    segment INTEGER PRIMARY KEY, codebook INTEGER NOT NULL, passages INTEGER NOT NULL, tokens INTEGER NOT NULL,
    bytes INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE deletions (docno INTEGER PRIMARY KEY, generation INTEGER NOT NULL);
CREATE INDEX deletions_by_generation ON deletions (generation);
";

/// Length and time of the catalogue, and length of its log.
pub(super) type Stamp = (u64, Option<std::time::SystemTime>, u64);

fn stamp(path: &Path) -> Stamp {
    let log = std::fs::metadata(path.with_extension("sqlite-wal")).map_or(0, |m| m.len());
    std::fs::metadata(path).map_or((0, None, log), |m| (m.len(), m.modified().ok(), log))
}

/// Whether the system lets nobody of us create a file in a directory: asked after something failed there, since only this reason
/// allows reading without locks.
fn denied(directory: &Path) -> bool {
    let probe = directory.join(format!("spool-{}-probe.tmp", std::process::id()));
    match std::fs::File::create(&probe) {
        Ok(_) => {
            let _swept_later = std::fs::remove_file(probe);
            false
        }
        Err(error) => matches!(
            error.kind(),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
        ),
    }
}

impl Catalog {
    /// Creates the catalogue of a new index in an existing directory.
    pub(crate) fn create(directory: &Path, settings: &Settings) -> Result<()> {
        let path = directory.join(FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection =
            Connection::open_with_flags(&path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        let mut catalog = Self::over(&path, connection.map_err(|e| sql_error(&path, e))?)?;
        catalog.prepare(Access::Write, Duration::ZERO)?;
        catalog.begin(Access::Write)?;
        // Two processes may create at once: the second finds the first's tables and is content with them.
        if catalog.pragma("user_version")? == 0 {
            catalog.run(|c| {
                c.execute_batch(SCHEMA)?;
                c.execute_batch(&format!(
                    "CREATE VIRTUAL TABLE keywords USING fts5 ({KEYWORD_OPTIONS})"
                ))?;
                c.pragma_update(None, "application_id", APPLICATION_ID)?;
                c.pragma_update(None, "user_version", settings.version)
            })?;
            let uuid: String = settings.uuid.iter().map(|b| format!("{b:02x}")).collect();
            catalog.set("uuid", &uuid)?;
            catalog.set("nbits", &settings.nbits.to_string())?;
            catalog.set("codec", &settings.codec)?;
            catalog.set("seed", &settings.seed.to_string())?;
            catalog.set("generation", "0")?;
            catalog.set("next_docno", "0")?;
            catalog.set("next_file", "1")?;
        }
        catalog.commit()
    }

    /// Opens the catalogue of an existing index.
    pub(crate) fn open(directory: &Path, access: Access, timeout: Duration) -> Result<Self> {
        let path = directory.join(FILE);
        if !path.is_file() {
            return Err(Error::NotFound {
                path: directory.into(),
            });
        }
        match Self::connect(&path, access, timeout) {
            Ok(catalog) => Ok(catalog),
            Err(
                error @ (Error::NotFound { .. }
                | Error::NotAnIndex { .. }
                | Error::Incompatible { .. }),
            ) => Err(error),
            Err(error) if !denied(directory) => Err(error),
            Err(_) if access == Access::Write => Err(Error::ReadOnly {
                path: directory.into(),
            }),
            Err(_) => Self::connect_immutable(&path),
        }
    }

    fn connect(path: &Path, access: Access, timeout: Duration) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|e| sql_error(path, e))?;
        let mut catalog = Self::over(path, connection)?;
        // First of all: a database that is not ours is not even switched to WAL.
        catalog.identify()?;
        catalog.prepare(access, timeout)?;
        Ok(catalog)
    }

    fn over(path: &Path, connection: Connection) -> Result<Self> {
        let admitted = Admitted::register(&connection).map_err(|e| sql_error(path, e))?;
        connection.set_prepared_statement_cache_capacity(48);
        Ok(Self {
            path: path.to_owned(),
            connection,
            fields: HashMap::new(),
            admitted,
            version: FORMAT_VERSION,
            immutable: None,
        })
    }

    /// Refuses databases of others and of other versions.
    fn identify(&mut self) -> Result<()> {
        self.run(|c| c.busy_timeout(READ_TIMEOUT))?;
        let (id, version) = (self.pragma("application_id")?, self.pragma("user_version")?);
        let anything = "SELECT EXISTS (SELECT * FROM sqlite_schema)";
        if id == 0 && !self.run(|c| c.query_row(anything, [], |row| row.get::<_, bool>(0)))? {
            // What a creation leaves that was interrupted.
            return Err(Error::NotFound {
                path: self.path.parent().unwrap_or(&self.path).into(),
            });
        }
        if id != APPLICATION_ID {
            let detail = "is an SQLite database, but not a weft index".into();
            return Err(Error::NotAnIndex {
                path: self.path.clone(),
                detail,
            });
        }
        let found = u32::try_from(version).unwrap_or(u32::MAX);
        if !is_known(found) {
            return Err(Error::Incompatible {
                path: self.path.clone(),
                found,
                supported: FORMAT_VERSION,
            });
        }
        self.version = found;
        Ok(())
    }

    /// Read-only media: SQLite cannot make its shared memory there, so it is told that nothing will change.
    fn connect_immutable(path: &Path) -> Result<Self> {
        let stamp = stamp(path);
        if stamp.2 > 0 {
            // An immutable connection would not see the commits of the log: an old state is a wrong answer.
            let advice = "holds commits that nobody can read without writing here: open the index once where it can be written";
            return Err(Error::Io {
                path: path.with_extension("sqlite-wal"),
                source: std::io::Error::new(std::io::ErrorKind::PermissionDenied, advice),
            });
        }
        let absolute = std::path::absolute(path).map_err(Error::io(path))?;
        let mut uri = String::from("file:");
        for byte in absolute.to_string_lossy().bytes() {
            match byte {
                b'/' | b'.' | b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                    uri.push(byte as char)
                }
                _ => uri.push_str(&format!("%{byte:02X}")),
            }
        }
        uri.push_str("?immutable=1");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri, flags).map_err(|e| sql_error(path, e))?;
        let mut catalog = Self::over(path, connection)?;
        catalog.immutable = Some(stamp);
        catalog.identify()?;
        Ok(catalog)
    }

    /// Whether somebody wrote although this connection was told that nothing will change: another user, or through another mount.
    /// What it read since may be of two states.
    pub(crate) fn outdated(&self) -> bool {
        self.immutable.is_some_and(|then| then != stamp(&self.path))
    }

    fn prepare(&mut self, access: Access, timeout: Duration) -> Result<()> {
        let wait = if access == Access::Read {
            READ_TIMEOUT
        } else {
            timeout
        };
        self.run(|c| {
            c.busy_timeout(wait)?;
            // WAL is a property of the file; asking again is free and also proves that the directory can be used.
            c.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
            // FULL: a commit that was reported survives a power cut.
            c.pragma_update(None, "synchronous", "FULL")?;
            // Damaged pages become errors instead of odd results; costs nothing measurable.
            c.pragma_update(None, "cell_size_check", true)
        })
    }
}

/// Sorts SQLite's errors by what the caller can do.
pub(super) fn sql_error(path: &Path, source: rusqlite::Error) -> Error {
    let directory = path.parent().unwrap_or(path).to_owned();
    match &source {
        rusqlite::Error::SqliteFailure(e, message) => match e.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                Error::Locked { path: directory }
            }
            ErrorCode::ReadOnly => Error::ReadOnly { path: directory },
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Error::corrupt(
                path,
                "the catalogue",
                message.clone().unwrap_or_else(|| e.to_string()),
            ),
            _ => Error::Catalog {
                path: path.into(),
                source,
            },
        },
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => {
            Error::corrupt(path, "the catalogue", source.to_string())
        }
        _ => Error::Catalog {
            path: path.into(),
            source,
        },
    }
}
