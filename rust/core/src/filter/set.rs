//! A set of documents, as the evaluation of a filter has it.

use std::sync::Arc;

use crate::bitmap::Bitmap;

/// Documents, as numbers of their first passages, and all their passages. A complement stays a note until somebody must walk through it: only
/// then does it matter how many documents there are.
#[derive(Debug, Clone, Default)]
pub(crate) struct DocumentSet {
    pub(crate) documents: Arc<Bitmap>,
    pub(crate) passages: Arc<Bitmap>,
    pub(crate) complement: bool,
}

impl DocumentSet {
    pub(crate) fn everything() -> Self {
        Self {
            complement: true,
            ..Self::default()
        }
    }

    pub(crate) fn contains(&self, document: u32) -> bool {
        self.documents.contains(document) != self.complement
    }

    pub(crate) fn not(mut self) -> Self {
        self.complement = !self.complement;
        self
    }

    pub(crate) fn and(self, other: &Self) -> Self {
        let join = |call: fn(&mut Bitmap, &Bitmap), a: &Self, b: &Self, complement| {
            let (mut documents, mut passages) = ((*a.documents).clone(), (*a.passages).clone());
            call(&mut documents, &b.documents);
            call(&mut passages, &b.passages);
            Self {
                documents: Arc::new(documents),
                passages: Arc::new(passages),
                complement,
            }
        };
        match (self.complement, other.complement) {
            (false, false) => join(Bitmap::intersect, &self, other, false),
            (false, true) => join(Bitmap::subtract, &self, other, false),
            (true, false) => join(Bitmap::subtract, other, &self, false),
            (true, true) => join(Bitmap::unite, &self, other, true),
        }
    }

    pub(crate) fn or(self, other: &Self) -> Self {
        self.not().and(&other.clone().not()).not()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.documents.bytes() + self.passages.bytes()
    }
}
