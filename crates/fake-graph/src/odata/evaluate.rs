//! Whether an item is what a filter asks for.

use serde_json::Value;

use super::filter::{Expr, Literal, Operator};
use crate::encoding::parse_instant;

/// Something that has properties.
pub(crate) trait Source {
    /// A property's value, as it is given in JSON.
    fn property(&self, name: &str) -> Value;
}

impl Source for Value {
    fn property(&self, name: &str) -> Value {
        self.get(name).cloned().unwrap_or_default()
    }
}

pub(crate) fn matches(expr: &Expr, item: &dyn Source) -> bool {
    match expr {
        Expr::And(left, right) => matches(left, item) && matches(right, item),
        Expr::Or(left, right) => matches(left, item) || matches(right, item),
        Expr::Not(inner) => !matches(inner, item),
        Expr::Compare(path, operator, literal) => compare(&at(item, path), *operator, literal),
        Expr::In(path, literals) => {
            let value = at(item, path);
            literals
                .iter()
                .any(|literal| compare(&value, Operator::Eq, literal))
        }
        Expr::Call(function, path, text) => {
            let value = at(item, path);
            let value = value.as_str().unwrap_or_default().to_lowercase();
            let text = text.to_lowercase();
            match *function {
                "contains" => value.contains(&text),
                "startswith" => value.starts_with(&text),
                _ => value.ends_with(&text),
            }
        }
        Expr::Any(path, inner) => at(item, path)
            .as_array()
            .is_some_and(|members| members.iter().any(|member| holds(inner, member))),
    }
}

/// In a collection of plain values the empty path is the value itself.
fn holds(inner: &Expr, member: &Value) -> bool {
    match inner {
        Expr::Compare(path, operator, literal) if path.is_empty() => {
            compare(member, *operator, literal)
        }
        Expr::Call(function, path, text) if path.is_empty() => {
            let wrapped = serde_json::json!({"value": member});
            let path = vec!["value".to_owned()];
            matches(&Expr::Call(function, path, text.clone()), &wrapped)
        }
        Expr::And(left, right) => holds(left, member) && holds(right, member),
        Expr::Or(left, right) => holds(left, member) || holds(right, member),
        Expr::Not(inner) => !holds(inner, member),
        other => matches(other, member),
    }
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

fn compare(value: &Value, operator: Operator, literal: &Literal) -> bool {
    use std::cmp::Ordering;
    let ordering = match literal {
        Literal::Null => value.is_null().then_some(Ordering::Equal),
        Literal::Bool(wanted) => (value.as_bool() == Some(*wanted)).then_some(Ordering::Equal),
        Literal::Number(wanted) => value.as_f64().and_then(|number| number.partial_cmp(wanted)),
        Literal::Instant(wanted) => value
            .as_str()
            .and_then(parse_instant)
            .map(|ms| ms.cmp(wanted)),
        // The store compares texts without regard to case, but for ids.
        Literal::Text(wanted) => value.as_str().map(|text| {
            if text.len() > 40 {
                text.cmp(wanted)
            } else {
                text.to_lowercase().cmp(&wanted.to_lowercase())
            }
        }),
    };
    match operator {
        Operator::Eq => ordering == Some(Ordering::Equal),
        Operator::Ne => ordering != Some(Ordering::Equal),
        Operator::Gt => ordering == Some(Ordering::Greater),
        Operator::Ge => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        Operator::Lt => ordering == Some(Ordering::Less),
        Operator::Le => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
    }
}
