//! Spherical k-means in two levels.
//!
//! Level one splits the sample into groups, level two splits every group by itself; then the whole is refined by
//! Lloyd steps with the two-level assignment. The result is close to a flat k-means at a twentieth of its cost.
//! Everything is computed in an order that depends on the seed alone:
//! sums of a cluster run over its points in ascending order, whatever the number of threads.

use rayon::prelude::*;
use weft_kernels::{CentroidPanels, f16_to_f32, nearest};

use super::assign::Assigner;
use super::random::Random;
use crate::error::Result;
use crate::progress::{Reporter, Stage};

/// From this many centroids on, two levels.
const TWO_LEVEL: usize = 1024;
const GROUP_ITERATIONS: usize = 8;
const LOCAL_ITERATIONS: usize = 6;
const GLOBAL_ITERATIONS: usize = 2;
/// Points a group centre is trained on at most.
const POINTS_PER_CENTRE: usize = 256;
/// Groups a point looks into while training.
const TRAINING_PROBES: usize = 4;
/// Points converted to f32 at a time.
const BATCH: usize = 65_536;
/// Kernels work on this many centroids at a time, so groups are multiples of it.
const PANEL: usize = 16;

/// Unit centroids in groups of neighbours.
pub(crate) struct Clustering {
    pub(crate) dim: usize,
    /// `[K][dim]`.
    pub(crate) centroids: Vec<f32>,
    /// Exclusive end of every group.
    pub(crate) group_ends: Vec<u32>,
}

impl Clustering {
    pub(crate) fn len(&self) -> usize {
        self.centroids.len() / self.dim
    }

    /// The centre of every group: the direction of the sum of its centroids.
    pub(crate) fn centres(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.group_ends.len() * self.dim];
        let mut start = 0;
        for (centre, &end) in out.chunks_exact_mut(self.dim).zip(&self.group_ends) {
            for row in
                self.centroids[start * self.dim..end as usize * self.dim].chunks_exact(self.dim)
            {
                add(centre, row);
            }
            normalise(centre);
            start = end as usize;
        }
        out
    }
}

/// Makes a vector one of unit length; a zero vector stays.
pub(crate) fn normalise(vector: &mut [f32]) {
    let norm = norm(vector);
    if norm > 0.0 {
        let factor = 1.0 / norm;
        vector.iter_mut().for_each(|v| *v *= factor);
    }
}

/// Length of a vector. Sixteen running sums, so that the compiler uses registers and every machine adds in the same order.
pub(crate) fn norm(vector: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    for part in vector.chunks(16) {
        for (sum, v) in sums.iter_mut().zip(part) {
            *sum += v * v;
        }
    }
    sums.iter().sum::<f32>().sqrt()
}

fn add(sum: &mut [f32], row: &[f32]) {
    sum.iter_mut().zip(row).for_each(|(s, r)| *s += r);
}

/// Trains `k` centroids on the rows of `sample` (`[n][dim]`, f16). Fewer come back when there are fewer points.
pub(crate) fn train(
    sample: &[u16],
    dim: usize,
    k: usize,
    seed: u64,
    reporter: &Reporter,
) -> Result<Clustering> {
    let n = sample.len() / dim;
    let k = k.min(n).max(1);
    let mut random = Random::new(seed ^ 0x5745_4654);
    let steps = 2 + GLOBAL_ITERATIONS as u64;
    if k < TWO_LEVEL {
        reporter.report(Stage::Train, 0, 1)?;
        let points = floats(sample);
        let centroids = lloyd(&points, dim, k, GROUP_ITERATIONS, &mut random);
        reporter.report(Stage::Train, 1, 1)?;
        return Ok(Clustering {
            dim,
            group_ends: vec![(centroids.len() / dim) as u32],
            centroids,
        });
    }
    reporter.report(Stage::Train, 0, steps)?;
    let groups = 2_usize << ((k as f64).sqrt().log2().floor() as u32);
    let chosen = random.choose(n as u64, (groups * POINTS_PER_CENTRE) as u64);
    let mut points = Vec::with_capacity(chosen.len() * dim);
    for &row in &chosen {
        points.extend(floats(
            &sample[row as usize * dim..(row as usize + 1) * dim],
        ));
    }
    let centres = lloyd(&points, dim, groups, GROUP_ITERATIONS, &mut random);
    drop(points);
    let top = Clustering {
        dim,
        group_ends: vec![(centres.len() / dim) as u32],
        centroids: centres,
    };
    let codes = assign_all(sample, dim, &Assigner::new(&top, 1));
    reporter.report(Stage::Train, 1, steps)?;

    let (ends, members) = sort_by_code(&codes, top.len());
    let sizes: Vec<usize> = (0..top.len()).map(|g| ends[g + 1] - ends[g]).collect();
    let shares = allot(&sizes, k);
    let seeds: Vec<u64> = shares.iter().map(|_| random.next()).collect();
    let parts: Vec<Vec<f32>> = (0..top.len())
        .into_par_iter()
        .map(|g| {
            let mut points = Vec::with_capacity(sizes[g] * dim);
            for &m in &members[ends[g]..ends[g + 1]] {
                points.extend(floats(&sample[m as usize * dim..(m as usize + 1) * dim]));
            }
            lloyd(
                &points,
                dim,
                shares[g],
                LOCAL_ITERATIONS,
                &mut Random::new(seeds[g]),
            )
        })
        .collect();
    let mut clustering = Clustering {
        dim,
        centroids: Vec::with_capacity(k * dim),
        group_ends: Vec::new(),
    };
    for part in parts.iter().filter(|p| !p.is_empty()) {
        clustering.centroids.extend_from_slice(part);
        clustering.group_ends.push(clustering.len() as u32);
    }
    drop(parts);
    reporter.report(Stage::Train, 2, steps)?;
    for step in 0..GLOBAL_ITERATIONS {
        let codes = assign_all(sample, dim, &Assigner::new(&clustering, TRAINING_PROBES));
        update(sample, dim, &codes, &mut clustering.centroids);
        reporter.report(Stage::Train, 3 + step as u64, steps)?;
    }
    Ok(clustering)
}

/// Arranges centroids in groups of neighbours without moving them: the codes of all centroids, group by group, and the groups' ends.
pub(crate) fn regroup(centroids: &[f32], dim: usize, seed: u64) -> (Vec<u32>, Vec<u32>) {
    let k = centroids.len() / dim;
    if k < TWO_LEVEL {
        return ((0..k as u32).collect(), vec![k as u32]);
    }
    let groups = 2_usize << ((k as f64).sqrt().log2().floor() as u32);
    let mut random = Random::new(seed ^ 0x6772_6F75);
    let centres = lloyd(centroids, dim, groups, GROUP_ITERATIONS, &mut random);
    let top = Clustering {
        dim,
        group_ends: vec![(centres.len() / dim) as u32],
        centroids: centres,
    };
    let mut codes = vec![0; k];
    Assigner::new(&top, 1).assign(centroids, &mut codes);
    let (ends, members) = sort_by_code(&codes, top.len());
    let mut group_ends: Vec<u32> = ends[1..].iter().map(|&e| e as u32).collect();
    group_ends.dedup();
    group_ends.retain(|&e| e > 0);
    (members, group_ends)
}

fn floats(halves: &[u16]) -> Vec<f32> {
    let mut out = vec![0.0; halves.len()];
    f16_to_f32(halves, &mut out);
    out
}

fn assign_all(sample: &[u16], dim: usize, assigner: &Assigner) -> Vec<u32> {
    let mut codes = vec![0; sample.len() / dim];
    for (rows, codes) in sample.chunks(BATCH * dim).zip(codes.chunks_mut(BATCH)) {
        assigner.assign(&floats(rows), codes);
    }
    codes
}

/// Ends of the lists (one more than codes) and the points of every code, ascending.
pub(crate) fn sort_by_code(codes: &[u32], k: usize) -> (Vec<usize>, Vec<u32>) {
    let mut ends = vec![0_usize; k + 1];
    for &code in codes {
        ends[code as usize + 1] += 1;
    }
    for i in 0..k {
        ends[i + 1] += ends[i];
    }
    let mut at = ends.clone();
    let mut members = vec![0_u32; codes.len()];
    for (i, &code) in codes.iter().enumerate() {
        members[at[code as usize]] = i as u32;
        at[code as usize] += 1;
    }
    (ends, members)
}

/// Moves every centroid to the direction of the sum of its points; one without points stays.
fn update(sample: &[u16], dim: usize, codes: &[u32], centroids: &mut [f32]) {
    let (ends, members) = sort_by_code(codes, centroids.len() / dim);
    centroids
        .par_chunks_mut(dim)
        .enumerate()
        .for_each(|(c, centroid)| {
            let members = &members[ends[c]..ends[c + 1]];
            if members.is_empty() {
                return;
            }
            let mut row = vec![0.0; dim];
            centroid.fill(0.0);
            for &m in members {
                f16_to_f32(&sample[m as usize * dim..(m as usize + 1) * dim], &mut row);
                add(centroid, &row);
            }
            normalise(centroid);
        });
}

/// Shares `k` centroids among groups in proportion to their points, in whole panels where a group is large enough.
fn allot(sizes: &[usize], k: usize) -> Vec<usize> {
    let total: usize = sizes.iter().sum();
    let mut shares: Vec<usize> = sizes
        .iter()
        .map(|&size| {
            let exact = size as f64 * k as f64 / total as f64;
            let panels = ((exact / PANEL as f64).round() as usize).max(1) * PANEL;
            panels.min(size)
        })
        .collect();
    // The rounding is evened out over the largest groups, so that exactly k come out whenever there are points enough.
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&g| (std::cmp::Reverse(sizes[g]), g));
    let mut given: usize = shares.iter().sum();
    while given != k {
        let before = given;
        for &g in &order {
            if given > k && shares[g] > PANEL {
                let less = PANEL.min(given - k).min(shares[g] - PANEL);
                shares[g] -= less;
                given -= less;
            } else if given < k && shares[g] < sizes[g] {
                let more = PANEL.min(k - given).min(sizes[g] - shares[g]);
                shares[g] += more;
                given += more;
            }
        }
        if given == before {
            break;
        }
    }
    shares
}

/// Plain spherical k-means: random distinct points first, then Lloyd steps. Empty clusters take a random point of the largest one.
fn lloyd(points: &[f32], dim: usize, k: usize, iterations: usize, random: &mut Random) -> Vec<f32> {
    let n = points.len() / dim;
    let k = k.min(n);
    if k == 0 {
        return Vec::new();
    }
    let mut first = random.choose(n as u64, k as u64);
    random.shuffle(&mut first);
    let mut centroids = Vec::with_capacity(k * dim);
    for &row in &first {
        centroids.extend_from_slice(&points[row as usize * dim..(row as usize + 1) * dim]);
    }
    let mut codes = vec![0_u32; n];
    let mut scores = vec![0.0_f32; n];
    for _ in 0..iterations {
        let panels = CentroidPanels::new(&centroids, dim);
        points
            .par_chunks(1024 * dim)
            .zip(codes.par_chunks_mut(1024).zip(scores.par_chunks_mut(1024)))
            .for_each(|(points, (codes, scores))| nearest(points, &panels, codes, scores));
        let (ends, members) = sort_by_code(&codes, k);
        centroids
            .par_chunks_mut(dim)
            .enumerate()
            .for_each(|(c, centroid)| {
                let members = &members[ends[c]..ends[c + 1]];
                if !members.is_empty() {
                    centroid.fill(0.0);
                    members.iter().for_each(|&m| {
                        add(centroid, &points[m as usize * dim..(m as usize + 1) * dim])
                    });
                    normalise(centroid);
                }
            });
        let largest = (0..k)
            .max_by_key(|&c| (ends[c + 1] - ends[c], std::cmp::Reverse(c)))
            .unwrap_or(0);
        let crowd = &members[ends[largest]..ends[largest + 1]];
        for c in (0..k).filter(|&c| ends[c] == ends[c + 1]) {
            let m = crowd[random.below(crowd.len() as u64) as usize] as usize;
            centroids[c * dim..(c + 1) * dim].copy_from_slice(&points[m * dim..(m + 1) * dim]);
        }
    }
    centroids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allotment_is_exact_and_possible() {
        let mut random = Random::new(1);
        for _ in 0..200 {
            let sizes: Vec<usize> = (0..1 + random.below(60))
                .map(|_| random.below(900) as usize)
                .collect();
            let total: usize = sizes.iter().sum();
            if total == 0 {
                continue;
            }
            let k = 1 + random.below(total as u64) as usize;
            let shares = allot(&sizes, k);
            assert!(shares.iter().zip(&sizes).all(|(share, size)| share <= size));
            let sum: usize = shares.iter().sum();
            // Every group with points keeps at least a panel, or all its points.
            let least: usize = sizes.iter().map(|&s| s.min(PANEL)).sum();
            assert_eq!(sum, k.max(least).min(total), "{sizes:?} {k}");
        }
    }

    #[test]
    fn sorting_by_code_keeps_the_order_of_points() {
        let (ends, members) = sort_by_code(&[2, 0, 2, 1, 0], 3);
        assert_eq!(ends, [0, 2, 3, 5]);
        assert_eq!(members, [1, 4, 3, 0, 2]);
    }
}
