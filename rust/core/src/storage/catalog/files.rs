//! The files of a commit and the passages in them that are gone: tables `segments`, `codebooks`, `deletions`.

use rusqlite::params;

use super::{Catalog, unsigned};
use crate::error::Result;
use crate::format::FileSeal;

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

impl Catalog {
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

    pub(crate) fn remove_codebook(&mut self, number: u64) -> Result<()> {
        self.run(|c| {
            c.execute("DELETE FROM codebooks WHERE codebook = ?1", [number as i64])
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
}
