//! From docnos to places: candidates of a filter that lets so few through that no cell needs to be probed.

use super::candidates::Candidate;
use super::{Family, Searcher};
use crate::bitmap::Bitmap;
use crate::error::Result;

/// Passages of a segment for each wanted docno from which on searching is cheaper than walking.
const STRIDE: usize = 32;

impl Searcher<'_> {
    /// The passages of a set in a family's segments, in the order of segments and positions.
    pub(crate) fn locate(&self, family: &Family<'_>, wanted: &Bitmap) -> Result<Vec<Candidate>> {
        let mut out = Vec::new();
        for (s, segment) in family.segments.iter().enumerate() {
            let docnos = segment.docnos()?;
            let mut found = |position: usize| {
                out.push(Candidate {
                    score: 0,
                    segment: s as u32,
                    position: position as u32,
                });
            };
            if wanted.len() * STRIDE > docnos.len() {
                (0..docnos.len())
                    .filter(|&p| wanted.contains(docnos[p]))
                    .for_each(&mut found);
                continue;
            }
            let (Some(&first), Some(&last)) = (docnos.first(), docnos.last()) else {
                continue;
            };
            let mut at = 0;
            for docno in wanted.iter_from(first).take_while(|&d| d <= last) {
                match docnos[at..].binary_search(&docno) {
                    Ok(place) => {
                        found(at + place);
                        at += place + 1;
                    }
                    Err(place) => at += place,
                }
            }
        }
        Ok(out)
    }
}
