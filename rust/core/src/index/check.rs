//! Looking at every byte.

use super::Index;
use crate::error::Result;

/// Problems of one kind that are told one by one.
const TOLD: usize = 20;

/// What was found, in words; of a kind that comes by the thousand only the first.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn all(&mut self, found: impl Iterator<Item = String>) {
        let mut found = found.peekable();
        self.0.extend(found.by_ref().take(TOLD));
        if found.peek().is_some() {
            self.0
                .push(format!("and {} more of this kind", found.count()));
        }
    }
}

impl Index {
    /// Verifies every checksum, code, posting and row, and that catalogue and segments agree. Returns what is wrong, in words; nothing
    /// when all is well.
    ///
    /// # Errors
    /// Only when the index cannot be opened far enough to be looked at.
    pub fn check(&self) -> Result<Vec<String>> {
        self.read(|catalog, snapshot| {
            let mut problems = Problems::default();
            let lines = catalog.integrity()?;
            problems.all(lines.into_iter().map(|line| format!("catalogue: {line}")));
            for codebook in snapshot.codebooks.values() {
                (self.interrupt)()?;
                problems.0.extend(codebook.verify().err().map(|e| e.to_string()));
            }
            // Docnos and numbers of tokens of all live passages.
            let mut held: Vec<(u32, u32)> = Vec::new();
            for segment in &snapshot.segments {
                (self.interrupt)()?;
                problems.0.extend(segment.verify().err().map(|e| e.to_string()));
                let mut start = 0;
                for (&docno, &end) in segment.docnos()?.iter().zip(segment.ends()?) {
                    if !snapshot.deleted.contains(docno) {
                        held.push((docno, end - start));
                    }
                    start = end;
                }
            }
            held.sort_unstable();
            let holds = |docno: u32| held.binary_search_by_key(&docno, |&(d, _)| d).ok();
            let twice = held.windows(2).filter(|w| w[0].0 == w[1].0);
            problems.all(twice.map(|w| {
                format!("passage {} stands in two segments: it can be found twice", w[0].0)
            }));
            let rows = catalog.docnos()?;
            let lost = rows.iter().filter(|&&d| holds(d).is_none());
            problems.all(lost.map(|docno| {
                format!("passage {docno} of the catalogue stands in no segment: it cannot be found by its vectors")
            }));
            let mut wrong = Vec::new();
            let mut documents = 0;
            for (i, &(docno, tokens)) in held.iter().enumerate() {
                if i % 4096 == 0 {
                    (self.interrupt)()?;
                }
                let checked = catalog
                    .passage(docno)
                    .and_then(|row| Ok((row, catalog.document(row.document)?)));
                let (passage, document) = match checked {
                    Ok(rows) => rows,
                    Err(error) => {
                        wrong.push(error.to_string());
                        continue;
                    }
                };
                if passage.tokens != tokens {
                    wrong.push(format!(
                        "passage {docno} has {tokens} tokens in its segment, {} in the catalogue",
                        passage.tokens
                    ));
                }
                if passage.ordinal == 0 {
                    documents += 1;
                    let missing = (docno..docno.saturating_add(document.passages))
                        .filter(|&d| holds(d).is_none())
                        .count();
                    if missing > 0 {
                        wrong.push(format!(
                            "document {:?} lacks {missing} of its {} passages",
                            document.id, document.passages
                        ));
                    }
                }
            }
            problems.all(wrong.into_iter());
            let count = catalog.document_count()?;
            if count != documents {
                problems.0.push(format!(
                    "{count} documents in the catalogue, of {documents} the first passage stands in a segment"
                ));
            }
            problems.0.extend(catalog.verify_derived(&self.interrupt)?);
            Ok(problems.0)
        })
    }
}
