//! Filters: which documents a search, a deletion or an update is about, by their metadata.
//!
//! One language for everything. A filter is a JSON object; several keys and several operators mean *and*:
//! `{"year": {"gte": 2020}, "lang": ["en", "fr"], "$or": [{"open": true}, {"author.name": "Ada"}]}`.
//!
//! * A scalar means `eq`, a list `in`, an object holds operators: `eq ne gt gte lt lte in nin exists contains prefix`, and
//!   `not` around further operators. `$and`, `$or` and `$not` join filters.
//! * A key names a value of the metadata; dots lead into nested objects. Where a key of the metadata has a dot itself, every reading counts.
//! * A missing key makes every condition false, but `exists: false`, and `ne`, `nin` and `not`, which are exact negations.
//! * `true` is not 1. Numbers compare by the decimal value they are written with, strings by code points. `gt` and its like compare numbers with numbers and
//!   strings with strings; everything else is false. All but `exists` and `contains` look at scalars only. `contains` is met by a list with
//!   an equal element and by a string with the operand in it.
//!
//! There are two evaluators: [`matches`](Filter::matches) over the metadata itself, which is the definition and checks every hit, and
//! [`evaluate`] over the table of values, which finds the documents.

pub(crate) mod cache;
pub(crate) mod evaluate;
pub(crate) mod flatten;
mod matches;
pub(crate) mod parse;
pub(crate) mod scalar;
pub(crate) mod set;

use self::scalar::Scalar;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Filter(pub(crate) Node);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// Some value at the path meets the condition.
    Leaf {
        path: String,
        condition: Condition,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Condition {
    /// Equal to one of these.
    In(Vec<Scalar>),
    Compare(Comparison, Scalar),
    Prefix(String),
    Contains(Scalar),
    Exists,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}
