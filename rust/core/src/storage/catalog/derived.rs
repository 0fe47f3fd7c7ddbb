//! Whether the tables that follow from documents still do: for `check`.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Rows, params};

use super::Catalog;
use super::open::KEYWORD_OPTIONS;
use crate::error::Result;
use crate::text::CodePoints;

/// Documents read at a time, between two looks at the caller's interrupt.
const PAGE: usize = 500;

impl Catalog {
    /// Makes values and words of all documents anew and says, in words, what the tables have otherwise. The words go to a temporary
    /// keyword index, which takes about as long as adding the texts took. Documents that are damaged themselves are passed over.
    ///
    /// # Errors
    /// When the catalogue cannot be read, and what `poll` returns.
    pub(crate) fn verify_derived(&mut self, poll: &dyn Fn() -> Result<()>) -> Result<Vec<String>> {
        self.run(|c| {
            // SQLite keeps a temporary table as long as the connection, and a check that was interrupted may have left it.
            c.execute_batch(&format!(
                "DROP TABLE IF EXISTS temp.expected; CREATE VIRTUAL TABLE temp.expected USING fts5 ({KEYWORD_OPTIONS})"
            ))
        })?;
        let result = self.compare_derived(poll);
        self.run(|c| c.execute_batch("DROP TABLE temp.expected"))?;
        result
    }

    fn compare_derived(&mut self, poll: &dyn Fn() -> Result<()>) -> Result<Vec<String>> {
        let (mut problems, mut damaged, mut values, mut from) = (Vec::new(), false, 0_u64, 0);
        loop {
            poll()?;
            let page = self.documents_in(None, from, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            from = last + 1;
            for (document, id) in page {
                match self.expect(document) {
                    Ok(missing) => {
                        values += missing.values;
                        problems.extend(missing.first.map(|path| {
                            format!("table field_values: the value of '{path}' of document {id:?} is missing")
                        }));
                    }
                    Err(_) => damaged = true,
                }
            }
        }
        // Which rows are too many, or whose words differ, cannot be said while documents are missing from the comparison.
        if damaged {
            return Ok(problems);
        }
        let rows: u64 = self.run(|c| {
            c.query_row("SELECT count(*) FROM field_values", [], |row| {
                super::unsigned(row, 0)
            })
        })?;
        if problems.is_empty() && rows != values {
            problems.push(format!(
                "table field_values: it has {rows} rows, the documents have {values} values"
            ));
        }
        poll()?;
        problems.extend(self.run(|c| compare_words(c))?);
        Ok(problems)
    }

    /// Puts the words of a document where they are compared, and looks for its values.
    fn expect(&mut self, document: u32) -> Result<Values> {
        let row = self.document(document)?;
        let passages = self.passages_of(document)?;
        let values = self.values_of(&row)?;
        let text = row.text.as_deref().map(CodePoints::new);
        self.run(|c| {
            let mut add = c.prepare_cached(
                "INSERT INTO temp.expected (rowid, title, text) VALUES (?1, ?2, ?3)",
            )?;
            for passage in &passages {
                let text = text
                    .as_ref()
                    .and_then(|text| text.slice(passage.start, passage.end));
                add.execute(params![passage.docno, row.title, text])?;
            }
            let sql = "SELECT passages FROM fields JOIN field_values USING (field) \
                       WHERE path = ?1 AND kind = ?2 AND value = ?3 AND document = ?4";
            let mut find = c.prepare_cached(sql)?;
            let mut first = None;
            for value in &values {
                let key = params![value.path, value.kind, value.value, document];
                let found = find.query_row(key, |row| row.get::<_, i64>(0)).optional()?;
                if found != Some(i64::from(row.passages)) {
                    first.get_or_insert_with(|| value.path.clone());
                }
            }
            Ok(Values {
                values: values.len() as u64,
                first,
            })
        })
    }
}

/// What was looked for among the values of a document.
struct Values {
    values: u64,
    /// The path of the first one that is not there.
    first: Option<String>,
}

/// Goes through both keyword indexes side by side: every word at every place, and the number of words of every passage.
fn compare_words(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.execute_batch(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.places USING fts5vocab (main, keywords, instance);
         CREATE VIRTUAL TABLE IF NOT EXISTS temp.expected_places USING fts5vocab (temp, expected, instance);",
    )?;
    let tables = [
        (
            "temp.places",
            "temp.expected_places",
            "term, doc, col, offset",
            1,
        ),
        (
            "main.keywords_docsize",
            "temp.expected_docsize",
            "id, sz",
            0,
        ),
    ];
    for (held, expected, columns, docno) in tables {
        let order = if docno == 0 { " ORDER BY id" } else { "" };
        let mut held = connection.prepare(&format!("SELECT {columns} FROM {held}{order}"))?;
        let mut expected =
            connection.prepare(&format!("SELECT {columns} FROM {expected}{order}"))?;
        let count = held.column_count();
        let (mut held, mut expected) = (held.query([])?, expected.query([])?);
        loop {
            let (a, b) = (next(&mut held, count)?, next(&mut expected, count)?);
            match (a, b) {
                (None, None) => break,
                (a, b) if a == b => {}
                (a, b) => {
                    let place =
                        |row: Option<Vec<Value>>| row.and_then(|row| row.into_iter().nth(docno));
                    let docnos = [place(a), place(b)];
                    let integer = |value| match value {
                        Value::Integer(docno) => Some(docno),
                        _ => None,
                    };
                    let docno = docnos.into_iter().flatten().filter_map(integer).min();
                    let docno = docno.unwrap_or_default();
                    return Ok(Some(format!(
                        "table keywords: the words of passage {docno} are not those of its text"
                    )));
                }
            }
        }
    }
    Ok(None)
}

fn next(rows: &mut Rows<'_>, columns: usize) -> rusqlite::Result<Option<Vec<Value>>> {
    rows.next()?
        .map(|row| (0..columns).map(|i| row.get(i)).collect())
        .transpose()
}
