//! A filter over the table of values: every condition is a few range scans of its index, the rest is algebra of bitmaps.

use std::sync::Arc;

use super::cache::Sets;
use super::matches::holds;
use super::scalar::{BOOLEAN, CONTAINER, ELEMENT, NULL, NUMBER, STRING, Scalar};
use super::set::DocumentSet;
use super::{Comparison, Condition, Node};
use crate::bitmap::Bitmap;
use crate::error::Result;
use crate::storage::catalog::{Catalog, ValueRange};

/// Greater than every key: a number begins with at most 0x81, and no byte of UTF-8 is 0xFF.
const END: &[u8] = &[0xFF];

/// The documents that match, in the catalogue's transaction.
pub(crate) fn evaluate(node: &Node, catalog: &mut Catalog, sets: &dyn Sets) -> Result<DocumentSet> {
    if let Some(set) = sets.get(node) {
        return Ok(set);
    }
    let set = match node {
        Node::And(nodes) => nodes
            .iter()
            .try_fold(DocumentSet::everything(), |set, node| {
                Ok(set.and(&evaluate(node, catalog, sets)?))
            })?,
        Node::Or(nodes) => nodes.iter().try_fold(DocumentSet::default(), |set, node| {
            Ok(set.or(&evaluate(node, catalog, sets)?))
        })?,
        Node::Not(node) => return Ok(evaluate(node, catalog, sets)?.not()),
        Node::Leaf { path, condition } => scan(path, condition, catalog)?,
    };
    sets.put(node, &set);
    Ok(set)
}

fn scan(path: &str, condition: &Condition, catalog: &mut Catalog) -> Result<DocumentSet> {
    let (mut documents, mut passages) = (Bitmap::default(), Bitmap::default());
    let part = match condition {
        Condition::Contains(part) if part.kind == STRING => Some(&part.key),
        _ => None,
    };
    for range in ranges(condition) {
        // Only a substring needs the values themselves; for the rest the index has decided.
        let part = part.filter(|_| range.kind == STRING);
        catalog.scan_values(path, &range, |document, count, value| {
            if part.is_none_or(|part| holds(value, part)) {
                documents.insert(document);
                (document..document + count).for_each(|docno| {
                    passages.insert(docno);
                });
            }
        })?;
    }
    Ok(DocumentSet {
        documents: Arc::new(documents),
        passages: Arc::new(passages),
        complement: false,
    })
}

/// The smallest key above a key.
fn above(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

/// Half-open ranges of the index that hold exactly the values in question (of `contains` with a string, those to look at).
fn ranges(condition: &Condition) -> Vec<ValueRange> {
    let range = |kind, from: &[u8], to: &[u8]| ValueRange {
        kind,
        from: from.to_vec(),
        to: to.to_vec(),
    };
    let equal = |scalar: &Scalar, add| range(scalar.kind + add, &scalar.key, &above(&scalar.key));
    match condition {
        Condition::In(scalars) => scalars.iter().map(|s| equal(s, 0)).collect(),
        Condition::Compare(_, bound) if !bound.ordered() => Vec::new(),
        Condition::Compare(comparison, Scalar { kind, key }) => vec![match comparison {
            Comparison::Greater => range(*kind, &above(key), END),
            Comparison::GreaterOrEqual => range(*kind, key, END),
            Comparison::Less => range(*kind, &[], key),
            Comparison::LessOrEqual => range(*kind, &[], &above(key)),
        }],
        Condition::Prefix(prefix) => {
            let mut end = prefix.clone().into_bytes();
            // The last byte of UTF-8 is never 0xFF, so the next greater one exists.
            match end.last_mut() {
                Some(last) => *last += 1,
                None => end = END.to_vec(),
            }
            vec![range(STRING, prefix.as_bytes(), &end)]
        }
        Condition::Contains(part) => {
            let mut out = vec![equal(part, ELEMENT)];
            if part.kind == STRING {
                out.push(range(STRING, &[], END));
            }
            out
        }
        Condition::Exists => [NULL, BOOLEAN, NUMBER, STRING, CONTAINER]
            .map(|kind| range(kind, &[], END))
            .into(),
    }
}
