//! Float scores: the last stage, `exact=True`, and indexes too small for a codebook.

use std::cell::RefCell;

use weft_kernels::{Query, maxsim_f16, maxsim_f32, sum_maxima};

use super::interaction::range;
use super::profile::{SearchStage, timed};
use super::{Scored, Searcher};
use crate::codec::codebook::Codebook;
use crate::codec::encode::decode;
use crate::error::Result;
use crate::segment::read::Segment;

/// Passages of a task of a scan, and tasks between two looks at the caller's interrupt.
const TASK: usize = 64;
const TASKS_A_POLL: usize = 256;

thread_local! {
    static SCRATCH: RefCell<(Vec<u32>, Vec<f32>, Vec<f32>)> = RefCell::default();
}

impl Searcher<'_> {
    /// MaxSim of one coded passage over its decoded vectors, in floats.
    pub(crate) fn score_coded(
        &self,
        query: &Query,
        codebook: &Codebook,
        segment: &Segment,
        position: u32,
    ) -> Result<f32> {
        let (start, end) = range(segment.ends()?, position);
        SCRATCH.with_borrow_mut(|(codes, vectors, maxima)| {
            codes.clear();
            segment.codes(start, end, codes)?;
            decode(codebook, codes, segment.residuals(start, end)?, vectors)?;
            maxima.clear();
            maxima.resize(query.lanes(), f32::NEG_INFINITY);
            maxsim_f32(query, vectors, maxima);
            Ok(sum_maxima(query, maxima))
        })
    }

    /// MaxSim of one uncompressed passage.
    pub(crate) fn score_float(
        &self,
        query: &Query,
        segment: &Segment,
        position: u32,
    ) -> Result<f32> {
        let (start, end) = range(segment.ends()?, position);
        SCRATCH.with_borrow_mut(|(_, _, maxima)| {
            maxima.clear();
            maxima.resize(query.lanes(), f32::NEG_INFINITY);
            maxsim_f16(query, segment.vectors(start, end)?, maxima);
            Ok(sum_maxima(query, maxima))
        })
    }

    /// Scores every passage that may be found of a coded segment.
    pub(crate) fn scan_coded(
        &self,
        query: &Query,
        codebook: &Codebook,
        segment: &Segment,
    ) -> Result<Vec<Scored>> {
        self.scan(segment, |position| {
            self.score_coded(query, codebook, segment, position)
        })
    }

    /// Scores every passage that may be found of an uncompressed segment.
    pub(crate) fn scan_float(&self, query: &Query, segment: &Segment) -> Result<Vec<Scored>> {
        self.scan(segment, |position| {
            self.score_float(query, segment, position)
        })
    }

    fn scan(
        &self,
        segment: &Segment,
        score: impl Fn(u32) -> Result<f32> + Sync,
    ) -> Result<Vec<Scored>> {
        timed(
            self.meter,
            SearchStage::Scan,
            || self.scan_all(segment, score),
            |_| self.amount_of(segment),
        )
    }

    fn scan_all(
        &self,
        segment: &Segment,
        score: impl Fn(u32) -> Result<f32> + Sync,
    ) -> Result<Vec<Scored>> {
        let docnos = segment.docnos()?;
        let tasks = docnos.len().div_ceil(TASK);
        let mut out = Vec::with_capacity(docnos.len());
        for first in (0..tasks).step_by(TASKS_A_POLL) {
            (self.poll)()?;
            let count = TASKS_A_POLL.min(tasks - first);
            let lists = self.executor.map(count, |i| {
                let start = (first + i) * TASK;
                let docnos = &docnos[start..docnos.len().min(start + TASK)];
                let live = docnos.iter().enumerate().filter(|(_, d)| self.admits(**d));
                live.map(|(j, &docno)| {
                    Ok(Scored {
                        score: score((start + j) as u32)?,
                        docno,
                    })
                })
                .collect::<Result<Vec<_>>>()
            })?;
            lists.into_iter().for_each(|list| out.extend(list));
        }
        Ok(out)
    }
}
