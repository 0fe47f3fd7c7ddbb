//! A set of docnos: deletions, and what a filter lets through.

/// A growing bit set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
    len: usize,
}

impl Bitmap {
    /// Adds a number; says whether it was new.
    pub(crate) fn insert(&mut self, docno: u32) -> bool {
        let (word, bit) = (docno as usize / 64, 1_u64 << (docno % 64));
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.len += usize::from(new);
        new
    }

    #[inline]
    pub(crate) fn contains(&self, docno: u32) -> bool {
        self.words
            .get(docno as usize / 64)
            .is_some_and(|w| w >> (docno % 64) & 1 == 1)
    }

    /// How many numbers are in the set.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.words.len() * 8
    }

    /// Keeps what stands in the other one too.
    pub(crate) fn intersect(&mut self, other: &Self) {
        self.words.truncate(other.words.len());
        self.combine(other, |a, b| a & b);
    }

    /// Takes away what stands in the other one.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.combine(other, |a, b| a & !b);
    }

    /// Adds what stands in the other one.
    pub(crate) fn unite(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        self.combine(other, |a, b| a | b);
    }

    fn combine(&mut self, other: &Self, call: impl Fn(u64, u64) -> u64) {
        for (a, &b) in self.words.iter_mut().zip(&other.words) {
            *a = call(*a, b);
        }
        self.len = self.words.iter().map(|w| w.count_ones() as usize).sum();
    }

    /// The numbers from `start` on, ascending.
    pub(crate) fn iter_from(&self, start: u32) -> impl Iterator<Item = u32> {
        let first = start as usize / 64;
        let words = self.words.get(first..).unwrap_or_default();
        words.iter().enumerate().flat_map(move |(i, &word)| {
            let mut word = if i == 0 {
                word & (u64::MAX << (start % 64))
            } else {
                word
            };
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                word &= word.wrapping_sub(1);
                (bit < 64).then(|| ((first + i) * 64) as u32 + bit)
            })
        })
    }
}

impl FromIterator<u32> for Bitmap {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut out = Self::default();
        for number in numbers {
            out.insert(number);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_set(
            a in prop::collection::btree_set(0_u32..500, 0..80), b in prop::collection::btree_set(0_u32..300, 0..80), start in 0_u32..600,
        ) {
            let (x, y): (Bitmap, Bitmap) = (a.iter().copied().collect(), b.iter().copied().collect());
            let check = |call: fn(&mut Bitmap, &Bitmap), expected: Vec<u32>| {
                let mut out = x.clone();
                call(&mut out, &y);
                assert_eq!(out.len(), expected.len());
                assert!((0..600).all(|n| out.contains(n) == expected.contains(&n)));
                assert!(out.iter_from(start).eq(expected.into_iter().filter(|&n| n >= start)));
            };
            check(Bitmap::intersect, a.intersection(&b).copied().collect());
            check(Bitmap::subtract, a.difference(&b).copied().collect());
            check(Bitmap::unite, a.union(&b).copied().collect());
        }
    }
}
