//! Looking at every byte.

use super::Index;
use crate::error::Result;

impl Index {
    /// Verifies every checksum, code, posting and row, and that catalogue and segments agree. Returns what is wrong, in words; nothing
    /// when all is well.
    ///
    /// # Errors
    /// Only when the index cannot be opened far enough to be looked at.
    pub fn check(&self) -> Result<Vec<String>> {
        self.read(|catalog, snapshot| {
            let mut problems: Vec<String> = catalog
                .integrity()?
                .into_iter()
                .map(|line| format!("catalogue: {line}"))
                .collect();
            for codebook in snapshot.codebooks.values() {
                (self.interrupt)()?;
                problems.extend(codebook.verify().err().map(|e| e.to_string()));
            }
            let mut held: Vec<u32> = Vec::new();
            for segment in &snapshot.segments {
                (self.interrupt)()?;
                problems.extend(segment.verify().err().map(|e| e.to_string()));
                held.extend(
                    segment
                        .docnos()?
                        .iter()
                        .copied()
                        .filter(|&d| !snapshot.deleted.contains(d)),
                );
            }
            held.sort_unstable();
            if held.windows(2).any(|w| w[0] == w[1]) {
                problems.push("a passage stands in two segments".into());
            }
            let rows = catalog.docnos()?;
            for docno in rows.iter().filter(|d| held.binary_search(d).is_err()) {
                problems.push(format!(
                    "passage {docno} of the catalogue stands in no segment"
                ));
            }
            for &docno in &held {
                let checked = catalog
                    .passage(docno)
                    .and_then(|row| catalog.document(row.document));
                problems.extend(checked.err().map(|e| e.to_string()));
            }
            problems.extend(catalog.verify_derived(&self.interrupt)?);
            Ok(problems)
        })
    }
}
