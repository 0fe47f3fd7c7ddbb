//! A set of docnos: deletions, and later filters.

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
}
