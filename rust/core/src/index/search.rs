//! Searching: the lists of one mode or of both, fused, grouped, with their texts, all in one snapshot.

use std::sync::Arc;
use std::time::Instant;

use weft_kernels::Query;

use super::results::{Found, Hit, SearchOptions, hits};
use super::snapshot::Snapshot;
use super::{Index, make_pool};
use crate::bitmap::Bitmap;
use crate::error::{Error, Result};
use crate::search::candidates::MAX_QUERY_TOKENS;
use crate::search::executor::Executor;
use crate::search::fusion::{self, List, Mode};
use crate::search::keyword;
use crate::search::params::SearchParams;
use crate::search::profile::{Meter, Profile, SearchStage, timed};
use crate::search::{Scored, Searcher};
use crate::storage::catalog::Catalog;

/// Queries a thread answers between two looks at the caller's interrupt.
const QUERIES_A_POLL: usize = 8;

impl Index {
    /// The `k` best passages of every query. Queries are rows of `dim` numbers, any number of rows each; a search by keywords alone takes
    /// none, and its words from the options.
    ///
    /// # Errors
    /// [`Error::Dimension`] when `dim` is not the index's, [`Error::InvalidInput`] for an empty or unusable query,
    /// [`Error::Corrupt`] when a file turns out to be damaged.
    pub fn search(
        &self,
        queries: &[&[f32]],
        dim: usize,
        params: &SearchParams,
        options: &SearchOptions,
    ) -> Result<Vec<Vec<Hit>>> {
        self.answer(queries, dim, params, options, None)
    }

    /// The same, and what was done for it.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn search_profiled(
        &self,
        queries: &[&[f32]],
        dim: usize,
        params: &SearchParams,
        options: &SearchOptions,
    ) -> Result<(Vec<Vec<Hit>>, Profile)> {
        let (meter, start) = (Meter::default(), Instant::now());
        let hits = self.answer(queries, dim, params, options, Some(&meter))?;
        let threads = options.threads.unwrap_or(self.threads).max(1);
        Ok((hits, meter.profile(start.elapsed(), threads)))
    }

    fn answer(
        &self,
        queries: &[&[f32]],
        dim: usize,
        params: &SearchParams,
        options: &SearchOptions,
        meter: Option<&Meter>,
    ) -> Result<Vec<Vec<Hit>>> {
        check(queries.len(), params, options)?;
        let semantic = options.mode != Mode::Keyword;
        let queries = match semantic {
            true => prepare(queries, dim)?,
            false => Vec::new(),
        };
        let count = match semantic {
            true => queries.len(),
            false => options.words.len(),
        };
        let threads = options.threads.unwrap_or(self.threads).max(1);
        let own;
        let pool = match threads {
            1 => None,
            n if n == self.threads => Some(self.pool()?),
            n => {
                own = make_pool(n)?;
                Some(&own)
            }
        };
        self.read(|catalog, snapshot| {
            if let Some(expected) = snapshot.dim.filter(|&d| semantic && d != dim) {
                return Err(Error::Dimension {
                    what: "the query".into(),
                    expected,
                    found: dim,
                });
            }
            let single = match pool {
                Some(pool) if queries.len() == 1 => Executor::Pool(pool),
                _ => Executor::Serial,
            };
            let live = self.live(options, catalog, snapshot, meter)?;
            let searcher = Searcher {
                snapshot,
                live: live.as_deref(),
                executor: single,
                poll: &self.interrupt,
                meter,
            };
            let mut wanted = vec![params.k; count];
            let mut out: Vec<Vec<Hit>> = vec![Vec::new(); count];
            let mut open: Vec<usize> = (0..count).collect();
            // A second round only when grouping: several passages of one document took places of others.
            while !open.is_empty() {
                let batch = match pool {
                    Some(pool) if open.len() > 1 => Executor::Pool(pool),
                    _ => Executor::Serial,
                };
                let depths: Vec<usize> = wanted.iter().map(|&k| options.mode.depth(k)).collect();
                let mut lists: Vec<Vec<Scored>> = Vec::with_capacity(open.len());
                for open in open.chunks(QUERIES_A_POLL * threads) {
                    (self.interrupt)()?;
                    lists.extend(batch.map(open.len(), |i| match queries.get(open[i]) {
                        Some(query) => {
                            let k = depths[open[i]];
                            searcher.search(query, &SearchParams { k, ..*params })
                        }
                        None => Ok(Vec::new()),
                    })?);
                }
                let mut again = Vec::new();
                for (&query, list) in open.iter().zip(&lists) {
                    let depth = depths[query];
                    let words = match options.mode {
                        Mode::Semantic => Vec::new(),
                        Mode::Keyword | Mode::Hybrid(_) => timed(
                            meter,
                            SearchStage::Keywords,
                            || {
                                let words = &options.words[query];
                                self.keyword_list(catalog, snapshot.generation, words, depth, &live)
                            },
                            |list| Ok([list.len() as u64]),
                        )?,
                    };
                    let (found, whole) = match options.mode {
                        Mode::Semantic => (Found::of(List::Semantic, list), list.len() < depth),
                        Mode::Keyword => (Found::of(List::Keyword, &words), words.len() < depth),
                        Mode::Hybrid(fusion) => {
                            let whole = list.len() < depth && words.len() < depth;
                            let fused = timed(
                                meter,
                                SearchStage::Fusion,
                                || Ok(fusion::fuse(list, &words, &fusion)),
                                |fused| Ok([fused.len() as u64]),
                            )?;
                            (fused, whole)
                        }
                    };
                    let found = timed(
                        meter,
                        SearchStage::Texts,
                        || hits(catalog, &found, params.k, options),
                        |hits| Ok([hits.len() as u64]),
                    )?;
                    if options.group && found.len() < params.k && !whole {
                        wanted[query] = wanted[query].saturating_mul(2);
                        again.push(query);
                    } else {
                        out[query] = found;
                    }
                }
                open = again;
            }
            Ok(out)
        })
    }

    /// The live passages that the filter lets through, if there is one.
    fn live(
        &self,
        options: &SearchOptions,
        catalog: &mut Catalog,
        snapshot: &Snapshot,
        meter: Option<&Meter>,
    ) -> Result<Option<Arc<Bitmap>>> {
        let Some(filter) = options.filter.as_ref().filter(|f| !f.is_empty()) else {
            return Ok(None);
        };
        timed(
            meter,
            SearchStage::Filter,
            || {
                let selection = self.selection(Some(filter), catalog, snapshot)?;
                selection.map(|s| s.live(snapshot)).transpose()
            },
            |live| Ok([live.as_ref().map_or(0, |live| live.len() as u64)]),
        )
    }

    fn keyword_list(
        &self,
        catalog: &mut Catalog,
        generation: u64,
        words: &str,
        depth: usize,
        live: &Option<Arc<Bitmap>>,
    ) -> Result<Vec<Scored>> {
        (self.interrupt)()?;
        keyword::search(
            catalog,
            &self.keywords.at(generation),
            words,
            depth,
            live.as_ref(),
        )
    }

    /// Docnos and scores alone, without the catalogue's texts: for measuring the engine.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn search_docnos(
        &self,
        query: &[f32],
        dim: usize,
        params: &SearchParams,
    ) -> Result<Vec<(u32, f32)>> {
        let query = prepare(&[query], dim)?.remove(0);
        self.read(|_, snapshot| {
            let executor = if self.threads == 1 {
                Executor::Serial
            } else {
                Executor::Pool(self.pool()?)
            };
            let scored = Searcher {
                snapshot,
                live: None,
                executor,
                poll: &self.interrupt,
                meter: None,
            }
            .search(&query, params)?;
            Ok(scored
                .iter()
                .map(|&Scored { docno, score }| (docno, score))
                .collect())
        })
    }
}

fn check(queries: usize, params: &SearchParams, options: &SearchOptions) -> Result<()> {
    if params.k == 0 {
        return Err(Error::invalid("k is 0: ask for at least one passage"));
    }
    if params.centroid_score_threshold.is_some_and(f32::is_nan) {
        return Err(Error::invalid("centroid_score_threshold is NaN"));
    }
    if let Mode::Hybrid(fusion) = &options.mode {
        fusion.check()?;
        let words = options.words.len();
        if words != queries {
            return Err(Error::invalid(format!(
                "{queries} queries, but the words of {words}: a hybrid search needs both of each"
            )));
        }
    }
    Ok(())
}

/// Checks queries and brings them into the kernels' form.
pub(crate) fn prepare(queries: &[&[f32]], dim: usize) -> Result<Vec<Query>> {
    crate::codec::check_dim(dim)?;
    let check = |(i, values): (usize, &&[f32])| {
        if values.is_empty() || !values.len().is_multiple_of(dim) {
            let n = values.len();
            return Err(Error::invalid(format!(
                "query {i} has {n} numbers, not one or more rows of {dim}"
            )));
        }
        let tokens = values.len() / dim;
        if tokens > MAX_QUERY_TOKENS {
            return Err(Error::invalid(format!(
                "query {i} has {tokens} tokens, more than {MAX_QUERY_TOKENS}"
            )));
        }
        // 1e15: squares and sums of such numbers still fit float32.
        match values.iter().position(|v| v.is_nan() || v.abs() > 1e15) {
            Some(at) => {
                let (value, row) = (values[at], at / dim);
                Err(Error::invalid(format!(
                    "row {row} of query {i} has a component that is {value}"
                )))
            }
            None => Ok(Query::new(values, tokens, dim)),
        }
    };
    queries.iter().enumerate().map(check).collect()
}
