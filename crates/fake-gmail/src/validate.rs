//! Requests against the tables.

use serde_json::{Map, Value};

use crate::encoding;
use crate::error::ApiError;
use crate::tables::{COMMON, Kind, Method, Parameter, methods, schema};

/// Lists give at most this many.
const MOST_RESULTS: u64 = 500;

/// A method and the values of its path's braces.
pub(crate) struct Route {
    pub method: &'static Method,
    pub path: Vec<(&'static str, String)>,
}

/// Finds the method of a path without its leading slash.
pub(crate) fn route(http: &str, path: &str) -> Option<Route> {
    let segments: Vec<&str> = path.split('/').collect();
    // A fixed segment goes before one in braces: `drafts/send`, `messages/batchModify`.
    methods()
        .filter(|method| method.http == http)
        .filter_map(|method| {
            let template: Vec<&'static str> = method.path.split('/').collect();
            let path = match_template(&template, &segments)?;
            Some(Route { method, path })
        })
        .min_by_key(|route| route.path.len())
}

fn match_template(
    template: &[&'static str],
    segments: &[&str],
) -> Option<Vec<(&'static str, String)>> {
    if template.len() != segments.len() {
        return None;
    }
    let mut values = Vec::new();
    for (wanted, segment) in template.iter().zip(segments) {
        match wanted
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            Some(_) if segment.is_empty() => return None,
            Some(name) => {
                let value = percent_encoding::percent_decode_str(segment)
                    .decode_utf8()
                    .ok()?;
                values.push((name, value.into_owned()));
            }
            None if wanted == segment => {}
            None => return None,
        }
    }
    Some(values)
}

/// The query parameters of a request, all known and of their kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub fn check(
        method: &Method,
        upload: bool,
        pairs: Vec<(String, String)>,
    ) -> Result<Self, ApiError> {
        for (index, (name, value)) in pairs.iter().enumerate() {
            let known = |parameter: &&Parameter| parameter.name == name;
            let Some(parameter) = method.query.iter().chain(COMMON).find(known) else {
                return Err(ApiError::invalid(format!(
                    "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter."
                )));
            };
            let again = pairs[..index].iter().any(|(earlier, _)| earlier == name);
            if again && !parameter.repeated {
                return Err(ApiError::invalid(format!(
                    "Invalid value at '{name}', the parameter is not repeating"
                )));
            }
            let fits = match parameter.kind {
                Kind::Bool => matches!(value.as_str(), "true" | "false"),
                Kind::Uint32 => value.parse::<u32>().is_ok(),
                Kind::Int32 => value.parse::<i32>().is_ok(),
                Kind::Uint64 => value.parse::<u64>().is_ok(),
                Kind::Enum(words) => words.contains(&value.as_str()),
                _ => true,
            };
            if !fits {
                return Err(ApiError::invalid(format!(
                    "Invalid value at '{name}', \"{value}\""
                )));
            }
        }
        let query = Self(pairs);
        if query.get("alt").is_some_and(|alt| alt != "json") {
            return Err(ApiError::invalid("This method answers in JSON only"));
        }
        if query.get("uploadType").is_some() != upload {
            return Err(ApiError::invalid("uploadType goes with the upload paths"));
        }
        if query
            .number("maxResults")
            .is_some_and(|max| max == 0 || max > MOST_RESULTS)
        {
            return Err(ApiError::invalid("Invalid value at 'maxResults'"));
        }
        Ok(query)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn all(&self, name: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .collect()
    }

    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

/// Reads a body of a schema: known fields, of their kinds.
pub(crate) fn body(name: Option<&'static str>, bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::invalid(format!("Invalid JSON payload received. {error}")))?;
    match name {
        Some(name) => check(&value, Kind::Object(name), "")?,
        None if value.as_object().is_some_and(Map::is_empty) => {}
        None => {
            return Err(ApiError::invalid(
                "Invalid JSON payload received. The method takes no body.",
            ));
        }
    }
    Ok(value)
}

/// Whether a value is of a kind.
pub(crate) fn check(value: &Value, kind: Kind, at: &str) -> Result<(), ApiError> {
    let number = |fits: fn(i128) -> bool| {
        let read = match value {
            Value::String(text) => text.parse::<i128>().ok(),
            Value::Number(number) => number.to_string().parse::<i128>().ok(),
            _ => None,
        };
        read.is_some_and(fits)
    };
    let fits = match kind {
        Kind::String => value.is_string(),
        Kind::Bytes => value
            .as_str()
            .is_some_and(|text| encoding::decode(text).is_some()),
        Kind::Bool => value.is_boolean(),
        Kind::Int32 => number(|n| i32::try_from(n).is_ok()),
        Kind::Uint32 => number(|n| u32::try_from(n).is_ok()),
        Kind::Int64 => number(|n| i64::try_from(n).is_ok()),
        Kind::Uint64 => number(|n| u64::try_from(n).is_ok()),
        Kind::Enum(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Kind::Object(name) => match (value.as_object(), schema(name)) {
            (Some(fields), Some(schema)) => {
                for (field, inner) in fields {
                    let Some(kind) = schema.property(field) else {
                        return Err(ApiError::invalid(format!(
                            "Invalid JSON payload received. Unknown name \"{field}\" at '{at}': Cannot find field."
                        )));
                    };
                    check(inner, kind, &format!("{at}.{field}"))?;
                }
                true
            }
            _ => false,
        },
        Kind::List(item) => match value.as_array() {
            Some(items) => {
                for inner in items {
                    check(inner, *item, at)?;
                }
                true
            }
            None => false,
        },
    };
    if fits {
        return Ok(());
    }
    Err(ApiError::invalid(format!("Invalid value at '{at}'")))
}
