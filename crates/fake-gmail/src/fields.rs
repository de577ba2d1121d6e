//! The `fields` parameter: which parts of an answer are wanted.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::ApiError;
use crate::tables::{Kind, schema};

/// Selected fields; an empty map is everything below.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mask(BTreeMap<String, Mask>);

impl Mask {
    /// Reads a selection such as `messages(id,payload/headers),nextPageToken` and checks it against a schema.
    pub fn parse(text: &str, response: Option<&'static str>) -> Result<Self, ApiError> {
        let mut mask = Self::default();
        let bad = || ApiError::invalid(format!("Invalid field selection {text}"));
        let rest = mask.read(text, 0).ok_or_else(bad)?;
        if !rest.is_empty() || mask.0.is_empty() {
            return Err(bad());
        }
        mask.check(response.map(Kind::Object))?;
        Ok(mask)
    }

    /// Reads up to the closing parenthesis or the end and returns what follows.
    fn read<'a>(&mut self, mut text: &'a str, depth: usize) -> Option<&'a str> {
        if depth > 10 {
            return None;
        }
        loop {
            let mut target = &mut *self;
            loop {
                let end = text.find([',', '/', '(', ')']).unwrap_or(text.len());
                let name = text[..end].trim();
                if name.is_empty() {
                    return None;
                }
                target = target.0.entry(name.to_owned()).or_default();
                text = &text[end..];
                match text.strip_prefix('/') {
                    Some(rest) => text = rest,
                    None => break,
                }
            }
            if let Some(inner) = text.strip_prefix('(') {
                text = target.read(inner, depth + 1)?.strip_prefix(')')?;
            }
            match text.strip_prefix(',') {
                Some(rest) => text = rest,
                None => return Some(text),
            }
        }
    }

    fn check(&self, kind: Option<Kind>) -> Result<(), ApiError> {
        let mut kind = kind;
        while let Some(Kind::List(item)) = kind {
            kind = Some(*item);
        }
        for (name, inner) in &self.0 {
            let found = match kind {
                _ if name == "*" => {
                    inner.check_nothing()?;
                    continue;
                }
                Some(Kind::Object(object)) => {
                    schema(object).and_then(|schema| schema.property(name))
                }
                _ => None,
            };
            if found.is_none() {
                return Err(ApiError::invalid(format!("Invalid field selection {name}")));
            }
            if !inner.0.is_empty() {
                inner.check(found)?;
            }
        }
        Ok(())
    }

    fn check_nothing(&self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(ApiError::invalid("Invalid field selection *"))
    }

    /// Takes away what was not selected.
    pub fn apply(&self, value: &mut Value) {
        if self.0.is_empty() || self.0.contains_key("*") {
            return;
        }
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(fields) => {
                fields.retain(|name, _| self.0.contains_key(name));
                for (name, field) in fields.iter_mut() {
                    self.0[name].apply(field);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selection_keeps_what_it_names() {
        let mask = Mask::parse(
            "messages(id,payload/headers),nextPageToken",
            Some("ListMessagesResponse"),
        )
        .expect("a selection");
        let mut value = json!({
            "messages": [{"id": "1", "threadId": "2", "payload": {"headers": [], "mimeType": "a/b"}}],
            "resultSizeEstimate": 3,
        });
        mask.apply(&mut value);
        assert_eq!(
            value,
            json!({"messages": [{"id": "1", "payload": {"headers": []}}]})
        );
    }

    #[test]
    fn a_selection_of_unknown_fields_is_refused() {
        for bad in ["", "message", "messages(subject)", "messages(id", "id/x"] {
            assert!(
                Mask::parse(bad, Some("ListMessagesResponse")).is_err(),
                "{bad}"
            );
        }
    }
}
