//! From JSON to a filter. Every error names the place and what may stand there.

use serde_json::{Map, Value};

use super::scalar::Scalar;
use super::{Comparison, Condition, Filter, Node};
use crate::error::{Error, Result};

const OPERATORS: &str = "eq, ne, gt, gte, lt, lte, in, nin, exists, contains, prefix, not";

fn invalid(message: String) -> Error {
    Error::InvalidFilter(message)
}

/// What a JSON value is called in messages.
fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl Filter {
    /// Reads a filter from JSON.
    ///
    /// ```
    /// use weft_core::Filter;
    ///
    /// let filter = Filter::parse(r#"{"year": {"gte": 2020}, "lang": ["en", "fr"]}"#).unwrap();
    /// let metadata = serde_json::from_str(r#"{"year": 2021, "lang": "en"}"#).unwrap();
    /// assert!(filter.matches(&metadata));
    /// let error = Filter::parse(r#"{"year": {"atleast": 2020}}"#).unwrap_err();
    /// assert!(error.to_string().starts_with("filter['year'] has the unknown operator 'atleast'"));
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidFilter`] says where and what.
    pub fn parse(json: &str) -> Result<Self> {
        let value = serde_json::from_str(json)
            .map_err(|e| invalid(format!("the filter is not JSON: {e}")))?;
        filter(&value, "filter").map(Self)
    }

    /// Whether it names no condition at all: such a filter matches everything.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Node::And(nodes) if nodes.is_empty())
    }
}

fn filter(value: &Value, place: &str) -> Result<Node> {
    let Value::Object(entries) = value else {
        let found = name(value);
        return Err(invalid(format!(
            "{place} is {found}, not an object of keys and conditions"
        )));
    };
    let mut nodes = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let place = format!("{place}['{key}']");
        nodes.push(match key.as_str() {
            "$and" => Node::And(filters(value, &place)?),
            "$or" => Node::Or(filters(value, &place)?),
            "$not" => Node::Not(Box::new(filter(value, &place)?)),
            key if key.starts_with('$') => {
                return Err(invalid(format!(
                    "{place} is no operator here: use $and, $or, $not, or the name of a field"
                )));
            }
            path => field(path, value, &place)?,
        });
    }
    Ok(match nodes.len() {
        1 => nodes.remove(0),
        _ => Node::And(nodes),
    })
}

fn filters(value: &Value, place: &str) -> Result<Vec<Node>> {
    let Value::Array(values) = value else {
        return Err(invalid(format!(
            "{place} is {}, not a list of filters",
            name(value)
        )));
    };
    let each = |(i, value)| filter(value, &format!("{place}[{i}]"));
    values.iter().enumerate().map(each).collect()
}

fn field(path: &str, value: &Value, place: &str) -> Result<Node> {
    let condition = match value {
        Value::Object(operators) => return conditions(path, operators, place),
        Value::Array(values) => Condition::In(scalars(values, place)?),
        scalar => Condition::In(vec![self::scalar(scalar, place)?]),
    };
    Ok(leaf(path, condition))
}

fn conditions(path: &str, operators: &Map<String, Value>, place: &str) -> Result<Node> {
    if operators.is_empty() {
        return Err(invalid(format!("{place} has no operator: use {OPERATORS}")));
    }
    let mut nodes = Vec::with_capacity(operators.len());
    for (operator, operand) in operators {
        let at = format!("{place}['{operator}']");
        let compare = |comparison| {
            Ok(leaf(
                path,
                Condition::Compare(comparison, scalar(operand, &at)?),
            ))
        };
        nodes.push(match operator.strip_prefix('$').unwrap_or(operator) {
            "eq" => leaf(path, Condition::In(vec![scalar(operand, &at)?])),
            "ne" => not(leaf(path, Condition::In(vec![scalar(operand, &at)?]))),
            "in" => leaf(path, Condition::In(list(operand, &at)?)),
            "nin" => not(leaf(path, Condition::In(list(operand, &at)?))),
            "gt" => compare(Comparison::Greater)?,
            "gte" => compare(Comparison::GreaterOrEqual)?,
            "lt" => compare(Comparison::Less)?,
            "lte" => compare(Comparison::LessOrEqual)?,
            "contains" => leaf(path, Condition::Contains(scalar(operand, &at)?)),
            "prefix" => match operand {
                Value::String(prefix) => leaf(path, Condition::Prefix(prefix.clone())),
                other => return Err(invalid(format!("{at} is {}, not a string", name(other)))),
            },
            "exists" => match operand {
                Value::Bool(true) => leaf(path, Condition::Exists),
                Value::Bool(false) => not(leaf(path, Condition::Exists)),
                other => return Err(invalid(format!("{at} is {}, not true or false", name(other)))),
            },
            "not" => match operand {
                Value::Object(operators) => not(conditions(path, operators, &at)?),
                other => {
                    let found = name(other);
                    return Err(invalid(format!("{at} is {found}, not an object of operators")));
                }
            },
            _ => {
                return Err(invalid(format!(
                    "{place} has the unknown operator '{operator}': use {OPERATORS}; for a nested key write '{path}.{operator}'"
                )));
            }
        });
    }
    Ok(match nodes.len() {
        1 => nodes.remove(0),
        _ => Node::And(nodes),
    })
}

fn leaf(path: &str, condition: Condition) -> Node {
    Node::Leaf {
        path: path.into(),
        condition,
    }
}

fn not(node: Node) -> Node {
    Node::Not(Box::new(node))
}

fn list(value: &Value, place: &str) -> Result<Vec<Scalar>> {
    match value {
        Value::Array(values) => scalars(values, place),
        other => Err(invalid(format!("{place} is {}, not a list", name(other)))),
    }
}

/// Sorted and each once, so that the same list in another order is the same condition.
fn scalars(values: &[Value], place: &str) -> Result<Vec<Scalar>> {
    let each = |(i, value)| scalar(value, &format!("{place}[{i}]"));
    let mut scalars: Vec<Scalar> = values.iter().enumerate().map(each).collect::<Result<_>>()?;
    scalars.sort_unstable();
    scalars.dedup();
    Ok(scalars)
}

fn scalar(value: &Value, place: &str) -> Result<Scalar> {
    Scalar::of(value).ok_or_else(|| {
        let found = name(value);
        invalid(format!(
            "{place} is {found}, not null, a boolean, a number or a string"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_where_and_what() {
        for (json, expected) in [
            ("{", "the filter is not JSON"),
            ("[]", "filter is a list, not an object"),
            (
                r#"{"$nor": []}"#,
                "filter['$nor'] is no operator here: use $and, $or, $not",
            ),
            (
                r#"{"$or": {}}"#,
                "filter['$or'] is an object, not a list of filters",
            ),
            (
                r#"{"$or": [{"a": {"b": 1}}]}"#,
                "filter['$or'][0]['a'] has the unknown operator 'b': use eq, ne",
            ),
            (
                r#"{"$not": 3}"#,
                "filter['$not'] is a number, not an object",
            ),
            (r#"{"a": {}}"#, "filter['a'] has no operator: use eq, ne"),
            (
                r#"{"a": [1, [2]]}"#,
                "filter['a'][1] is a list, not null, a boolean",
            ),
            (
                r#"{"a": {"eq": {}}}"#,
                "filter['a']['eq'] is an object, not null",
            ),
            (
                r#"{"a": {"in": 1}}"#,
                "filter['a']['in'] is a number, not a list",
            ),
            (
                r#"{"a": {"prefix": 1}}"#,
                "filter['a']['prefix'] is a number, not a string",
            ),
            (
                r#"{"a": {"exists": 1}}"#,
                "filter['a']['exists'] is a number, not true or false",
            ),
            (
                r#"{"a": {"$not": 1}}"#,
                "filter['a']['$not'] is a number, not an object of operators",
            ),
        ] {
            let error = Filter::parse(json).unwrap_err();
            assert!(matches!(error, Error::InvalidFilter(_)));
            assert!(error.to_string().starts_with(expected), "{json}: {error}");
        }
    }

    #[test]
    fn spellings_of_one_filter() {
        let same =
            |a: &str, b: &str| assert_eq!(Filter::parse(a).unwrap(), Filter::parse(b).unwrap());
        same(r#"{"a": 1}"#, r#"{"a": {"$eq": 1.0}}"#);
        same(r#"{"a": ["x", "y"]}"#, r#"{"a": {"in": ["y", "x", "x"]}}"#);
        same(r#"{"$and": [{"a": 1}, {"b": 2}]}"#, r#"{"a": 1, "b": 2}"#);
        assert!(Filter::parse("{}").unwrap().is_empty());
        assert!(!Filter::parse(r#"{"$or": []}"#).unwrap().is_empty());
    }
}
