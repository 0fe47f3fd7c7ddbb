//! Assigning tokens to their nearest centroids in two levels.
//!
//! A flat assignment costs K dot products a token. Here the centroids stand in groups of neighbours; a token
//! is compared with the G group centres, then with the centroids of its best few groups: `G + probes * K / G`
//! dot products, 20 times fewer at K = 16,384. Tokens that share a group are gathered, so that the second
//! level is a matrix product again. The test below holds the loss against the flat assignment.

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
    /// The code of every centroid as it stands in the groups; the place itself when absent.
    order: Option<Vec<u32>>,
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
            groups.push((
                CentroidPanels::new(&clustering.centroids[start * dim..end * dim], dim),
                start as u32,
            ));
            start = end;
        }
        let centres = (groups.len() > 1).then(|| CentroidPanels::new(&clustering.centres(), dim));
        let probes = probes.min(groups.len());
        Self {
            dim,
            centres,
            groups,
            order: None,
            probes,
        }
    }

    /// Codes for centroids that do not stand group by group in their codebook: `order` gives the code of each.
    pub(crate) fn with_order(mut self, order: Vec<u32>) -> Self {
        self.order = Some(order);
        self
    }

    /// The nearest centroid of every row of `points` (`[n][dim]`), by dot product.
    pub(crate) fn assign(&self, points: &[f32], codes: &mut [u32]) {
        let dim = self.dim;
        points
            .par_chunks(TASK * dim)
            .zip(codes.par_chunks_mut(TASK))
            .for_each(|(points, codes)| {
                self.assign_task(points, codes);
                if let Some(order) = &self.order {
                    codes.iter_mut().for_each(|c| *c = order[*c as usize]);
                }
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
        for (row, chosen) in table
            .chunks_exact(count)
            .zip(chosen.chunks_exact_mut(probes))
        {
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

#[cfg(test)]
mod tests {
    use weft_kernels::nearest;

    use super::*;
    use crate::cluster::random::Random;

    /// Sixteen groups of sixteen centroids, and tokens around them.
    fn neighbours(dim: usize) -> (Clustering, Vec<f32>) {
        let mut random = Random::new(5);
        let mut noise = |centre: &[f32], width: f32| {
            let mut row: Vec<f32> = centre
                .iter()
                .map(|c| c + width * (random.below(2001) as f32 / 1000.0 - 1.0))
                .collect();
            crate::cluster::kmeans::normalise(&mut row);
            row
        };
        let zero = vec![0.0; dim];
        let (mut centroids, mut points) = (Vec::new(), Vec::new());
        for _ in 0..16 {
            let centre = noise(&zero, 1.0);
            for _ in 0..16 {
                let centroid = noise(&centre, 0.15);
                (0..20).for_each(|_| points.extend(noise(&centroid, 0.1)));
                centroids.extend(centroid);
            }
        }
        let group_ends = (1..=16).map(|g| g * 16).collect();
        (
            Clustering {
                dim,
                centroids,
                group_ends,
            },
            points,
        )
    }

    #[test]
    fn two_levels_find_what_one_level_finds() {
        let dim = 32;
        let (clustering, points) = neighbours(dim);
        let n = points.len() / dim;
        let (mut flat, mut scores) = (vec![0; n], vec![0.0; n]);
        nearest(
            &points,
            &CentroidPanels::new(&clustering.centroids, dim),
            &mut flat,
            &mut scores,
        );
        let agreement = |probes| {
            let mut codes = vec![0; n];
            Assigner::new(&clustering, probes).assign(&points, &mut codes);
            codes.iter().zip(&flat).filter(|(a, b)| a == b).count() as f64 / n as f64
        };
        assert!(agreement(4) > 0.99, "{}", agreement(4));
        assert!(
            (agreement(16) - 1.0).abs() < f64::EPSILON,
            "all groups are the flat assignment"
        );
    }

    #[test]
    fn the_best_of_a_row_come_in_order() {
        let mut chosen = [0; 3];
        best_of(&[0.1, 0.9, -1.0, 0.9, 0.5], &mut chosen);
        assert_eq!(chosen, [1, 3, 4]);
    }
}
