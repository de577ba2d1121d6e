//! Requests held against the tables: paths, query options, bodies.

use serde_json::{Map, Value};

use crate::encoding::{from_base64, parse_instant};
use crate::error::ApiError;
use crate::tables::{Body, Kind, Method, members, methods, type_of};

/// The method that a request is for, and what stands in its path.
pub(crate) struct Route {
    pub method: &'static Method,
    pub path: Vec<(&'static str, String)>,
}

/// Finds the method of a path after `/v1.0`, or why there is none: 404, or 405 where another verb would do.
pub(crate) fn route(http: &str, path: &str, own: &str) -> Result<Route, u16> {
    let segments = segments(path, own);
    let fitting = |any: bool| {
        let segments = &segments;
        methods()
            .filter(move |method| any || method.http == http)
            .filter_map(move |method| {
                let template: Vec<&'static str> = method.path.split('/').skip(1).collect();
                let path = fill(&template, segments)?;
                Some(Route { method, path })
            })
            // A fixed segment goes before one in braces: `mailFolders/delta`.
            .min_by_key(|route| route.path.len())
    };
    fitting(false).ok_or_else(|| if fitting(true).is_some() { 405 } else { 404 })
}

/// The segments, decoded; `mailFolders('inbox')`, `delta()`, `users/{own address}` and names with the namespace are
/// other ways to say the same.
fn segments(path: &str, own: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for segment in path.split('/').skip(1) {
        let text = percent_encoding::percent_decode_str(segment)
            .decode_utf8_lossy()
            .into_owned();
        let text = text
            .strip_prefix("microsoft.graph.")
            .unwrap_or(&text)
            .to_owned();
        let called = text.strip_suffix(')').and_then(|text| text.split_once('('));
        let key = called.and_then(|(_, inner)| inner.strip_prefix('\'')?.strip_suffix('\''));
        match (called, key) {
            (Some((name, "")), _) => found.push(name.to_owned()),
            (Some((name, _)), Some(key)) => found.extend([name.to_owned(), key.to_owned()]),
            _ => found.push(text),
        }
    }
    let user = found.first().is_some_and(|first| first == "users");
    if user
        && found
            .get(1)
            .is_some_and(|who| who.eq_ignore_ascii_case(own))
    {
        found.splice(..2, ["me".to_owned()]);
    }
    found
}

fn fill(template: &[&'static str], segments: &[String]) -> Option<Vec<(&'static str, String)>> {
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
            Some(name) => values.push((name, segment.clone())),
            None if wanted.eq_ignore_ascii_case(segment) => {}
            None => return None,
        }
    }
    Some(values)
}

/// Whether a text can be an id of this vendor's at all.
pub(crate) fn looks_like_id(text: &str) -> bool {
    text.len() >= 20
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=' | b'+' | b'/')
        })
}

/// Reads a JSON body: known properties, of their kinds.
pub(crate) fn body(expected: Body, octets: &[u8]) -> Result<Value, ApiError> {
    let empty = octets.is_empty();
    match expected {
        Body::Nothing if empty => Ok(Value::Null),
        // Some clients send an empty object where nothing is expected, which does no harm.
        Body::Nothing | Body::Parameters(_) if empty || octets == b"{}" => {
            Ok(Value::Object(Map::new()))
        }
        Body::Nothing => Err(ApiError::body("The method takes no body.")),
        Body::Octets => Ok(Value::Null),
        Body::Entity(_) | Body::Parameters(_) => {
            let value: Value = serde_json::from_slice(octets).map_err(|_| {
                ApiError::wrong(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
            })?;
            let Some(fields) = value.as_object() else {
                return Err(ApiError::body("The body is not an object."));
            };
            match expected {
                Body::Entity(name) => check_entity(fields, name)?,
                Body::Parameters(parameters) => {
                    for (key, inner) in fields {
                        let known = parameters
                            .iter()
                            .find(|(name, _)| name.eq_ignore_ascii_case(key));
                        let Some((_, kind)) = known else {
                            return Err(ApiError::body(format!(
                                "The parameter '{key}' in the request payload is not a valid parameter for the operation."
                            )));
                        };
                        check(inner, *kind, key)?;
                    }
                }
                Body::Nothing | Body::Octets => {}
            }
            Ok(value)
        }
    }
}

fn check_entity(fields: &Map<String, Value>, name: &str) -> Result<(), ApiError> {
    // What the body says that it is goes before what the method takes.
    let said = fields
        .get("@odata.type")
        .and_then(Value::as_str)
        .and_then(|said| said.strip_prefix("#microsoft.graph."));
    let held = type_of(said.unwrap_or(name))
        .ok_or_else(|| ApiError::body("The body is of an unknown type."))?;
    for (key, inner) in fields {
        if key.contains('@') {
            continue;
        }
        let Some(kind) = held.property(key).or_else(|| held.navigation(key)) else {
            return Err(ApiError::body(format!(
                "The property '{key}' does not exist on type 'microsoft.graph.{}'.",
                held.name
            )));
        };
        check(inner, kind, key)?;
    }
    Ok(())
}

fn check(value: &Value, kind: Kind, at: &str) -> Result<(), ApiError> {
    let fits = match kind {
        _ if value.is_null() => true,
        Kind::String | Kind::Guid => value.is_string(),
        Kind::Bool => value.is_boolean(),
        Kind::Int32 | Kind::Int64 => value.is_i64(),
        Kind::Binary => value
            .as_str()
            .is_some_and(|text| from_base64(text).is_some()),
        Kind::DateTime => value
            .as_str()
            .is_some_and(|text| parse_instant(text).is_some()),
        Kind::Enum(name) => value.as_str().is_some_and(|word| {
            members(name)
                .iter()
                .any(|member| member.eq_ignore_ascii_case(word))
        }),
        Kind::Of(name) => match value.as_object() {
            Some(fields) => {
                check_entity(fields, name)?;
                true
            }
            None => false,
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
    Err(ApiError::body(format!(
        "Cannot convert a value to the target type at '{at}'."
    )))
}
