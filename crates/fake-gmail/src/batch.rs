//! Many requests in one (this vendor's guide "Batching requests").

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use rand::seq::SliceRandom;

use crate::call::{self, Answer, Call, spoil};
use crate::error::ApiError;
use crate::multipart::{self, Part, head_and_body};
use crate::record::Violation;
use crate::server::Inner;

/// The paths of the endpoint.
pub(crate) const PATHS: [&str; 2] = ["/batch/gmail/v1", "/batch"];
const MOST_PARTS: usize = 100;
const BOUNDARY: &str = "batch_answer_of_parts";

/// Answers the parts one by one; the whole succeeds whatever becomes of them.
pub(crate) async fn answer(inner: &Arc<Inner>, call: Call) -> Answer {
    let calls = match read(&call) {
        Ok(calls) => calls,
        Err(problem) => {
            let error = ApiError::invalid(problem);
            inner.world().violations.push(Violation {
                request: format!("{} {}", call.http, call.path),
                status: error.status,
                problem: error.message.clone(),
            });
            return Answer::error(&error);
        }
    };
    let mut parts = Vec::new();
    for (id, call) in calls {
        let answer = call::answer(inner, call).await;
        parts.push(write(id.as_deref(), &answer));
    }
    let mut world = inner.world();
    if world.faults.shuffled_batches {
        parts.shuffle(&mut world.rng);
    }
    let mut body = parts.concat();
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    let mut answer = Answer {
        status: 200,
        headers: vec![(
            "content-type",
            format!("multipart/mixed; boundary={BOUNDARY}"),
        )],
        body,
        ..Answer::default()
    };
    spoil(&mut world, "batch", &mut answer);
    answer
}

fn read(call: &Call) -> Result<Vec<(Option<String>, Call)>, String> {
    if call.http != "POST" {
        return Err("A batch is posted".to_owned());
    }
    let kind = call.header("content-type").unwrap_or_default();
    let malformed = || "Failed to parse batch request".to_owned();
    let boundary = multipart::boundary(kind, "multipart/mixed").ok_or_else(malformed)?;
    let parts = multipart::parts(&call.body, &boundary).ok_or_else(malformed)?;
    if parts.is_empty() || parts.len() > MOST_PARTS {
        return Err(format!("The batch has {} parts", parts.len()));
    }
    parts.iter().map(|part| inner_call(call, part)).collect()
}

fn inner_call(outer: &Call, part: &Part) -> Result<(Option<String>, Call), String> {
    let malformed = |what: &str| format!("Failed to parse batch request: {what}");
    if !part.content_type().starts_with("application/http") {
        return Err(malformed("content type of a part"));
    }
    let end = part.body.iter().position(|byte| *byte == b'\n');
    let end = end.unwrap_or(part.body.len());
    let line = String::from_utf8_lossy(&part.body[..end]);
    let mut words = line.split_whitespace();
    let (Some(http), Some(target)) = (words.next(), words.next()) else {
        return Err(malformed("request line"));
    };
    if !target.starts_with('/') || target.contains("/upload/") || target.starts_with("/batch") {
        return Err(malformed("request target"));
    }
    let rest = part.body.get(end + 1..).unwrap_or_default();
    let (lines, body) = head_and_body(rest).ok_or_else(|| malformed("headers"))?;
    let mut headers = HeaderMap::new();
    // The outer token is for every part that has none of its own.
    if let Some(token) = outer.headers.get("authorization") {
        headers.insert("authorization", token.clone());
    }
    for (name, value) in lines {
        let name = HeaderName::try_from(name).map_err(|_| malformed("header name"))?;
        let value = HeaderValue::try_from(value).map_err(|_| malformed("header value"))?;
        headers.insert(name, value);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let call = Call {
        http: http.to_owned(),
        path: path.to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        headers,
        body,
        batched: true,
    };
    Ok((part.header("content-id").map(str::to_owned), call))
}

fn write(id: Option<&str>, answer: &Answer) -> Vec<u8> {
    let mut text = format!("--{BOUNDARY}\r\nContent-Type: application/http\r\n");
    if let Some(id) = id {
        let inside = id.trim_start_matches('<').trim_end_matches('>');
        text.push_str(&format!("Content-ID: <response-{inside}>\r\n"));
    }
    let reason = axum::http::StatusCode::from_u16(answer.status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or_default();
    text.push_str(&format!("\r\nHTTP/1.1 {} {reason}\r\n", answer.status));
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n", answer.body.len()));
    let mut part = text.into_bytes();
    part.extend_from_slice(&answer.body);
    part.extend_from_slice(b"\r\n");
    part
}
