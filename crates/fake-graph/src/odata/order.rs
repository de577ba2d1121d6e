//! `$orderby`, and how it goes together with `$filter`.

use std::cmp::Ordering;

use serde_json::Value;

use super::evaluate::Source;
use super::filter::Expr;
use super::resolve;
use crate::error::ApiError;
use crate::tables::Kind;

/// What a list is sorted by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order(pub Vec<(Vec<String>, bool)>);

impl Order {
    pub fn parse(text: &str, type_name: &str) -> Result<Self, ApiError> {
        let mut keys = Vec::new();
        for key in text.split(',') {
            let mut words = key.split_whitespace();
            let (Some(path), direction, None) = (words.next(), words.next(), words.next()) else {
                return Err(ApiError::parse(format!(
                    "Syntax error in $orderby at '{key}'."
                )));
            };
            let descending = match direction {
                None | Some("asc") => false,
                Some("desc") => true,
                Some(_) => {
                    return Err(ApiError::parse(format!(
                        "Syntax error in $orderby at '{key}'."
                    )));
                }
            };
            let path: Vec<String> = path.split('/').map(str::to_owned).collect();
            if matches!(resolve(type_name, &path)?, Kind::Of(_) | Kind::List(_)) {
                return Err(ApiError::parse(format!(
                    "'{}' cannot be sorted by.",
                    path.join("/")
                )));
            }
            keys.push((path, descending));
        }
        Ok(Self(keys))
    }

    pub fn compare(&self, left: &dyn Source, right: &dyn Source) -> Ordering {
        for (path, descending) in &self.0 {
            let ordering = rank(&at(left, path), &at(right, path));
            let ordering = if *descending {
                ordering.reverse()
            } else {
                ordering
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        Ordering::Equal
    }
}

/// "List messages", Using filter and orderby in the same query: what is sorted by is filtered by first, in that order.
pub(crate) fn fits(order: &Order, filter: &Expr) -> Result<(), ApiError> {
    let mut filtered: Vec<&[String]> = filter.properties();
    filtered.dedup();
    let leads = order.0.iter().enumerate().all(|(index, (path, _))| {
        filtered
            .get(index)
            .is_some_and(|other| *other == path.as_slice())
    });
    if leads {
        return Ok(());
    }
    Err(ApiError::wrong(
        400,
        "InefficientFilter",
        "The restriction or sort order is too complex for this operation.",
    ))
}

fn at(item: &dyn Source, path: &[String]) -> Value {
    let Some((first, rest)) = path.split_first() else {
        return Value::Null;
    };
    let mut value = item.property(first);
    for segment in rest {
        value = value.get(segment).cloned().unwrap_or_default();
    }
    value
}

fn rank(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            left.to_lowercase().cmp(&right.to_lowercase())
        }
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => left
            .as_f64()
            .partial_cmp(&right.as_f64())
            .unwrap_or(Ordering::Equal),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}
