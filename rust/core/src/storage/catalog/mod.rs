//! The catalogue: documents, passages and the names of the files, in SQLite (SPEC.md section 5).
//!
//! It is the commit point. SQLite in WAL mode gives what an index needs and nobody should write by hand:
//! one writer and many readers over processes, a snapshot per transaction, durability. Rows carry a
//! checksum, since SQLite itself does not notice a flipped byte in a text.

mod damaged;
mod derived;
mod documents;
mod fields;
mod files;
mod keywords;
mod open;
mod stage;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row};

pub(crate) use self::documents::{DocumentRow, PassageRow};
pub(crate) use self::fields::ValueRange;
pub(crate) use self::files::{CodebookRow, SegmentRow};
use self::open::sql_error;
pub(crate) use self::stage::{StagedDocument, parse_metadata};
use crate::error::{Error, Result};
use crate::search::tuned::TunedSet;

/// The file's name in the index directory.
pub(crate) const FILE: &str = "catalog.sqlite";
const APPLICATION_ID: i64 = 0x5745_4654;
/// How long a reader waits for the moment in which SQLite itself holds a lock (recovery after a crash).
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// What an index is made with and remembers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// The format's version, of the catalogue and of all files.
    pub(crate) version: u32,
    pub(crate) uuid: [u8; 16],
    pub(crate) nbits: u32,
    pub(crate) codec: String,
    pub(crate) seed: u64,
    pub(crate) dim: Option<usize>,
    pub(crate) encoder: Option<String>,
    pub(crate) generation: u64,
    pub(crate) next_docno: u32,
    pub(crate) next_file: u64,
    /// Search parameters that were measured on this index.
    pub(crate) tuned: TunedSet,
}

/// How a connection is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// One connection.
pub(crate) struct Catalog {
    path: PathBuf,
    connection: Connection,
    /// Numbers of paths, as far as this writer met them.
    fields: HashMap<String, i64>,
    admitted: keywords::Admitted,
    /// The format's version.
    version: u32,
    /// Of a connection without locks: what the files looked like when it was opened.
    immutable: Option<open::Stamp>,
}

impl Catalog {
    fn pragma(&mut self, name: &str) -> Result<i64> {
        self.run(|c| c.pragma_query_value(None, name, |row| row.get(0)))
    }

    fn run<T>(&mut self, call: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T> {
        call(&mut self.connection).map_err(|e| sql_error(&self.path, e))
    }

    fn corrupt(&self, table: &str, detail: impl Into<String>) -> Error {
        Error::corrupt(&self.path, format!("table {table}"), detail)
    }

    /// The catalogue's file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts a transaction: of a reader, which then sees one snapshot, or of the one writer.
    pub(crate) fn begin(&mut self, access: Access) -> Result<()> {
        let sql = if access == Access::Read {
            "BEGIN"
        } else {
            "BEGIN IMMEDIATE"
        };
        self.run(|c| c.execute_batch(sql))
    }

    pub(crate) fn commit(&mut self) -> Result<()> {
        self.run(|c| c.execute_batch("COMMIT"))
    }

    /// Ends a transaction without its changes. Nothing can be done about a failure: closing the connection has the same effect.
    pub(crate) fn rollback(&mut self) {
        if !self.connection.is_autocommit() {
            let _closed_later = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn value(&mut self, key: &str) -> Result<Option<String>> {
        self.run(|c| {
            c.prepare_cached("SELECT value FROM settings WHERE key = ?1")?
                .query_row([key], |row| row.get(0))
                .optional()
        })
    }

    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.run(|c| {
            let sql = "INSERT INTO settings VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
            c.prepare_cached(sql)?.execute([key, value]).map(drop)
        })
    }

    pub(crate) fn unset(&mut self, key: &str) -> Result<()> {
        self.run(|c| {
            c.prepare_cached("DELETE FROM settings WHERE key = ?1")?
                .execute([key])
                .map(drop)
        })
    }

    fn number<T: std::str::FromStr>(&mut self, key: &str) -> Result<T> {
        let value = self.value(key)?;
        let parsed = value.as_deref().and_then(|v| v.parse().ok());
        parsed.ok_or_else(|| self.corrupt("settings", format!("{key} is {value:?}")))
    }

    /// The number of the last commit: one small read, with which a reader sees whether it is up to date.
    pub(crate) fn generation(&mut self) -> Result<u64> {
        self.number("generation")
    }

    pub(crate) fn settings(&mut self) -> Result<Settings> {
        let text = self.value("uuid")?.unwrap_or_default();
        let mut uuid = [0_u8; 16];
        let digits = text.as_bytes();
        if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(self.corrupt("settings", format!("uuid is {text:?}")));
        }
        for (byte, pair) in uuid.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| self.corrupt("settings", "uuid"))?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| self.corrupt("settings", "uuid"))?;
        }
        let dim = match self.value("dim")? {
            None => None,
            Some(_) => Some(self.number::<usize>("dim")?),
        };
        let codec = self.value("codec")?.unwrap_or_default();
        Ok(Settings {
            version: self.version,
            uuid,
            nbits: self.number("nbits")?,
            codec,
            seed: self.number("seed")?,
            dim,
            encoder: self.value("encoder")?,
            generation: self.number("generation")?,
            next_docno: self.number("next_docno")?,
            next_file: self.number("next_file")?,
            tuned: self.tuned()?,
        })
    }

    fn tuned(&mut self) -> Result<TunedSet> {
        match self.value("tuned")? {
            None => Ok(TunedSet::default()),
            Some(text) => TunedSet::parse(&text)
                .ok_or_else(|| self.corrupt("settings", format!("tuned is {text:?}"))),
        }
    }

    /// A new id: 32 hexadecimal digits from SQLite's generator, which the operating system seeds.
    pub(crate) fn make_id(&mut self) -> Result<String> {
        self.run(|c| c.query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0)))
    }

    /// The field `fingerprint` of an encoder's description.
    pub(crate) fn fingerprint(&mut self, description: &str) -> Result<String> {
        let sql = "SELECT CASE WHEN json_valid(?1) THEN json_extract(?1, '$.fingerprint') END";
        let found: Option<String> =
            self.run(|c| c.query_row(sql, [description], |row| row.get::<_, Option<String>>(0)))?;
        found.ok_or_else(|| {
            Error::invalid(format!(
                "the encoder's description has no fingerprint: {description}"
            ))
        })
    }

    /// Gives the space of deleted rows back to the disk. The log is cut as far as readers of older states allow.
    pub(crate) fn vacuum(&mut self) -> Result<()> {
        self.run(|c| {
            c.execute_batch("INSERT INTO keywords (keywords) VALUES ('optimize'); VACUUM")?;
            c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        })
    }

    /// What SQLite finds wrong with its own pages, indexes and constraints.
    pub(crate) fn integrity(&mut self) -> Result<Vec<String>> {
        let found: Vec<String> = self.run(|c| {
            let mut statement = c.prepare("PRAGMA integrity_check")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        })?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}
