//! The vectors that a commit writes: those of its spool, and those of uncompressed segments that are to be coded.

use std::sync::Arc;

use crate::codec::codebook::Rows;
use crate::error::Result;
use crate::segment::read::Segment;
use crate::segment::write::Passages;
use crate::storage::spool::Spool;

/// Where the tokens of a passage lie.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Position in `floats`, or the spool.
    segment: Option<usize>,
    /// First token there.
    start: usize,
}

/// Float16 vectors of passages in ascending docno.
pub(crate) struct Source<'a> {
    dim: usize,
    spool: &'a Spool,
    floats: Vec<Arc<Segment>>,
    places: Vec<Place>,
    pub(crate) passages: Passages,
}

impl<'a> Source<'a> {
    /// Live passages of uncompressed segments and of the spool. `pending` are the spool's passages, whose docnos are greater than all others.
    pub(crate) fn new(
        dim: usize,
        spool: &'a Spool,
        pending: &Passages,
        floats: Vec<Arc<Segment>>,
        dead: &dyn Fn(u32) -> bool,
    ) -> Result<Self> {
        let mut found = Vec::new();
        for (segment, float) in floats.iter().enumerate() {
            let mut start = 0;
            for (&docno, &end) in float.docnos()?.iter().zip(float.ends()?) {
                found.push((
                    docno,
                    Place {
                        segment: Some(segment),
                        start,
                    },
                    end as usize - start,
                ));
                start = end as usize;
            }
        }
        let mut start = 0;
        for (&docno, &end) in pending.docnos.iter().zip(&pending.ends) {
            found.push((
                docno,
                Place {
                    segment: None,
                    start,
                },
                end as usize - start,
            ));
            start = end as usize;
        }
        found.retain(|(docno, ..)| !dead(*docno));
        found.sort_unstable_by_key(|(docno, ..)| *docno);
        let mut passages = Passages::default();
        let mut places = Vec::with_capacity(found.len());
        for (docno, place, tokens) in found {
            passages.push(docno, tokens)?;
            places.push(place);
        }
        Ok(Self {
            dim,
            spool,
            floats,
            places,
            passages,
        })
    }

    fn tokens(&self, place: Place, start: usize, end: usize) -> Result<&[u16]> {
        let (start, end) = (place.start + start, place.start + end);
        match place.segment {
            Some(segment) => self.floats[segment].vectors(start, end),
            None => Ok(self.spool.items(start * self.dim, end * self.dim)),
        }
    }

    /// Calls with pieces of about `batch` tokens, whole passages, in order.
    pub(crate) fn batches(
        &self,
        batch: usize,
        mut call: impl FnMut(&[u16], usize) -> Result<()>,
    ) -> Result<()> {
        let mut values = Vec::with_capacity(batch * self.dim);
        let mut start = 0;
        for (i, (place, &end)) in self.places.iter().zip(&self.passages.ends).enumerate() {
            let tokens = end as usize - start;
            values.extend_from_slice(self.tokens(*place, 0, tokens)?);
            start = end as usize;
            if values.len() >= batch * self.dim || i + 1 == self.places.len() {
                call(&values, start)?;
                values.clear();
            }
        }
        Ok(())
    }
}

impl Rows for Source<'_> {
    fn len(&self) -> u64 {
        self.passages.tokens()
    }

    fn gather(&self, rows: &[u64], out: &mut Vec<u16>) -> Result<()> {
        let (mut passage, mut start) = (0, 0);
        for &row in rows {
            while u64::from(self.passages.ends[passage]) <= row {
                start = u64::from(self.passages.ends[passage]);
                passage += 1;
            }
            let at = (row - start) as usize;
            out.extend_from_slice(self.tokens(self.places[passage], at, at + 1)?);
        }
        Ok(())
    }
}
