//! Upload sessions ("Attach large files to Outlook messages or events"): the URL is the secret, no token goes with it.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::{self, Call, violate};
use crate::content::{Attachment, AttachmentBody, Content};
use crate::encoding::instant;
use crate::error::ApiError;
use crate::handlers::Request;
use crate::mailbox::{Edit, Number};
use crate::server::Inner;
use crate::world::World;

pub(crate) const PREFIX: &str = "/upload/v2.0/attachmentsessions/";
/// "Each PUT less than 4 MB".
const LARGEST_RANGE: u64 = 4 << 20;

#[derive(Clone, Debug)]
pub(crate) struct Session {
    user: String,
    message: Number,
    item: Value,
    size: u64,
    received: Vec<u8>,
    expires_ms: i64,
}

/// Opens a session and gives its name and end.
pub(crate) fn open(
    world: &mut World,
    request: &Request,
    message: Number,
    item: &Value,
) -> Result<(String, i64), ApiError> {
    let size = item["size"].as_u64().unwrap_or_default();
    if item["attachmentType"] != "file"
        || item["name"].as_str().is_none_or(str::is_empty)
        || size == 0
    {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidRequest",
            "An upload says its attachmentType, name and size.",
        ));
    }
    if size > world.settings.largest_upload {
        return Err(ApiError::wrong(
            413,
            "ErrorAttachmentSizeLimitExceeded",
            "The attachment is too large.",
        ));
    }
    let lifetime = i64::try_from(world.settings.upload_lifetime.as_millis()).unwrap_or(i64::MAX);
    let expires_ms = request.now_ms.saturating_add(lifetime);
    let user = request.user();
    let mailbox = world.users.get_mut(&user).ok_or_else(ApiError::not_found)?;
    let name = mailbox.ids.guid();
    let session = Session {
        user,
        message,
        item: item.clone(),
        size,
        received: Vec::new(),
        expires_ms,
    };
    world.sessions.insert(name.clone(), session);
    Ok((name, expires_ms))
}

/// Answers a request to a session's URL.
pub(crate) fn answer(inner: &Inner, call: &Call) -> Answer {
    let now_ms = inner.clock.now_ms();
    let mut world = inner.world();
    let method = match call.http.as_str() {
        "PUT" => "upload.put",
        "DELETE" => "upload.delete",
        _ => "upload.get",
    };
    let result = {
        let World { faults, rng, .. } = &mut *world;
        match faults.error(method, rng) {
            Some(error) => Err(error),
            None => perform(&mut world, call, now_ms),
        }
    };
    let mut answer = match result {
        Ok(answer) => answer,
        Err(error) => {
            if error.violation {
                violate(&mut world, call, error.status, &error.message);
            }
            Answer::error(&error)
        }
    };
    if answer.status < 300 {
        call::spoil(&mut world, method, &mut answer);
    }
    call::note(inner, &mut world, call, method, None, answer.status);
    answer
}

fn perform(world: &mut World, call: &Call, now_ms: i64) -> Result<Answer, ApiError> {
    if call.header("authorization").is_some() {
        return Err(ApiError::wrong(
            401,
            "InvalidAudience",
            "The URL needs no token, and must not get one.",
        ));
    }
    let name = call.path.trim_start_matches(PREFIX);
    let gone = || {
        ApiError::refused(
            404,
            "ErrorItemNotFound",
            "The upload session was not found.",
        )
    };
    let session = world.sessions.get_mut(name).ok_or_else(gone)?;
    if session.expires_ms <= now_ms {
        return Err(gone());
    }
    match call.http.as_str() {
        "PUT" => {
            take(session, call)?;
            if session.received.len() as u64 == session.size {
                let session = world.sessions.remove(name).ok_or_else(gone)?;
                return attach(world, session, &call.origin, now_ms);
            }
            Ok(progress(session))
        }
        "DELETE" => {
            world.sessions.remove(name);
            Ok(Answer::empty(204))
        }
        "GET" => Ok(progress(session)),
        _ => Err(ApiError::wrong(
            405,
            "BadRequest",
            "Specified HTTP method is not allowed.",
        )),
    }
}

fn progress(session: &Session) -> Answer {
    let value = json!({
        "expirationDateTime": instant(session.expires_ms),
        "nextExpectedRanges": [format!("{}", session.received.len())],
    });
    Answer::json(200, &value)
}

/// The next range, in order.
fn take(session: &mut Session, call: &Call) -> Result<(), ApiError> {
    let wrong = |message: &str| ApiError::wrong(400, "ErrorInvalidRequest", message);
    let range = call.header("content-range").unwrap_or_default();
    let parsed = range
        .strip_prefix("bytes ")
        .and_then(|rest| rest.split_once('/'))
        .and_then(|(ends, total)| {
            let (start, end) = ends.split_once('-')?;
            Some((
                start.parse::<u64>().ok()?,
                end.parse::<u64>().ok()?,
                total.parse::<u64>().ok()?,
            ))
        });
    let (start, end, total) = parsed.ok_or_else(|| wrong("Content-Range is missing or wrong."))?;
    if total != session.size {
        return Err(wrong(
            "The total of Content-Range is not the size that was announced.",
        ));
    }
    if start != session.received.len() as u64 {
        return Err(ApiError::wrong(
            416,
            "ErrorInvalidRange",
            "Ranges are put in order.",
        ));
    }
    let length = call.body.len() as u64;
    if end + 1 != start + length || end >= total || length >= LARGEST_RANGE {
        return Err(wrong(
            "The range does not fit its octets, or is 4 MB or more.",
        ));
    }
    session.received.extend_from_slice(&call.body);
    Ok(())
}

fn attach(
    world: &mut World,
    session: Session,
    origin: &str,
    now_ms: i64,
) -> Result<Answer, ApiError> {
    let mailbox = world
        .users
        .get_mut(&session.user)
        .ok_or_else(ApiError::not_found)?;
    let stored = mailbox
        .messages
        .get(&session.message)
        .ok_or_else(ApiError::not_found)?;
    let mut content = Content::clone(&stored.content);
    crate::draft::apply(&mut content, &serde_json::Map::new())?;
    let text = |name: &str| session.item[name].as_str().map(str::to_owned);
    let number = content.next_attachment();
    content.attachments.push(Attachment {
        number,
        name: text("name").unwrap_or_default(),
        content_type: text("contentType"),
        inline: session.item["isInline"].as_bool().unwrap_or_default(),
        content_id: text("contentId"),
        body: AttachmentBody::File(session.received),
    });
    let location = format!(
        "{origin}/v1.0/me/messages('{0}')/attachments('{1}ABEgAQ{number:08x}=')",
        stored.immutable_id,
        stored.immutable_id.trim_end_matches('=')
    );
    let edit = Edit {
        content: Some(content),
        ..Edit::default()
    };
    mailbox.edit(session.message, edit, now_ms);
    Ok(Answer::empty(201).with("location", location))
}
