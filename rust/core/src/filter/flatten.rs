//! What a document's metadata put into the table of values.

use serde_json::{Map, Value};

use super::scalar::{CONTAINER, ELEMENT, Scalar};

/// A value of a document's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FieldValue {
    pub(crate) path: String,
    pub(crate) kind: u8,
    pub(crate) value: Vec<u8>,
}

/// All values of metadata, sorted, each once.
pub(crate) fn flatten(metadata: &Map<String, Value>) -> Vec<FieldValue> {
    let mut out = Vec::new();
    for (key, value) in metadata {
        push(key.clone(), value, &mut out);
    }
    out.sort_unstable();
    out.dedup();
    out
}

fn push(path: String, value: &Value, out: &mut Vec<FieldValue>) {
    if let Some(Scalar { kind, key }) = Scalar::of(value) {
        out.push(FieldValue {
            path,
            kind,
            value: key,
        });
        return;
    }
    out.push(FieldValue {
        path: path.clone(),
        kind: CONTAINER,
        value: Vec::new(),
    });
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                push(format!("{path}.{key}"), value, out);
            }
        }
        Value::Array(elements) => {
            for Scalar { kind, key } in elements.iter().filter_map(Scalar::of) {
                out.push(FieldValue {
                    path: path.clone(),
                    kind: ELEMENT + kind,
                    value: key,
                });
            }
        }
        _ => {}
    }
}
