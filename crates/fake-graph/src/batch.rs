//! Many requests in one ("Combine multiple HTTP requests using JSON batching").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use futures::future::join_all;
use rand::seq::SliceRandom;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::call::{self, Call, authenticate, spoil, violate};
use crate::encoding::{base64, from_base64};
use crate::error::ApiError;
use crate::faults::ErrorKind;
use crate::server::{Inner, pairs};
use crate::world::World;

const MOST_PARTS: usize = 20;
const FIELDS: [&str; 6] = ["id", "method", "url", "headers", "body", "dependsOn"];

struct Part {
    id: String,
    depends_on: Vec<String>,
    call: Call,
}

/// Answers the parts; the whole succeeds whatever becomes of them.
pub(crate) async fn answer(inner: &Arc<Inner>, call: Call) -> Answer {
    let owner = authenticate(inner, &call);
    let parts = match &owner {
        Ok(_) => read(inner, &call),
        Err(error) => Err(error.clone()),
    };
    let user = owner.ok().map(|owner| owner.user);
    let parts = {
        let mut world = inner.world();
        let World { faults, rng, .. } = &mut *world;
        let parts = match faults.error("batch", rng) {
            Some(error) => Err(error),
            None => parts,
        };
        let status = parts.as_ref().map_or_else(|error| error.status, |_| 200);
        call::note(inner, &mut world, &call, "batch", user, status);
        match parts {
            Ok(parts) => parts,
            Err(error) => {
                if error.violation {
                    violate(&mut world, &call, error.status, &error.message);
                }
                return Answer::error(&error);
            }
        }
    };
    let mut answers = run(inner, parts).await;
    let mut world = inner.world();
    if world.faults.shuffled_batches {
        answers.shuffle(&mut world.rng);
    }
    let mut answer = Answer::json(200, &json!({"responses": answers}));
    spoil(&mut world, "batch", &mut answer);
    answer
}

/// As many at a time as the service runs; those that depend on others after them.
async fn run(inner: &Arc<Inner>, parts: Vec<Part>) -> Vec<Value> {
    let width = inner.world().settings.batch_width.max(1) as usize;
    let mut waiting = parts;
    let mut statuses: BTreeMap<String, u16> = BTreeMap::new();
    let mut answers = Vec::new();
    while !waiting.is_empty() {
        let ready = |part: &Part| part.depends_on.iter().all(|id| statuses.contains_key(id));
        let (mut now, mut later): (Vec<Part>, Vec<Part>) = waiting.into_iter().partition(ready);
        later.splice(..0, now.split_off(now.len().min(width)));
        waiting = later;
        let running = now.into_iter().map(|part| {
            let failed = part
                .depends_on
                .iter()
                .any(|id| statuses.get(id).is_some_and(|status| *status >= 400));
            one(inner, part, failed)
        });
        for (id, status, value) in join_all(running).await {
            statuses.insert(id, status);
            answers.push(value);
        }
    }
    answers
}

async fn one(inner: &Arc<Inner>, part: Part, failed: bool) -> (String, u16, Value) {
    let throttled = {
        let mut world = inner.world();
        let World { faults, rng, .. } = &mut *world;
        let strikes = faults.throttled_parts.strikes(rng);
        strikes.then(|| {
            let mut error = ApiError::of(ErrorKind::MailboxConcurrency);
            error.retry_after.clone_from(&faults.part_retry_after);
            error
        })
    };
    let answer = if failed {
        let message = "The request depends on one that failed.";
        Answer::error(&ApiError::refused(424, "FailedDependency", message))
    } else if let Some(error) = throttled {
        call::note(inner, &mut inner.world(), &part.call, "batch", None, 429);
        Answer::error(&error)
    } else {
        call::answer(inner, part.call).await
    };
    let status = answer.status;
    let value = write(&part.id, answer);
    (part.id, status, value)
}

fn write(id: &str, answer: Answer) -> Value {
    let headers: Map<String, Value> = answer
        .headers
        .iter()
        .map(|(name, value)| (pretty(name), json!(value)))
        .collect();
    let mut value = json!({"id": id, "status": answer.status, "headers": headers});
    if answer.json {
        value["body"] = serde_json::from_slice(&answer.body).unwrap_or_default();
    } else if !answer.body.is_empty() {
        value["body"] = json!(base64(&answer.body));
    }
    value
}

/// The names of headers are capitalised in parts.
fn pretty(name: &str) -> String {
    let words: Vec<String> = name
        .split('-')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            format!("{}{rest}", first.to_uppercase())
        })
        .collect();
    words.join("-")
}

fn read(inner: &Inner, call: &Call) -> Result<Vec<Part>, ApiError> {
    let wrong = |message: String| ApiError::wrong(400, "BadRequest", message);
    if call.http != "POST" {
        return Err(ApiError::wrong(405, "BadRequest", "A batch is posted."));
    }
    if call.body.len() > inner.world().settings.body_limit {
        return Err(ApiError::wrong(
            413,
            "RequestEntityTooLarge",
            "The request body is too large.",
        ));
    }
    let kind = call.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(ApiError::wrong(415, "BadRequest", "A batch is JSON."));
    }
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|_| wrong("Invalid batch payload format.".to_owned()))?;
    let requests = body
        .get("requests")
        .and_then(Value::as_array)
        .filter(|_| body.as_object().is_some_and(|fields| fields.len() == 1))
        .ok_or_else(|| wrong("Invalid batch payload format.".to_owned()))?;
    if requests.is_empty() || requests.len() > MOST_PARTS {
        return Err(wrong(format!(
            "Number of batch request steps exceeds the maximum value of {MOST_PARTS}."
        )));
    }
    let mut ids = BTreeSet::new();
    let mut parts = Vec::new();
    for request in requests {
        let part = part(call, request).map_err(wrong)?;
        // A part depends on parts before it, which makes circles impossible.
        if let Some(unknown) = part.depends_on.iter().find(|id| !ids.contains(*id)) {
            return Err(wrong(format!(
                "Invalid batch payload: '{unknown}' is not before what depends on it."
            )));
        }
        if !ids.insert(part.id.clone()) {
            return Err(wrong(format!("Request id: '{}' is already used.", part.id)));
        }
        parts.push(part);
    }
    Ok(parts)
}

fn part(outer: &Call, request: &Value) -> Result<Part, String> {
    let fields = request.as_object().ok_or("A part is not an object.")?;
    if let Some(unknown) = fields.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Err(format!("Invalid batch payload: unknown field '{unknown}'."));
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let id = text("id")
        .filter(|id| !id.is_empty())
        .ok_or("A part has no id.")?;
    let http = text("method").ok_or("A part has no method.")?;
    let url = text("url").ok_or("A part has no url.")?;
    if !url.starts_with('/') || url.starts_with("/v1.0/") || url.contains("$batch") {
        return Err(format!(
            "The url of part '{id}' is not relative to the version: {url}"
        ));
    }
    let mut headers = HeaderMap::new();
    if let Some(token) = outer.headers.get("authorization") {
        headers.insert("authorization", token.clone());
    }
    let given = fields.get("headers").and_then(Value::as_object);
    for (name, value) in given.into_iter().flatten() {
        let bad = || format!("The header '{name}' of part '{id}' is not valid.");
        let name_read = HeaderName::try_from(name.as_str()).map_err(|_| bad())?;
        let value = value.as_str().ok_or_else(bad)?;
        headers.append(name_read, HeaderValue::try_from(value).map_err(|_| bad())?);
    }
    let body = match fields.get("body") {
        None | Some(Value::Null) => Vec::new(),
        Some(_) if !headers.contains_key("content-type") => {
            return Err(format!(
                "Write request id : {id} does not contain Content-Type header or body."
            ));
        }
        // What is not JSON stands in base64.
        Some(Value::String(encoded)) => from_base64(encoded)
            .map(|octets| {
                if headers["content-type"] == "text/plain" {
                    encoded.clone().into_bytes()
                } else {
                    octets
                }
            })
            .ok_or_else(|| format!("The body of part '{id}' is not base64."))?,
        Some(value) => value.to_string().into_bytes(),
    };
    let depends_on = match fields.get("dependsOn") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(ids)) => ids
            .iter()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect(),
        Some(_) => return Err("dependsOn is not a list.".to_owned()),
    };
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let call = Call {
        http: http.to_uppercase(),
        path: format!("/v1.0{path}"),
        query: pairs(query),
        headers,
        body,
        batched: true,
        origin: outer.origin.clone(),
    };
    Ok(Part {
        id: id.to_owned(),
        depends_on,
        call,
    })
}
