//! What a search did, stage by stage, for those who ask.
//!
//! A stage that is not asked about costs one branch. One that is costs two looks at the clock and, behind the second, a count of what
//! it touched; nothing inside a stage is timed or counted, so the stages run as ever and give the same answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::candidates::Candidate;
use super::interaction::range;
use super::{Family, Searcher};
use crate::error::Result;
use crate::segment::read::Segment;

/// A stage of a search, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchStage {
    /// The filter becomes a set of passages.
    Filter,
    /// Float scores of all passages: of float16 segments, and of all of them in an exact search.
    Scan,
    /// Few passages match the filter, so they are looked up instead of probed for.
    Locate,
    /// Scores of all centroids.
    Centroids,
    /// The best cells of every query token.
    Probe,
    /// The passages of these cells.
    Candidates,
    /// The best `ndocs` go on, and later a quarter of them.
    Cut,
    /// Centroid interaction with PLAID's pruning.
    Prune,
    /// Centroid interaction.
    Interaction,
    /// Centroid scores in floats, of the passages at a cut of PLAID's stages.
    Refine,
    /// Residuals, in integers.
    Residuals,
    /// Float scores of those that can be among the best k.
    Rescore,
    /// The list by words.
    Keywords,
    /// Both lists become one.
    Fusion,
    /// Ids, texts and metadata of the hits.
    Texts,
}

/// Counters of a stage at most.
const COUNTERS: usize = 3;

impl SearchStage {
    const ALL: [Self; 15] = [
        Self::Filter,
        Self::Scan,
        Self::Locate,
        Self::Centroids,
        Self::Probe,
        Self::Candidates,
        Self::Cut,
        Self::Prune,
        Self::Interaction,
        Self::Refine,
        Self::Residuals,
        Self::Rescore,
        Self::Keywords,
        Self::Fusion,
        Self::Texts,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Scan => "scan",
            Self::Locate => "locate",
            Self::Centroids => "centroids",
            Self::Probe => "probe",
            Self::Candidates => "candidates",
            Self::Cut => "cut",
            Self::Prune => "prune",
            Self::Interaction => "interaction",
            Self::Refine => "refine",
            Self::Residuals => "residuals",
            Self::Rescore => "rescore",
            Self::Keywords => "keywords",
            Self::Fusion => "fusion",
            Self::Texts => "texts",
        }
    }

    /// What it counts; bytes are those of vectors, codes and centroids that it reads.
    pub fn counters(self) -> &'static [&'static str] {
        match self {
            Self::Centroids => &["centroids", "bytes"],
            Self::Probe => &["cells"],
            Self::Scan | Self::Prune | Self::Interaction | Self::Residuals | Self::Rescore => {
                &["passages", "tokens", "bytes"]
            }
            _ => &["passages"],
        }
    }
}

/// One stage of all queries of a call together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageProfile {
    /// Which one.
    pub stage: SearchStage,
    /// How often it ran: once a query, or for every codebook or segment, or again with more cells.
    pub calls: u64,
    /// Elapsed time, summed over the runs.
    pub time: Duration,
    /// Values of [`SearchStage::counters`].
    pub counts: Vec<u64>,
}

/// What a call did. Stages of queries that ran beside each other are summed, so together they may take longer than the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Elapsed time of the call in the engine.
    pub time: Duration,
    /// Threads it was allowed.
    pub threads: usize,
    /// The stages that ran, in their order.
    pub stages: Vec<StageProfile>,
}

#[derive(Default)]
struct Slot {
    calls: AtomicU64,
    nanoseconds: AtomicU64,
    counts: [AtomicU64; COUNTERS],
}

/// Adds up what the stages of a call report, from any thread.
#[derive(Default)]
pub(crate) struct Meter([Slot; SearchStage::ALL.len()]);

impl Meter {
    fn add<const N: usize>(&self, stage: SearchStage, time: Duration, counts: [u64; N]) {
        debug_assert_eq!(N, stage.counters().len());
        let slot = &self.0[stage as usize];
        slot.calls.fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        slot.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        for (sum, count) in slot.counts.iter().zip(counts) {
            sum.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// The stages that ran.
    pub(crate) fn profile(&self, time: Duration, threads: usize) -> Profile {
        let read = |stage: SearchStage| {
            let slot = &self.0[stage as usize];
            let counts = slot.counts.iter().take(stage.counters().len());
            StageProfile {
                stage,
                calls: slot.calls.load(Ordering::Relaxed),
                time: Duration::from_nanos(slot.nanoseconds.load(Ordering::Relaxed)),
                counts: counts.map(|c| c.load(Ordering::Relaxed)).collect(),
            }
        };
        Profile {
            time,
            threads,
            stages: SearchStage::ALL
                .into_iter()
                .map(read)
                .filter(|stage| stage.calls > 0)
                .collect(),
        }
    }
}

/// Does the work of a stage; with a meter, tells it how long that took and then what it was.
#[inline]
pub(crate) fn timed<T, const N: usize>(
    meter: Option<&Meter>,
    stage: SearchStage,
    work: impl FnOnce() -> Result<T>,
    counts: impl FnOnce(&T) -> Result<[u64; N]>,
) -> Result<T> {
    let Some(meter) = meter else {
        return work();
    };
    let start = Instant::now();
    let out = work()?;
    let time = start.elapsed();
    meter.add(stage, time, counts(&out)?);
    Ok(out)
}

impl Searcher<'_> {
    /// Passages and tokens of candidates, and the bytes read of them.
    pub(crate) fn amount(
        &self,
        family: &Family<'_>,
        candidates: &[Candidate],
        bytes: impl Fn(&Segment) -> usize,
    ) -> Result<[u64; 3]> {
        let mut sum = [candidates.len() as u64, 0, 0];
        for candidate in candidates {
            let segment = family.segments[candidate.segment as usize];
            let (start, end) = range(segment.ends()?, candidate.position);
            sum[1] += (end - start) as u64;
            sum[2] += ((end - start) * bytes(segment)) as u64;
        }
        Ok(sum)
    }

    /// Passages and tokens of a segment that may be found, and the bytes read of them.
    pub(crate) fn amount_of(&self, segment: &Segment) -> Result<[u64; 3]> {
        let (docnos, ends) = (segment.docnos()?, segment.ends()?);
        let mut sum = [0; 3];
        for (position, &docno) in docnos.iter().enumerate() {
            if self.admits(docno) {
                let (start, end) = range(ends, position as u32);
                sum[0] += 1;
                sum[1] += (end - start) as u64;
            }
        }
        sum[2] = sum[1] * segment.token_bytes() as u64;
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Index, NewDocument, OpenOptions, Progress, SearchOptions, SearchParams};

    #[test]
    fn a_stage_that_nobody_asks_about_counts_nothing() {
        let counts = |_: &u32| -> Result<[u64; 1]> { panic!("counted") };
        assert_eq!(timed(None, SearchStage::Cut, || Ok(3), counts).unwrap(), 3);
    }

    #[test]
    fn a_meter_adds_up_and_names_only_what_ran() {
        let meter = Meter::default();
        for n in [2, 3] {
            timed(
                Some(&meter),
                SearchStage::Scan,
                || Ok(()),
                |()| Ok([1, n, 10 * n]),
            )
            .unwrap();
        }
        let profile = meter.profile(Duration::from_millis(7), 4);
        assert_eq!(
            (profile.time, profile.threads),
            (Duration::from_millis(7), 4)
        );
        let [scan] = &profile.stages[..] else {
            panic!("{profile:?}")
        };
        assert_eq!((scan.stage, scan.calls), (SearchStage::Scan, 2));
        assert_eq!(scan.counts, [2, 5, 50]);
    }

    #[test]
    fn every_stage_has_a_slot_and_a_name_of_its_own() {
        let mut names: Vec<&str> = SearchStage::ALL.iter().map(|s| s.name()).collect();
        assert!(
            SearchStage::ALL
                .iter()
                .enumerate()
                .all(|(i, s)| i == *s as usize)
        );
        assert!(
            SearchStage::ALL
                .iter()
                .all(|s| (1..=COUNTERS).contains(&s.counters().len()))
        );
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SearchStage::ALL.len());
    }

    /// 400 passages of 5 tokens, coded, and the first 10 deleted again.
    fn small(threads: usize) -> (tempfile::TempDir, Arc<Index>, Vec<f32>) {
        let (dim, length, passages) = (16, 5, 400);
        let directory = tempfile::tempdir().unwrap();
        let options = OpenOptions {
            create: true,
            train_tokens: Some(1),
            threads: Some(threads),
            ..OpenOptions::default()
        };
        let index = Arc::new(Index::open(&directory.path().join("i"), &options).unwrap());
        let mut random = crate::cluster::random::Random::new(5);
        let vectors: Vec<f32> = (0..dim * length * passages)
            .map(|_| random.below(2001) as f32 / 1000.0 - 1.0)
            .collect();
        let names: Vec<String> = (0..passages).map(|i| format!("d{i}")).collect();
        let documents: Vec<NewDocument<'_>> = names
            .iter()
            .map(|id| NewDocument {
                id: Some(id),
                ..NewDocument::default()
            })
            .collect();
        let mut writer = index.begin().unwrap();
        writer
            .add(&documents, &vec![length; passages], &vectors, dim)
            .unwrap();
        writer.commit(&mut Progress::none()).unwrap();
        let first: Vec<&str> = names[..10].iter().map(String::as_str).collect();
        index.delete(&first).unwrap();
        (directory, index, vectors)
    }

    #[test]
    fn a_profiled_search_gives_the_same_hits_and_the_same_counts_on_any_number_of_threads() {
        let params = SearchParams {
            k: 5,
            nprobe: Some(2),
            ndocs: Some(40),
            ..SearchParams::default()
        };
        let counts = |profile: &Profile| -> Vec<(&'static str, u64, Vec<u64>)> {
            let row = |s: &StageProfile| (s.stage.name(), s.calls, s.counts.clone());
            profile.stages.iter().map(row).collect()
        };
        let mut seen = Vec::new();
        for threads in [1, 2] {
            let (_directory, index, vectors) = small(threads);
            let queries: Vec<&[f32]> = vectors.chunks_exact(16 * 5).skip(20).take(6).collect();
            let options = SearchOptions::default();
            let (hits, profile) = index
                .search_profiled(&queries, 16, &params, &options)
                .unwrap();
            assert_eq!(hits, index.search(&queries, 16, &params, &options).unwrap());
            assert_eq!(profile.threads, threads);
            let counts = counts(&profile);
            let of = |name: &str| counts.iter().find(|row| row.0 == name).unwrap();
            assert_eq!(of("probe").2, [6 * 5 * 2]);
            assert!(of("candidates").2[0] <= 6 * 390);
            assert_eq!(of("interaction").2[..2], [6 * 40, 6 * 40 * 5]);
            assert_eq!(of("residuals").2[..2], [6 * 10, 6 * 10 * 5]);
            assert_eq!(of("cut").2, [6 * 50]);
            assert_eq!(of("texts").2, [6 * 5]);

            let exact = SearchParams {
                exact: true,
                ..params
            };
            let (_, profile) = index
                .search_profiled(&queries, 16, &exact, &options)
                .unwrap();
            // A byte of reciprocal norm, two of code, two bits a component.
            assert_eq!(
                profile.stages[0].counts,
                [6 * 390, 6 * 390 * 5, 6 * 390 * 5 * 7]
            );
            seen.push(counts);
        }
        assert_eq!(seen[0], seen[1]);
    }
}
