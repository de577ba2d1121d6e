//! Messages outside JSON: simple, multipart and resumable uploads.

use axum::http::HeaderMap;
use fake_oauth::TokenOwner;
use serde_json::{Value, json};

use crate::call::{Answer, Call, finish};
use crate::encoding::seal;
use crate::error::ApiError;
use crate::fields::Mask;
use crate::handlers::Request;
use crate::multipart;
use crate::tables::Method;
use crate::tables::scopes::METADATA;
use crate::validate::{self, Query};
use crate::world::World;

/// Which of the paths a request came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upload {
    None,
    Simple,
    Resumable,
}

impl Upload {
    /// The variant, and the method's path without a slash before it.
    pub fn of_path(path: &str) -> (Self, &str) {
        let variants = [
            ("/resumable/upload/", Self::Resumable),
            ("/upload/", Self::Simple),
        ];
        for (prefix, upload) in variants {
            if let Some(rest) = path.strip_prefix(prefix) {
                return (upload, rest);
            }
        }
        (Self::None, path.strip_prefix('/').unwrap_or(path))
    }
}

/// A request's content: JSON, and the message's octets where they came apart from it.
#[derive(Debug)]
pub(crate) struct Content {
    pub body: Value,
    pub media: Option<Vec<u8>>,
}

pub(crate) enum Read {
    Content(Content),
    /// A resumable upload began.
    Session(Answer),
}

/// A resumable upload under way.
pub(crate) struct Session {
    pub method: &'static Method,
    path: Vec<(&'static str, String)>,
    query: Query,
    pub owner: TokenOwner,
    body: Value,
    received: Vec<u8>,
}

#[expect(
    clippy::too_many_arguments,
    reason = "an upload session keeps all that its first request said"
)]
pub(crate) fn read(
    world: &mut World,
    upload: Upload,
    method: &'static Method,
    call: &Call,
    query: &Query,
    path: &[(&'static str, String)],
    owner: &TokenOwner,
    now_ms: i64,
) -> Result<Read, ApiError> {
    let kind = call.header("content-type").unwrap_or_default().to_owned();
    let limit = match (upload, method.upload_limit) {
        (Upload::None, _) | (_, None) => world.settings.body_limit,
        (_, Some(limit)) => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let too_large = || ApiError {
        violation: true,
        ..ApiError::refused(413, "uploadTooLarge", "Request Entity Too Large")
    };
    if call.body.len() > limit + 4096 {
        return Err(too_large());
    }
    let content = |body, media| Ok(Read::Content(Content { body, media }));
    match (upload, query.get("uploadType")) {
        (Upload::None, _) => {
            if !call.body.is_empty() && !kind.starts_with("application/json") {
                return Err(ApiError::invalid(format!("Invalid content type: {kind}")));
            }
            content(validate::body(method.request, &call.body)?, None)
        }
        (Upload::Simple, Some("media")) => {
            check_message_type(&kind)?;
            content(json!({}), Some(call.body.clone()))
        }
        (Upload::Simple, Some("multipart")) => {
            let (body, media) = related(method, &kind, &call.body)?;
            content(body, Some(media))
        }
        (_, Some("resumable")) => {
            if let Some(announced) = call.header("x-upload-content-type") {
                check_message_type(announced)?;
            }
            let announced: Option<usize> = call
                .header("x-upload-content-length")
                .and_then(|length| length.parse().ok());
            if announced.is_some_and(|length| length > limit) {
                return Err(too_large());
            }
            let body = validate::body(method.request, &call.body)?;
            let id = seal(&[
                "upload".to_owned(),
                world.next_number().to_string(),
                now_ms.to_string(),
            ]);
            let location = format!(
                "http://{}{}?uploadType=resumable&upload_id={id}",
                call.header("host").unwrap_or_default(),
                call.path
            );
            let session = Session {
                method,
                path: path.to_vec(),
                query: query.clone(),
                owner: owner.clone(),
                body,
                received: Vec::new(),
            };
            world.sessions.insert(id, session);
            Ok(Read::Session(Answer {
                status: 200,
                headers: vec![("location", location)],
                ..Answer::default()
            }))
        }
        _ => Err(ApiError::invalid("Invalid upload type")),
    }
}

fn check_message_type(kind: &str) -> Result<(), ApiError> {
    if kind.starts_with("message/") {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "Media type '{kind}' is not supported. Valid media types: [message/*]"
    )))
}

/// The JSON and the message of `multipart/related`.
fn related(method: &Method, kind: &str, body: &[u8]) -> Result<(Value, Vec<u8>), ApiError> {
    let bad = || ApiError::invalid("Malformed multipart body.");
    let boundary = multipart::boundary(kind, "multipart/related").ok_or_else(bad)?;
    let parts = multipart::parts(body, &boundary).ok_or_else(bad)?;
    let [json, media] = parts.as_slice() else {
        return Err(bad());
    };
    if !json.content_type().starts_with("application/json") {
        return Err(bad());
    }
    check_message_type(&media.content_type())?;
    Ok((
        validate::body(method.request, &json.body)?,
        media.body.clone(),
    ))
}

/// The upload that a request goes on with.
pub(crate) fn session_id(call: &Call) -> Option<&str> {
    call.query
        .iter()
        .find(|(name, _)| name == "upload_id")
        .filter(|_| call.http == "PUT")
        .map(|(_, id)| id.as_str())
}

/// Takes a chunk, or tells how much has come; the last chunk runs the method.
pub(crate) fn resume(world: &mut World, call: &Call, now_ms: i64) -> Result<Answer, ApiError> {
    let id = session_id(call).unwrap_or_default();
    let session = world.sessions.get_mut(id).ok_or_else(ApiError::not_found)?;
    let limit = session.method.upload_limit.unwrap_or_default();
    let total = match content_range(&call.headers, call.body.len()) {
        Some(Range::Asks) => None,
        Some(Range::Chunk { start, total }) => {
            if start > session.received.len() {
                return Err(ApiError::invalid("Chunk after a gap"));
            }
            session.received.truncate(start);
            session.received.extend_from_slice(&call.body);
            total
        }
        None => return Err(ApiError::invalid("Failed to parse Content-Range header.")),
    };
    let received = session.received.len();
    if received as u64 > limit {
        return Err(ApiError::refused(
            413,
            "uploadTooLarge",
            "Request Entity Too Large",
        ));
    }
    if total != Some(received) {
        // Chunks but the last are multiples of 256 KiB.
        if !call.body.is_empty() && !call.body.len().is_multiple_of(256 << 10) {
            return Err(ApiError::invalid(
                "Chunk size must be a multiple of 256 KiB",
            ));
        }
        let mut headers = Vec::new();
        if received > 0 {
            headers.push(("range", format!("bytes=0-{}", received - 1)));
        }
        return Ok(Answer {
            status: 308,
            headers,
            ..Answer::default()
        });
    }
    let session = world.sessions.remove(id).ok_or_else(ApiError::not_found)?;
    let mask = match session.query.get("fields") {
        Some(fields) => Some(Mask::parse(fields, session.method.response)?),
        None => None,
    };
    let request = Request {
        method: session.method,
        path: session.path,
        query: session.query,
        body: session.body,
        media: Some(session.received),
        restricted: session.owner.scopes.contains(METADATA),
        now_ms,
    };
    finish(world, &session.owner.user, request, mask.as_ref())
}

enum Range {
    /// `bytes */123`: how much is there?
    Asks,
    Chunk {
        start: usize,
        total: Option<usize>,
    },
}

fn content_range(headers: &HeaderMap, length: usize) -> Option<Range> {
    let Some(value) = headers.get("content-range") else {
        return Some(Range::Chunk {
            start: 0,
            total: Some(length),
        });
    };
    let (range, total) = value
        .to_str()
        .ok()?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let total = match total {
        "*" => None,
        number => Some(number.parse().ok()?),
    };
    if range == "*" {
        return Some(Range::Asks);
    }
    let (start, end) = range.split_once('-')?;
    let (start, end): (usize, usize) = (start.parse().ok()?, end.parse().ok()?);
    (end + 1 == start + length).then_some(Range::Chunk { start, total })
}
