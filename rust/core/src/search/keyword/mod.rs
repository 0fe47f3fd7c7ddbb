//! Search by keywords: BM25 (k1 = 1.2, b = 0.75, title and text of equal weight) as SQLite's FTS5 computes it.
//!
//! FTS5 scores every passage that has any word of the query, at a microsecond each: a single "with" costs more than all other words
//! together. BM25 is a sum over words, so words are scored one after the other, the rarest first, until the words that are left cannot bring a new
//! passage among the best; those words are then looked up only in the passages that they can still decide (MaxScore, Turtle and Flood
//! 1995). What was read of a word is kept, since common words come again with every query.

pub(crate) mod cache;

use std::collections::HashSet;
use std::sync::Arc;

use self::cache::KeywordsAt;
use super::{Scored, top};
use crate::bitmap::Bitmap;
use crate::error::Result;
use crate::storage::catalog::Catalog;

/// Words of a query that are looked for; of more the rarest ones.
const MAX_WORDS: usize = 256;
/// Postings up to which all words count. Above, words that stand in more than half of the passages are left out when there are others:
/// FTS5 gives them a weight of a millionth.
const PLAIN: u64 = 20_000;

/// The words of a text, each once: runs of letters and digits, and of marks that go with them. FTS5 sees a word only in quotation marks,
/// so nothing that a user writes is syntax.
fn words(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let combining = |c: char| ('\u{300}'..'\u{370}').contains(&c);
    text.split(|c: char| !(c.is_alphanumeric() || combining(c)))
        .map(str::to_lowercase)
        .filter(|word| !word.is_empty() && seen.insert(word.clone()))
        .collect()
}

fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}

fn any<'a>(words: impl Iterator<Item = &'a Word>) -> String {
    words
        .map(|word| quoted(&word.text))
        .collect::<Vec<_>>()
        .join(" OR ")
}

/// A word of the query, and how much a passage can gain by it.
struct Word {
    text: String,
    count: u64,
    gain: f64,
}

/// The words that decide, the rarest first.
fn deciding(catalog: &mut Catalog, index: &KeywordsAt<'_>, text: &str) -> Result<Vec<Word>> {
    let passages = index.passages(catalog)?;
    let mut found = Vec::new();
    for text in words(text) {
        let count = index.count(catalog, &text)?;
        // FTS5's weight of a word, and the most that its frequency in a passage can make of it: k1 + 1.
        let weight = ((passages as f64 - count as f64 + 0.5) / (count as f64 + 0.5)).ln();
        let gain = if weight > 0.0 { weight } else { 1e-6 } * 2.2;
        if count > 0 {
            found.push(Word { text, count, gain });
        }
    }
    found.sort_by_key(|word| word.count);
    let postings: u64 = found.iter().map(|word| word.count).sum();
    let common = found.partition_point(|word| word.count <= passages / 2);
    if postings > PLAIN && common > 0 {
        found.truncate(common);
    }
    found.truncate(MAX_WORDS);
    Ok(found)
}

/// Scores by docno; a passage that has none is not there yet.
#[derive(Default)]
struct Scores {
    of: Vec<f64>,
    touched: Vec<u32>,
}

impl Scores {
    fn add(&mut self, docno: u32, share: f64) {
        let at = docno as usize;
        if self.of.len() <= at {
            self.of.resize(at + 1, 0.0);
        }
        // Shares are greater than zero.
        if self.of[at] == 0.0 {
            self.touched.push(docno);
        }
        self.of[at] += share;
    }

    fn get(&self, docno: u32) -> f64 {
        self.of[docno as usize]
    }

    /// The k-th best score, if there are as many.
    fn kth(&self, k: usize) -> f64 {
        let mut all: Vec<f64> = self.touched.iter().map(|&docno| self.get(docno)).collect();
        match all.len() < k {
            true => f64::NEG_INFINITY,
            false => *all.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a)).1,
        }
    }
}

/// The `k` best passages, of those in `live` if it is given.
pub(crate) fn search(
    catalog: &mut Catalog,
    index: &KeywordsAt<'_>,
    text: &str,
    k: usize,
    live: Option<&Arc<Bitmap>>,
) -> Result<Vec<Scored>> {
    let words = deciding(catalog, index, text)?;
    // What the words from here on can add to a passage.
    let mut left: Vec<f64> = words.iter().map(|word| word.gain).collect();
    for i in (1..left.len()).rev() {
        left[i - 1] += left[i];
    }
    let mut scores = Scores::default();
    for (i, word) in words.iter().enumerate() {
        let least = scores.kth(k);
        if least > left[i] {
            // No passage without an earlier word can be among the best any more, and few of those with one.
            let Scores { of, touched } = &mut scores;
            touched.retain(|&docno| of[docno as usize] + left[i] >= least);
            finish(catalog, index, &words, i, &mut scores)?;
            break;
        }
        for &(docno, share) in index.postings(catalog, &word.text)?.iter() {
            if live.is_none_or(|live| live.contains(docno)) {
                scores.add(docno, share);
            }
        }
    }
    let scored = |&docno: &u32| Scored {
        score: scores.get(docno) as f32,
        docno,
    };
    Ok(top(scores.touched.iter().map(scored).collect(), k))
}

/// Completes the scores of passages that have their shares of the first `done` words, at least one of which each of them has.
fn finish(
    catalog: &mut Catalog,
    index: &KeywordsAt<'_>,
    words: &[Word],
    done: usize,
    scores: &mut Scores,
) -> Result<()> {
    let mut known = Vec::new();
    let mut others = Vec::new();
    for word in &words[done..] {
        match index.wanted(catalog, &word.text)? {
            Some(postings) => known.push(postings),
            None => others.push(word),
        }
    }
    if !others.is_empty() {
        let query = format!(
            "({}) AND ({})",
            any(words[..done].iter()),
            any(others.into_iter())
        );
        let open: Bitmap = scores.touched.iter().copied().collect();
        // A passage without any of these words does not come, and has no more to get from them.
        catalog.keyword_scores(&query, Some(&Arc::new(open)), |docno, score| {
            scores.of[docno as usize] = score
        })?;
    }
    for postings in known {
        for &docno in &scores.touched {
            if let Ok(at) = postings.binary_search_by_key(&docno, |&(docno, _)| docno) {
                scores.of[docno as usize] += postings[at].1;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(
            words("The \"warp\" AND the-weft* NEAR(a, 2)^"),
            ["the", "warp", "and", "weft", "near", "a", "2"]
        );
        assert_eq!(
            words("caf\u{e9} cafe\u{301} \u{7d4c}\u{7cf8} x\0y"),
            ["caf\u{e9}", "cafe\u{301}", "\u{7d4c}\u{7cf8}", "x", "y"]
        );
        assert!(words(" \0'\"*()-+:^ \u{1F600}").is_empty());
    }
}
