//! What was read of words: how many passages have them, and which.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::quoted;
use crate::error::Result;
use crate::storage::catalog::Catalog;

/// Words whose frequencies are kept.
const KEPT_WORDS: usize = 50_000;
/// Bytes of postings that are kept.
const KEPT_BYTES: usize = 64 << 20;

/// The passages of a word in ascending order, with the share that it has in their scores.
type Postings = Arc<Vec<(u32, f64)>>;

/// What is known of words, kept as long as nothing was committed: a commit changes the weight of every word.
#[derive(Debug, Default)]
pub(crate) struct KeywordCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    generation: u64,
    passages: Option<u64>,
    /// How many passages have a word.
    counts: HashMap<String, u64>,
    postings: HashMap<String, Postings>,
    /// Words that were looked up without their postings being read.
    deferred: HashSet<String>,
    bytes: usize,
}

/// The keyword index in one generation.
pub(crate) struct KeywordsAt<'a> {
    cache: &'a KeywordCache,
    generation: u64,
}

impl KeywordCache {
    pub(crate) fn at(&self, generation: u64) -> KeywordsAt<'_> {
        KeywordsAt {
            cache: self,
            generation,
        }
    }
}

impl KeywordsAt<'_> {
    /// None for a reader that is behind another one.
    fn kept(&self) -> Option<MutexGuard<'_, Kept>> {
        let mut kept = self.cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.generation < self.generation
            || kept.counts.len() > KEPT_WORDS
            || kept.bytes > KEPT_BYTES
        {
            *kept = Kept {
                generation: self.generation,
                ..Kept::default()
            };
        }
        (kept.generation == self.generation).then_some(kept)
    }

    pub(super) fn passages(&self, catalog: &mut Catalog) -> Result<u64> {
        if let Some(known) = self.kept().and_then(|kept| kept.passages) {
            return Ok(known);
        }
        let passages = catalog.keyword_rows()?;
        if let Some(mut kept) = self.kept() {
            kept.passages = Some(passages);
        }
        Ok(passages)
    }

    pub(super) fn count(&self, catalog: &mut Catalog, word: &str) -> Result<u64> {
        if let Some(known) = self.kept().and_then(|kept| kept.counts.get(word).copied()) {
            return Ok(known);
        }
        let count = catalog.keyword_count(&quoted(word))?;
        if let Some(mut kept) = self.kept() {
            kept.counts.insert(word.to_owned(), count);
        }
        Ok(count)
    }

    pub(super) fn known(&self, word: &str) -> Option<Postings> {
        self.kept()?.postings.get(word).cloned()
    }

    /// Postings of a word that is wanted in few passages: not read for the first query, but for the second one, since there
    /// will be a third.
    pub(super) fn wanted(&self, catalog: &mut Catalog, word: &str) -> Result<Option<Postings>> {
        if let Some(known) = self.known(word) {
            return Ok(Some(known));
        }
        match self
            .kept()
            .is_none_or(|mut kept| kept.deferred.insert(word.to_owned()))
        {
            true => Ok(None),
            false => self.postings(catalog, word).map(Some),
        }
    }

    pub(super) fn postings(&self, catalog: &mut Catalog, word: &str) -> Result<Postings> {
        if let Some(known) = self.known(word) {
            return Ok(known);
        }
        let mut postings = Vec::new();
        catalog.keyword_scores(&quoted(word), None, |docno, score| {
            postings.push((docno, score))
        })?;
        let postings = Arc::new(postings);
        if let Some(mut kept) = self.kept() {
            kept.bytes += postings.len() * size_of::<(u32, f64)>();
            kept.postings.insert(word.to_owned(), Arc::clone(&postings));
        }
        Ok(postings)
    }
}
