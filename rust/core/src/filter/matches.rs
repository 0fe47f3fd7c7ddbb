//! The definition of the language: a filter over one document's metadata.

use serde_json::{Map, Value};

use super::scalar::{STRING, Scalar};
use super::{Comparison, Condition, Filter, Node};

impl Filter {
    /// Whether metadata match; no metadata are `{}`.
    pub fn matches(&self, metadata: &Value) -> bool {
        self.0.matches(metadata)
    }
}

impl Node {
    fn matches(&self, metadata: &Value) -> bool {
        match self {
            Self::And(nodes) => nodes.iter().all(|node| node.matches(metadata)),
            Self::Or(nodes) => nodes.iter().any(|node| node.matches(metadata)),
            Self::Not(node) => !node.matches(metadata),
            Self::Leaf { path, condition } => match metadata {
                Value::Object(entries) => {
                    any_at(entries, path, &mut |value| condition.matches(value))
                }
                _ => false,
            },
        }
    }
}

/// Whether the test holds for some value at a dotted path.
fn any_at(entries: &Map<String, Value>, path: &str, test: &mut impl FnMut(&Value) -> bool) -> bool {
    entries.iter().any(|(key, value)| {
        let Some(rest) = path.strip_prefix(key.as_str()) else {
            return false;
        };
        match (rest.strip_prefix('.'), value) {
            (None, _) => rest.is_empty() && test(value),
            (Some(rest), Value::Object(entries)) => any_at(entries, rest, test),
            (Some(_), _) => false,
        }
    })
}

impl Condition {
    fn matches(&self, value: &Value) -> bool {
        let scalar = Scalar::of(value);
        match self {
            Self::Exists => true,
            Self::In(wanted) => scalar.is_some_and(|s| wanted.contains(&s)),
            Self::Compare(comparison, bound) => scalar.is_some_and(|s| {
                let order = s.key.cmp(&bound.key);
                s.kind == bound.kind
                    && s.ordered()
                    && match comparison {
                        Comparison::Greater => order.is_gt(),
                        Comparison::GreaterOrEqual => order.is_ge(),
                        Comparison::Less => order.is_lt(),
                        Comparison::LessOrEqual => order.is_le(),
                    }
            }),
            Self::Prefix(prefix) => {
                matches!(value, Value::String(text) if text.starts_with(prefix))
            }
            Self::Contains(part) => match value {
                Value::Array(elements) => elements
                    .iter()
                    .any(|e| Scalar::of(e).as_ref() == Some(part)),
                Value::String(text) if part.kind == STRING => holds(text.as_bytes(), &part.key),
                _ => false,
            },
        }
    }
}

/// Whether one text stands in another. Both are UTF-8, so bytes do.
pub(crate) fn holds(text: &[u8], part: &[u8]) -> bool {
    match (std::str::from_utf8(text), std::str::from_utf8(part)) {
        (Ok(text), Ok(part)) => text.contains(part),
        _ => false,
    }
}
