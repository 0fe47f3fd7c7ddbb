//! One thread or a pool: the same pieces of work in the same order either way.

use rayon::prelude::*;

use crate::error::Result;

/// Where pieces of work run.
#[derive(Clone, Copy)]
pub(crate) enum Executor<'a> {
    /// On the caller's thread: a pool of one would cost two context switches a stage.
    Serial,
    Pool(&'a rayon::ThreadPool),
}

impl Executor<'_> {
    /// Results of pieces `0..count`, in their order.
    pub(crate) fn map<T: Send>(
        &self,
        count: usize,
        work: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        match self {
            Self::Pool(pool) if count > 1 => {
                pool.install(|| (0..count).into_par_iter().map(&work).collect())
            }
            _ => (0..count).map(work).collect(),
        }
    }

    /// Works on pieces of a slice, each `size` long.
    pub(crate) fn for_pieces<T: Send>(
        &self,
        slice: &mut [T],
        size: usize,
        work: impl Fn(usize, &mut [T]) + Sync,
    ) {
        match self {
            Self::Pool(pool) if slice.len() > size => {
                pool.install(|| {
                    slice
                        .par_chunks_mut(size)
                        .enumerate()
                        .for_each(|(i, piece)| work(i, piece))
                });
            }
            _ => slice
                .chunks_mut(size)
                .enumerate()
                .for_each(|(i, piece)| work(i, piece)),
        }
    }
}
