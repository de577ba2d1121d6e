//! `messages.insert` and `messages.import`, and what they share with sending and drafts.

use serde_json::Value;

use super::{Context, parse_id};
use crate::content::Content;
use crate::encoding::decode;
use crate::error::ApiError;
use crate::mailbox::{Id, Labels};
use crate::payload::reference;

/// The message in a request: uploaded, or in base64url in a `Message` of the body.
pub(super) fn raw(context: &mut Context<'_>, message: &Value) -> Result<Vec<u8>, ApiError> {
    let inline = message["raw"].as_str();
    let raw = match (context.request.media.take(), inline) {
        (Some(media), None) => media,
        (None, Some(text)) => decode(text).unwrap_or_default(),
        (Some(_), Some(_)) => return Err(ApiError::invalid("The message stands there twice")),
        (None, None) => Vec::new(),
    };
    if raw.is_empty() {
        return Err(ApiError::invalid(
            "'raw' RFC822 payload message string or uploading message via /upload/* URL required",
        ));
    }
    Ok(raw)
}

/// The thread that a `Message` of the body asks for, where the message may join it.
pub(super) fn asked_thread(
    context: &mut Context<'_>,
    message: &Value,
    content: &Content,
) -> Result<Option<Id>, ApiError> {
    let Some(asked) = message["threadId"].as_str() else {
        return Ok(None);
    };
    let asked = parse_id(asked)?;
    let mailbox = context.mailbox()?;
    if !mailbox.has_thread(asked) {
        return Err(ApiError::not_found());
    }
    Ok(mailbox.asked_thread(asked, content))
}

pub(super) fn put(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let body = context.request.body.clone();
    if context.request.query.flag("deleted") {
        return Err(ApiError::invalid("deleted is for Workspace accounts only"));
    }
    let import = context.request.method.id.ends_with("import");
    let by_header = match context.request.query.get("internalDateSource") {
        Some(source) => source == "dateHeader",
        None => import,
    };
    let content = Content::new(raw(context, &body)?);
    let asked = asked_thread(context, &body, &content)?;
    let now_ms = context.request.now_ms;
    let date = match content.date {
        Some(seconds) if by_header => seconds.saturating_mul(1000),
        _ => now_ms,
    };
    let mut labels: Labels = context.strings("labelIds").into_iter().collect();
    let mailbox = context.mailbox()?;
    if let Some(label) = labels.iter().find(|id| !mailbox.labels.contains_key(*id)) {
        let message = format!("Invalid label: {label}");
        return Err(ApiError::refused(400, "invalidArgument", message));
    }
    if import && labels.is_empty() {
        labels.extend(["INBOX", "UNREAD"].map(str::to_owned));
    }
    let thread = asked.or_else(|| mailbox.thread_for(&content));
    let id = mailbox.add(content, labels, date, thread, now_ms);
    Ok(reference(&mailbox.messages[&id]))
}
