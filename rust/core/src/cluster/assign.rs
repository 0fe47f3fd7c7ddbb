//! Assigning tokens to their nearest centroids in two levels.
//!
//! A flat assignment costs K dot products a token. Here the centroids stand in groups of neighbours; a token
//! is compared with the G group centres, then with the centroids of its best few groups: `G + probes * K / G`
//! dot products, 20 times fewer at K = 16,384. Tokens that share a group are gathered, so that the second
//! level is a matrix product again. Agreement with the flat assignment is measured in
//! `rust/core/examples/clustering.rs`.

use rayon::prelude::*;
use weft_kernels::{CentroidPanels, dots, nearest_into};

use super::kmeans::Clustering;

/// Tokens a task works on: 2 MB of f32 at 128 dimensions, enough tokens a group for a matrix product.
const TASK: usize = 4096;

/// The centroids of a codebook, arranged for assignment.
pub(crate) struct Assigner {
    dim: usize,
    /// Centres of the groups; `None` when there is one group.
    centres: Option<CentroidPanels>,
    groups: Vec<(CentroidPanels, u32)>,
    probes: usize,
}

impl Assigner {
    /// `probes` is the number of groups a token looks into.
    pub(crate) fn new(clustering: &Clustering, probes: usize) -> Self {
        let dim = clustering.dim;
        let mut groups = Vec::with_capacity(clustering.group_ends.len());
        let mut start = 0;
        for &end in &clustering.group_ends {
            let end = end as usize;
            groups.push((CentroidPanels::new(&clustering.centroids[start * dim..end * dim], dim), start as u32));
            start = end;
        }
        let centres = (groups.len() > 1).then(|| CentroidPanels::new(&clustering.centres(), dim));
        let probes = probes.min(groups.len());
        Self { dim, centres, groups, probes }
    }

    /// The nearest centroid of every row of `points` (`[n][dim]`), by dot product.
    pub(crate) fn assign(&self, points: &[f32], codes: &mut [u32]) {
        let dim = self.dim;
        points.par_chunks(TASK * dim).zip(codes.par_chunks_mut(TASK)).for_each(|(points, codes)| {
            self.assign_task(points, codes);
        });
    }

    fn assign_task(&self, points: &[f32], codes: &mut [u32]) {
        let (dim, n) = (self.dim, codes.len());
        let mut scores = vec![f32::NEG_INFINITY; n];
        codes.fill(u32::MAX);
        let Some(centres) = &self.centres else {
            return nearest_into(points, &self.groups[0].0, 0, codes, &mut scores);
        };
        let (count, probes) = (self.groups.len(), self.probes);
        let mut table = vec![0.0_f32; n * count];
        dots(points, centres, &mut table);
        let mut chosen = vec![0_u32; n * probes];
        for (row, chosen) in table.chunks_exact(count).zip(chosen.chunks_exact_mut(probes)) {
            best_of(row, chosen);
        }
        // Counting sort of (token, group) pairs by group.
        let mut ends = vec![0_usize; count + 1];
        for &group in &chosen {
            ends[group as usize + 1] += 1;
        }
        for i in 0..count {
            ends[i + 1] += ends[i];
        }
        let mut at = ends.clone();
        let mut members = vec![0_u32; chosen.len()];
        for (pair, &group) in chosen.iter().enumerate() {
            members[at[group as usize]] = (pair / probes) as u32;
            at[group as usize] += 1;
        }
        let (mut gathered, mut best, mut score) = (Vec::new(), Vec::new(), Vec::new());
        for (group, (panels, offset)) in self.groups.iter().enumerate() {
            let members = &members[ends[group]..ends[group + 1]];
            if members.is_empty() {
                continue;
            }
            gathered.clear();
            for &m in members {
                gathered.extend_from_slice(&points[m as usize * dim..(m as usize + 1) * dim]);
            }
            best.clear();
            best.extend(members.iter().map(|&m| codes[m as usize]));
            score.clear();
            score.extend(members.iter().map(|&m| scores[m as usize]));
            nearest_into(&gathered, panels, *offset, &mut best, &mut score);
            for ((&m, &b), &s) in members.iter().zip(&best).zip(&score) {
                codes[m as usize] = b;
                scores[m as usize] = s;
            }
        }
    }
}

/// Positions of the largest values of a row, by insertion into a short sorted list.
fn best_of(row: &[f32], chosen: &mut [u32]) {
    let mut values = [f32::NEG_INFINITY; 16];
    let keep = chosen.len().min(values.len());
    for (i, &value) in row.iter().enumerate() {
        if value > values[keep - 1] {
            let mut at = keep - 1;
            while at > 0 && values[at - 1] < value {
                values[at] = values[at - 1];
                chosen[at] = chosen[at - 1];
                at -= 1;
            }
            values[at] = value;
            chosen[at] = i as u32;
        }
    }
}
