//! Keeping search parameters as the defaults of an index. What to keep is measured above the engine.

use std::sync::Arc;

use super::Index;
use super::write::Writer;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::search::params::{Resolved, SearchParams};
use crate::search::tuned::{Tuned, TunedSet};

impl Index {
    /// The parameters of a search for `k` that names none.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn search_defaults(&self, k: usize) -> Result<Resolved> {
        let params = SearchParams {
            k,
            ..SearchParams::default()
        };
        self.read(|_, snapshot| Ok(params.resolve_among(&snapshot.tuned, 1, 1)))
    }

    /// Makes parameters the defaults of searches for `k` and somewhat fewer, in place of those tuned for the same `k`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for parameters that cannot be; as [`begin`](Self::begin).
    pub fn set_tuned(self: &Arc<Self>, tuned: &Tuned) -> Result<()> {
        if let Some(problem) = tuned.problem() {
            return Err(Error::invalid(problem));
        }
        let writer = self.begin()?;
        let mut set = writer.settings.tuned.clone();
        set.put(*tuned);
        writer.keep_tuned(set)
    }

    /// Goes back to the built-in defaults: for what was tuned for one `k`, or for everything. Says how many were given up.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn reset_tuned(self: &Arc<Self>, k: Option<usize>) -> Result<u64> {
        let writer = self.begin()?;
        let mut set = writer.settings.tuned.clone();
        let before = set.all().len();
        match k {
            Some(k) => drop(set.remove(k)),
            None => set = TunedSet::default(),
        }
        let given_up = before - set.all().len();
        if given_up > 0 {
            writer.keep_tuned(set)?;
        }
        Ok(given_up as u64)
    }
}

impl Writer {
    fn keep_tuned(mut self, set: TunedSet) -> Result<()> {
        match set.all().is_empty() {
            true => self.catalog.unset("tuned")?,
            false => self.catalog.set("tuned", &set.json())?,
        }
        self.staged = true;
        self.commit(&mut Progress::none()).map(drop)
    }
}
