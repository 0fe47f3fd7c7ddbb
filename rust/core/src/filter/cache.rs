//! What filters let through, kept as long as nothing was committed: a repeated filter costs nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::evaluate::evaluate;
use super::set::DocumentSet;
use super::{Filter, Node};
use crate::bitmap::Bitmap;
use crate::error::Result;
use crate::index::snapshot::Snapshot;
use crate::storage::catalog::Catalog;

/// Bytes of bitmaps that are kept; beyond that everything is forgotten, which costs a scan each.
const LIMIT: usize = 32 << 20;

/// Where an evaluation finds and leaves the sets of parts of filters.
pub(crate) trait Sets {
    fn get(&self, node: &Node) -> Option<DocumentSet>;
    fn put(&self, node: &Node, set: &DocumentSet);
}

/// Nothing is kept: for a writer, whose documents change under it.
pub(crate) struct Unkept;

impl Sets for Unkept {
    fn get(&self, _: &Node) -> Option<DocumentSet> {
        None
    }

    fn put(&self, _: &Node, _: &DocumentSet) {}
}

/// What a filter lets through in one snapshot.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) set: DocumentSet,
    live: OnceLock<Arc<Bitmap>>,
}

impl Selection {
    /// The live passages that match, of which a search is to find the best.
    pub(crate) fn live(&self, snapshot: &Snapshot) -> Result<Arc<Bitmap>> {
        if !self.set.complement {
            // Values stand in the table as long as their document does, so these passages are live.
            return Ok(Arc::clone(&self.set.passages));
        }
        if let Some(live) = self.live.get() {
            return Ok(Arc::clone(live));
        }
        let mut live = Bitmap::default();
        for segment in &snapshot.segments {
            for &docno in segment.docnos()? {
                if !snapshot.deleted.contains(docno) && !self.set.passages.contains(docno) {
                    live.insert(docno);
                }
            }
        }
        Ok(Arc::clone(self.live.get_or_init(|| Arc::new(live))))
    }
}

#[derive(Debug, Default)]
struct Kept {
    generation: u64,
    bytes: usize,
    sets: HashMap<Node, DocumentSet>,
    selections: HashMap<Filter, Arc<Selection>>,
}

/// The sets of one generation.
#[derive(Debug, Default)]
pub(crate) struct FilterCache(Mutex<Kept>);

impl FilterCache {
    /// What a filter lets through in the catalogue's transaction, which `generation` names.
    pub(crate) fn select(
        &self,
        filter: &Filter,
        catalog: &mut Catalog,
        generation: u64,
    ) -> Result<Arc<Selection>> {
        if let Some(known) = self
            .of(generation)
            .and_then(|kept| kept.selections.get(filter).cloned())
        {
            return Ok(known);
        }
        let set = evaluate(
            &filter.0,
            catalog,
            &At {
                cache: self,
                generation,
            },
        )?;
        let selection = Arc::new(Selection {
            set,
            live: OnceLock::new(),
        });
        if let Some(mut kept) = self.of(generation) {
            // The set itself was counted when it was put; its complement, when walked through, is of about the same size.
            kept.make_room(selection.set.bytes());
            kept.selections
                .insert(filter.clone(), Arc::clone(&selection));
        }
        Ok(selection)
    }

    /// The kept sets of a generation; none for a reader that is behind another one.
    fn of(&self, generation: u64) -> Option<MutexGuard<'_, Kept>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.generation < generation {
            *kept = Kept {
                generation,
                ..Kept::default()
            };
        }
        (kept.generation == generation).then_some(kept)
    }
}

impl Kept {
    fn make_room(&mut self, bytes: usize) {
        // Something for the keys, so that small sets cannot pile up without limit.
        let bytes = bytes + 512;
        if self.bytes + bytes > LIMIT {
            self.sets.clear();
            self.selections.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
    }
}

struct At<'a> {
    cache: &'a FilterCache,
    generation: u64,
}

impl Sets for At<'_> {
    fn get(&self, node: &Node) -> Option<DocumentSet> {
        self.cache.of(self.generation)?.sets.get(node).cloned()
    }

    fn put(&self, node: &Node, set: &DocumentSet) {
        if let Some(mut kept) = self.cache.of(self.generation) {
            kept.make_room(set.bytes());
            kept.sets.insert(node.clone(), set.clone());
        }
    }
}
