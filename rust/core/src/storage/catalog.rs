//! The catalogue: documents, passages and the names of the files, in SQLite (SPEC.md section 5).
//!
//! It is the commit point. SQLite in WAL mode gives what an index needs and nobody should write by hand:
//! one writer and many readers over processes, a snapshot per transaction, durability. Rows carry a
//! checksum, since SQLite itself does not notice a flipped byte in a text.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, params};

use crate::error::{Error, Result};
use crate::format::{FORMAT_VERSION, FileSeal};

/// The file's name in the index directory.
pub(crate) const FILE: &str = "catalog.sqlite";
const APPLICATION_ID: i64 = 0x5745_4654;
/// How long a reader waits for the moment in which SQLite itself holds a lock (recovery after a crash).
const READ_TIMEOUT: Duration = Duration::from_secs(10);

const SCHEMA: &str = "
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    document INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT, text TEXT, metadata TEXT, checksum INTEGER NOT NULL);
CREATE TABLE passages (
    docno INTEGER PRIMARY KEY, document INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL, end INTEGER NOT NULL, tokens INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE INDEX passages_of_document ON passages (document, ordinal);
CREATE TABLE codebooks (codebook INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE segments (
    segment INTEGER PRIMARY KEY, codebook INTEGER NOT NULL, passages INTEGER NOT NULL, tokens INTEGER NOT NULL,
    bytes INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE deletions (docno INTEGER PRIMARY KEY, generation INTEGER NOT NULL);
CREATE INDEX deletions_by_generation ON deletions (generation);
";

/// What an index is made with and remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) uuid: [u8; 16],
    pub(crate) nbits: u32,
    pub(crate) codec: String,
    pub(crate) seed: u64,
    pub(crate) dim: Option<usize>,
    pub(crate) encoder: Option<String>,
    pub(crate) generation: u64,
    pub(crate) next_docno: u32,
    pub(crate) next_file: u64,
}

/// A row of `segments`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentRow {
    pub(crate) number: u64,
    pub(crate) codebook: u64,
    pub(crate) passages: u64,
    pub(crate) tokens: u64,
    pub(crate) seal: FileSeal,
}

/// A row of `codebooks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CodebookRow {
    pub(crate) number: u64,
    pub(crate) seal: FileSeal,
}

/// A row of `documents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DocumentRow {
    pub(crate) document: i64,
    pub(crate) id: String,
    pub(crate) title: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) metadata: Option<String>,
}

/// A row of `passages`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PassageRow {
    pub(crate) docno: u32,
    pub(crate) document: i64,
    pub(crate) ordinal: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) tokens: u32,
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
}

fn document_checksum(
    id: &str,
    title: Option<&str>,
    text: Option<&str>,
    metadata: Option<&str>,
) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for field in [Some(id), title, text, metadata] {
        match field {
            Some(value) => {
                hasher.update(&(value.len() as u64).to_le_bytes());
                hasher.update(value.as_bytes());
            }
            None => hasher.update(&u64::MAX.to_le_bytes()),
        }
    }
    hasher.finalize()
}

fn passage_checksum(row: &PassageRow) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    let fields = [
        u64::from(row.docno),
        row.document as u64,
        u64::from(row.ordinal),
        row.start,
        row.end,
        u64::from(row.tokens),
    ];
    for field in fields {
        hasher.update(&field.to_le_bytes());
    }
    hasher.finalize()
}

impl Catalog {
    /// Creates the catalogue of a new index in an existing directory.
    pub(crate) fn create(directory: &Path, settings: &Settings) -> Result<()> {
        let path = directory.join(FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection =
            Connection::open_with_flags(&path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        let mut catalog = Self {
            connection: connection.map_err(|e| sql_error(&path, e))?,
            path,
        };
        catalog.prepare(Access::Write, Duration::ZERO)?;
        catalog.begin(Access::Write)?;
        // Two processes may create at once: the second finds the first's tables and is content with them.
        if catalog.pragma("user_version")? == 0 {
            catalog.run(|c| {
                c.execute_batch(SCHEMA)?;
                c.pragma_update(None, "application_id", APPLICATION_ID)?;
                c.pragma_update(None, "user_version", FORMAT_VERSION)
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
        let catalog = match Self::connect(&path, access, timeout) {
            Ok(catalog) => catalog,
            Err(error @ (Error::NotAnIndex { .. } | Error::Incompatible { .. })) => {
                return Err(error);
            }
            Err(error) if access == Access::Write => return Err(error),
            Err(error) => Self::connect_immutable(&path, error)?,
        };
        if access == Access::Read {
            catalog.connection.set_prepared_statement_cache_capacity(32);
        }
        Ok(catalog)
    }

    fn connect(path: &Path, access: Access, timeout: Duration) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|e| sql_error(path, e))?;
        let mut catalog = Self {
            path: path.to_owned(),
            connection,
        };
        // First of all: a database that is not ours is not even switched to WAL.
        catalog.identify()?;
        catalog.prepare(access, timeout)?;
        Ok(catalog)
    }

    /// Refuses databases of others and of other versions.
    fn identify(&mut self) -> Result<()> {
        self.run(|c| c.busy_timeout(READ_TIMEOUT))?;
        let (id, version) = (self.pragma("application_id")?, self.pragma("user_version")?);
        if id != APPLICATION_ID {
            let detail = "is an SQLite database, but not a weft index".into();
            return Err(Error::NotAnIndex {
                path: self.path.clone(),
                detail,
            });
        }
        if version != i64::from(FORMAT_VERSION) {
            let found = u32::try_from(version).unwrap_or(u32::MAX);
            return Err(Error::Incompatible {
                path: self.path.clone(),
                found,
                supported: FORMAT_VERSION,
            });
        }
        Ok(())
    }

    /// Read-only media: SQLite cannot make its shared memory there, so it is told that nothing will change.
    fn connect_immutable(path: &Path, first: Error) -> Result<Self> {
        let log = path.with_extension("sqlite-wal");
        if std::fs::metadata(&log).is_ok_and(|m| m.len() > 0) {
            // The log holds commits that an immutable connection would not see: an old state is a wrong answer.
            return Err(first);
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
        let mut catalog = Self {
            path: path.to_owned(),
            connection,
        };
        catalog.identify()?;
        Ok(catalog)
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
            uuid,
            nbits: self.number("nbits")?,
            codec,
            seed: self.number("seed")?,
            dim,
            encoder: self.value("encoder")?,
            generation: self.number("generation")?,
            next_docno: self.number("next_docno")?,
            next_file: self.number("next_file")?,
        })
    }

    pub(crate) fn segments(&mut self) -> Result<Vec<SegmentRow>> {
        self.run(|c| {
            let sql = "SELECT segment, codebook, passages, tokens, bytes, checksum FROM segments ORDER BY segment";
            let mut statement = c.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(SegmentRow {
                    number: unsigned(row, 0)?,
                    codebook: unsigned(row, 1)?,
                    passages: unsigned(row, 2)?,
                    tokens: unsigned(row, 3)?,
                    seal: FileSeal { bytes: unsigned(row, 4)?, checksum: row.get(5)? },
                })
            })?;
            rows.collect()
        })
    }

    pub(crate) fn codebooks(&mut self) -> Result<Vec<CodebookRow>> {
        self.run(|c| {
            let mut statement = c.prepare_cached(
                "SELECT codebook, bytes, checksum FROM codebooks ORDER BY codebook",
            )?;
            let rows = statement.query_map([], |row| {
                let seal = FileSeal {
                    bytes: unsigned(row, 1)?,
                    checksum: row.get(2)?,
                };
                Ok(CodebookRow {
                    number: unsigned(row, 0)?,
                    seal,
                })
            })?;
            rows.collect()
        })
    }

    pub(crate) fn add_segment(&mut self, row: &SegmentRow) -> Result<()> {
        self.run(|c| {
            c.prepare_cached("INSERT INTO segments VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![
                    row.number as i64,
                    row.codebook as i64,
                    row.passages as i64,
                    row.tokens as i64,
                    row.seal.bytes as i64,
                    row.seal.checksum
                ])
                .map(drop)
        })
    }

    pub(crate) fn remove_segment(&mut self, number: u64) -> Result<()> {
        self.run(|c| {
            c.execute("DELETE FROM segments WHERE segment = ?1", [number as i64])
                .map(drop)
        })
    }

    pub(crate) fn add_codebook(&mut self, row: &CodebookRow) -> Result<()> {
        self.run(|c| {
            let values = params![row.number as i64, row.seal.bytes as i64, row.seal.checksum];
            c.execute("INSERT INTO codebooks VALUES (?1, ?2, ?3)", values)
                .map(drop)
        })
    }

    /// Docnos that were deleted after a generation.
    pub(crate) fn deletions_since(&mut self, generation: Option<u64>) -> Result<Vec<u32>> {
        let after = generation.map_or(-1, |g| g as i64);
        self.run(|c| {
            let mut statement =
                c.prepare_cached("SELECT docno FROM deletions WHERE generation > ?1")?;
            let rows = statement.query_map([after], |row| row.get(0))?;
            rows.collect()
        })
    }

    /// Forgets deletions of passages that no segment holds any more.
    pub(crate) fn forget_deletions(&mut self, docnos: &[u32]) -> Result<()> {
        self.run(|c| {
            let mut statement = c.prepare_cached("DELETE FROM deletions WHERE docno = ?1")?;
            docnos
                .iter()
                .try_for_each(|&docno| statement.execute([docno]).map(drop))
        })
    }

    /// Numbers of documents and live passages, and tokens of live passages.
    pub(crate) fn counts(&mut self) -> Result<(u64, u64, u64)> {
        self.run(|c| {
            let documents =
                c.query_row("SELECT count(*) FROM documents", [], |row| unsigned(row, 0))?;
            c.query_row(
                "SELECT count(*), coalesce(sum(tokens), 0) FROM passages",
                [],
                |row| Ok((documents, unsigned(row, 0)?, unsigned(row, 1)?)),
            )
        })
    }

    pub(crate) fn document_count(&mut self) -> Result<u64> {
        self.run(|c| c.query_row("SELECT count(*) FROM documents", [], |row| unsigned(row, 0)))
    }

    /// Adds a document and returns its key.
    pub(crate) fn add_document(
        &mut self,
        id: &str,
        title: Option<&str>,
        text: Option<&str>,
        metadata: Option<&str>,
    ) -> Result<i64> {
        let checksum = document_checksum(id, title, text, metadata);
        self.run(|c| {
            let sql = "INSERT INTO documents (id, title, text, metadata, checksum) VALUES (?1, ?2, ?3, ?4, ?5)";
            c.prepare_cached(sql)?.insert(params![id, title, text, metadata, checksum])
        })
    }

    pub(crate) fn add_passage(&mut self, row: &PassageRow) -> Result<()> {
        let checksum = passage_checksum(row);
        self.run(|c| {
            let values = params![
                row.docno,
                row.document,
                row.ordinal,
                row.start as i64,
                row.end as i64,
                row.tokens,
                checksum
            ];
            c.prepare_cached("INSERT INTO passages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
                .execute(values)
                .map(drop)
        })
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

    /// Removes a document and marks its passages deleted as of `generation`; returns their docnos, none when there is no such document.
    pub(crate) fn delete_document(&mut self, id: &str, generation: u64) -> Result<Vec<u32>> {
        self.run(|c| {
            let key: Option<i64> = c
                .prepare_cached("SELECT document FROM documents WHERE id = ?1")?
                .query_row([id], |row| row.get(0))
                .optional()?;
            let Some(key) = key else {
                return Ok(Vec::new());
            };
            let docnos = c
                .prepare_cached("SELECT docno FROM passages WHERE document = ?1")?
                .query_map([key], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<u32>>>()?;
            let mark = "INSERT INTO deletions SELECT docno, ?2 FROM passages WHERE document = ?1";
            c.prepare_cached(mark)?
                .execute(params![key, generation as i64])?;
            c.prepare_cached("DELETE FROM passages WHERE document = ?1")?
                .execute([key])?;
            c.prepare_cached("DELETE FROM documents WHERE document = ?1")?
                .execute([key])?;
            Ok(docnos)
        })
    }

    pub(crate) fn passage(&mut self, docno: u32) -> Result<PassageRow> {
        let row = self.run(|c| {
            let sql = "SELECT docno, document, ordinal, start, end, tokens, checksum FROM passages WHERE docno = ?1";
            c.prepare_cached(sql)?.query_row([docno], passage_row).optional()
        })?;
        match row {
            Some((row, checksum)) if checksum == passage_checksum(&row) => Ok(row),
            Some(_) => Err(self.corrupt("passages", format!("wrong checksum of passage {docno}"))),
            None => Err(self.corrupt(
                "passages",
                format!("passage {docno} stands in a segment but not here"),
            )),
        }
    }

    pub(crate) fn passages_of(&mut self, document: i64) -> Result<Vec<PassageRow>> {
        let rows: Vec<(PassageRow, u32)> = self.run(|c| {
            let sql = "SELECT docno, document, ordinal, start, end, tokens, checksum FROM passages \
                       WHERE document = ?1 ORDER BY ordinal";
            let mut statement = c.prepare_cached(sql)?;
            let rows = statement.query_map([document], passage_row)?;
            rows.collect()
        })?;
        if rows.is_empty()
            || rows
                .iter()
                .any(|(row, checksum)| *checksum != passage_checksum(row))
        {
            return Err(self.corrupt(
                "passages",
                format!("the passages of document {document} are not whole"),
            ));
        }
        Ok(rows.into_iter().map(|(row, _)| row).collect())
    }

    pub(crate) fn document(&mut self, document: i64) -> Result<DocumentRow> {
        let found = self.find_document("document = ?1", &document)?;
        found.ok_or_else(|| {
            self.corrupt(
                "documents",
                format!("document {document} has passages but no row"),
            )
        })
    }

    pub(crate) fn document_by_id(&mut self, id: &str) -> Result<Option<DocumentRow>> {
        self.find_document("id = ?1", &id)
    }

    fn find_document(
        &mut self,
        filter: &str,
        value: &dyn rusqlite::ToSql,
    ) -> Result<Option<DocumentRow>> {
        let row = self.run(|c| {
            let sql = format!(
                "SELECT document, id, title, text, metadata, checksum FROM documents WHERE {filter}"
            );
            c.prepare_cached(&sql)?
                .query_row([value], |row| {
                    let document = DocumentRow {
                        document: row.get(0)?,
                        id: row.get(1)?,
                        title: row.get(2)?,
                        text: row.get(3)?,
                        metadata: row.get(4)?,
                    };
                    Ok((document, row.get::<_, u32>(5)?))
                })
                .optional()
        })?;
        match row {
            None => Ok(None),
            Some((d, checksum)) => {
                let right = document_checksum(
                    &d.id,
                    d.title.as_deref(),
                    d.text.as_deref(),
                    d.metadata.as_deref(),
                );
                if right != checksum {
                    return Err(self.corrupt(
                        "documents",
                        format!("wrong checksum of document {:?}", d.id),
                    ));
                }
                Ok(Some(d))
            }
        }
    }

    /// Up to `limit` ids in the order of their adding, after the document with the key `after`.
    pub(crate) fn ids_after(&mut self, after: i64, limit: usize) -> Result<Vec<(i64, String)>> {
        self.run(|c| {
            let sql =
                "SELECT document, id FROM documents WHERE document > ?1 ORDER BY document LIMIT ?2";
            let mut statement = c.prepare_cached(sql)?;
            let rows = statement.query_map(params![after, limit as i64], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            rows.collect()
        })
    }

    /// Every docno that has a row, ascending: for `check`.
    pub(crate) fn docnos(&mut self) -> Result<Vec<u32>> {
        self.run(|c| {
            let mut statement = c.prepare("SELECT docno FROM passages ORDER BY docno")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
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

fn passage_row(row: &Row<'_>) -> rusqlite::Result<(PassageRow, u32)> {
    let passage = PassageRow {
        docno: row.get(0)?,
        document: row.get(1)?,
        ordinal: row.get(2)?,
        start: unsigned(row, 3)?,
        end: unsigned(row, 4)?,
        tokens: row.get(5)?,
    };
    Ok((passage, row.get(6)?))
}

/// Sorts SQLite's errors by what the caller can do.
fn sql_error(path: &Path, source: rusqlite::Error) -> Error {
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
