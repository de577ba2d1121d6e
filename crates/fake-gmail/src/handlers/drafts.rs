//! `users.drafts`.

use serde_json::{Value, json};

use super::Context;
use super::outgoing::Outgoing;
use super::pages::{self, Kinds};
use super::put::{asked_thread, raw};
use crate::content::Content;
use crate::error::ApiError;
use crate::mailbox::{Id, Mailbox};
use crate::payload::{hex, message_json, reference};

pub(super) fn list(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let page = pages::list(context, Kinds::Drafts)?;
    let mailbox = context.mailbox()?;
    let items = page
        .items
        .iter()
        .filter_map(|(message, thread)| {
            let (draft, _) = mailbox.drafts.iter().find(|(_, of)| *of == message)?;
            let message = json!({"id": hex(*message), "threadId": hex(*thread)});
            Some(json!({"id": draft, "message": message}))
        })
        .collect();
    Ok(pages::answer("drafts", items, &page))
}

fn message_of(mailbox: &Mailbox, draft: &str) -> Result<Id, ApiError> {
    mailbox
        .drafts
        .get(draft)
        .copied()
        .ok_or_else(ApiError::not_found)
}

pub(super) fn get(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let draft = context.path("id").to_owned();
    let query = context.request.query.clone();
    let style = context.style(query.get("format").unwrap_or("full"), &[])?;
    let mailbox = context.mailbox()?;
    let message = message_of(mailbox, &draft)?;
    let message = message_json(&mailbox.messages[&message], &style);
    Ok(json!({"id": draft, "message": message}))
}

fn show(mailbox: &Mailbox, draft: &str) -> Result<Value, ApiError> {
    let message = message_of(mailbox, draft)?;
    Ok(json!({"id": draft, "message": reference(&mailbox.messages[&message])}))
}

pub(super) fn create(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let message = context.request.body["message"].clone();
    let content = Content::new(raw(context, &message)?);
    let thread = asked_thread(context, &message, &content)?;
    let now_ms = context.request.now_ms;
    let mailbox = context.mailbox()?;
    let draft = mailbox.create_draft(content, thread, now_ms);
    show(mailbox, &draft)
}

pub(super) fn update(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let draft = context.path("id").to_owned();
    message_of(context.mailbox()?, &draft)?;
    let message = context.request.body["message"].clone();
    let content = Content::new(raw(context, &message)?);
    asked_thread(context, &message, &content)?;
    let now_ms = context.request.now_ms;
    let mailbox = context.mailbox()?;
    mailbox.replace_draft(&draft, content, now_ms);
    show(mailbox, &draft)
}

pub(super) fn delete(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let draft = context.path("id").to_owned();
    let now_ms = context.request.now_ms;
    if !context.mailbox()?.delete_draft(&draft, now_ms) {
        return Err(ApiError::not_found());
    }
    Ok(Value::Null)
}

/// The draft goes, and a new message with the label SENT comes.
pub(super) fn send(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let body = context.request.body.clone();
    let draft = body["id"]
        .as_str()
        .ok_or_else(|| ApiError::invalid("Missing draft id"))?
        .to_owned();
    let mailbox = context.mailbox()?;
    let message = message_of(mailbox, &draft)?;
    let stored = &mailbox.messages[&message];
    let (kept, thread) = (stored.content.raw.clone(), stored.thread);
    let replaced = context.request.media.is_some() || body["message"]["raw"].is_string();
    let raw = if replaced {
        raw(context, &body["message"])?
    } else {
        kept
    };
    let outgoing = Outgoing::check(context, raw)?;
    let now_ms = context.request.now_ms;
    context.mailbox()?.delete_draft(&draft, now_ms);
    outgoing.deliver(context, Some(thread))
}
