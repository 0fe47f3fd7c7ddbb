//! The modes of a search, and how two ranked lists become one.

use std::collections::HashMap;

use super::{Scored, order};
use crate::error::{Error, Result};
use crate::index::results::Found;

/// Added to every rank: what Cormack, Clarke and Buettcher (SIGIR 2009) found to serve all their collections.
const RANK_OFFSET: f64 = 60.0;
/// The least depth to which lists are fused: a passage that only one list has near its top must be able to rise by the other.
const DEPTH: usize = 100;

/// What ranks the passages.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Mode {
    /// MaxSim.
    #[default]
    Semantic,
    /// BM25 over title and text.
    Keyword,
    /// Both lists, joined.
    Hybrid(Fusion),
}

impl Mode {
    /// How many passages of each list a search for `k` takes.
    pub(crate) fn depth(&self, k: usize) -> usize {
        match self {
            Self::Hybrid(_) => k.saturating_mul(2).max(DEPTH),
            _ => k,
        }
    }
}

/// The rule by which lists are joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FusionRule {
    /// The sum of `weight / (60 + rank)`.
    #[default]
    ReciprocalRank,
    /// The sum of `weight * (score - least) / (greatest - least)` over each list.
    Weighted,
}

/// How two lists are joined. A list that lacks a passage adds nothing to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    /// The rule.
    pub rule: FusionRule,
    /// Weights of the semantic and the keyword list.
    pub weights: (f64, f64),
}

impl Default for Fusion {
    fn default() -> Self {
        Self {
            rule: FusionRule::default(),
            weights: (1.0, 1.0),
        }
    }
}

impl Fusion {
    pub(crate) fn check(&self) -> Result<()> {
        let (semantic, keyword) = self.weights;
        let usable = |w: f64| w.is_finite() && w >= 0.0;
        match usable(semantic) && usable(keyword) && semantic + keyword > 0.0 {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "weights are {semantic} and {keyword}: they must be finite, not negative, and not both 0"
            ))),
        }
    }
}

/// The ranked list that a passage stood in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// By MaxSim.
    Semantic,
    /// By BM25.
    Keyword,
}

impl List {
    /// The name that results show.
    pub fn name(self) -> &'static str {
        match self {
            Self::Semantic => "semantic",
            Self::Keyword => "keyword",
        }
    }
}

/// Where a passage stood in a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Which list.
    pub list: List,
    /// Its rank among the passages there, from 1.
    pub rank: u32,
    /// Its score there.
    pub score: f32,
}

/// Joins the two lists of a query. Best first; equal scores by docno.
pub(crate) fn fuse(semantic: &[Scored], keyword: &[Scored], fusion: &Fusion) -> Vec<Found> {
    let mut joined: HashMap<u32, (f64, [Option<Part>; 2])> =
        HashMap::with_capacity(semantic.len() + keyword.len());
    let lists = [
        (List::Semantic, semantic, fusion.weights.0),
        (List::Keyword, keyword, fusion.weights.1),
    ];
    for (slot, (list, scored, weight)) in lists.into_iter().enumerate() {
        // A list of weight 0 decides nothing, not even who is there.
        if weight == 0.0 {
            continue;
        }
        let (best, least) = match scored {
            [best, .., least] => (f64::from(best.score), f64::from(least.score)),
            _ => (0.0, 0.0),
        };
        for (i, &Scored { score, docno }) in scored.iter().enumerate() {
            let share = match fusion.rule {
                FusionRule::ReciprocalRank => 1.0 / (RANK_OFFSET + i as f64 + 1.0),
                FusionRule::Weighted if best > least => (f64::from(score) - least) / (best - least),
                FusionRule::Weighted => 1.0,
            };
            let (sum, parts) = joined.entry(docno).or_default();
            *sum += weight * share;
            parts[slot] = Some(Part {
                list,
                rank: i as u32 + 1,
                score,
            });
        }
    }
    let found = |(docno, (sum, parts)): (u32, (f64, _))| Found {
        scored: Scored {
            score: sum as f32,
            docno,
        },
        parts,
    };
    let mut out: Vec<Found> = joined.into_iter().map(found).collect();
    out.sort_unstable_by(|a, b| order(&a.scored, &b.scored));
    out
}
