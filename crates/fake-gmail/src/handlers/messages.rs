//! `users.messages`.

use serde_json::{Value, json};

use super::pages::{self, Kinds};
use super::{Context, parse_id};
use crate::encoding::{encode, open};
use crate::error::ApiError;
use crate::faults::strikes;
use crate::mailbox::Id;
use crate::payload::{self, hex, message_json, reference};

const MOST_IDS: usize = 1_000;

pub(super) fn list(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let page = pages::list(context, Kinds::Messages)?;
    let items = page
        .items
        .iter()
        .map(|(id, thread)| json!({"id": hex(*id), "threadId": hex(*thread)}))
        .collect();
    Ok(pages::answer("messages", items, &page))
}

pub(super) fn get(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let id = context.id()?;
    let query = context.request.query.clone();
    let headers = query.all("metadataHeaders");
    let style = context.style(query.get("format").unwrap_or("full"), &headers)?;
    let world = &mut *context.world;
    if world.faults.concern("gmail.users.messages.get")
        && strikes(world.faults.missing_messages, &mut world.rng)
    {
        return Err(ApiError::not_found());
    }
    let stored = context.mailbox()?.messages.get(&id);
    stored
        .map(|stored| message_json(stored, &style))
        .ok_or_else(ApiError::not_found)
}

pub(super) fn attachment(context: &mut Context<'_>) -> Result<Value, ApiError> {
    // Attachment ids are good for a time only, so that a wrong one need not be anybody's mistake.
    let bad = || ApiError::refused(400, "invalidArgument", "Invalid attachment token");
    let message = context.path("messageId").to_owned();
    let id = parse_id(&message)?;
    let words = open(context.path("id")).ok_or_else(bad)?;
    let [kind, _, owner, path, made_ms] = words.as_slice() else {
        return Err(bad());
    };
    let made_ms: i64 = made_ms.parse().map_err(|_| bad())?;
    let lifetime = context.world.settings.attachment_lifetime.as_millis();
    let age = context.request.now_ms.saturating_sub(made_ms);
    if kind != "attachment" || *owner != hex(id) || i128::from(age) > lifetime as i128 {
        return Err(bad());
    }
    let unpadded = context.world.faults.unpadded_base64;
    let stored = context.mailbox()?.messages.get(&id);
    let stored = stored.ok_or_else(ApiError::not_found)?;
    let content = payload::attachment(stored, path).ok_or_else(bad)?;
    Ok(json!({"size": content.len(), "data": encode(&content, unpadded)}))
}

/// Checks the labels to add and remove, and gives them.
pub(super) fn relabelling(
    context: &mut Context<'_>,
) -> Result<(Vec<String>, Vec<String>), ApiError> {
    let add = context.strings("addLabelIds");
    let remove = context.strings("removeLabelIds");
    context.mailbox()?.check_relabel(&add, &remove)?;
    Ok((add, remove))
}

pub(super) fn modify(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let id = context.id()?;
    let (add, remove) = relabelling(context)?;
    changed(context, id, |mailbox, now_ms| {
        mailbox.relabel(&[id], &add, &remove, now_ms);
    })
}

pub(super) fn trash(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let id = context.id()?;
    changed(context, id, |mailbox, now_ms| mailbox.trash(&[id], now_ms))
}

pub(super) fn untrash(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let id = context.id()?;
    changed(context, id, |mailbox, now_ms| {
        mailbox.untrash(&[id], now_ms);
    })
}

fn changed(
    context: &mut Context<'_>,
    id: Id,
    change: impl FnOnce(&mut crate::mailbox::Mailbox, i64),
) -> Result<Value, ApiError> {
    let now_ms = context.request.now_ms;
    let mailbox = context.mailbox()?;
    if !mailbox.messages.contains_key(&id) {
        return Err(ApiError::not_found());
    }
    change(mailbox, now_ms);
    Ok(reference(&mailbox.messages[&id]))
}

pub(super) fn delete(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let id = context.id()?;
    let now_ms = context.request.now_ms;
    let mailbox = context.mailbox()?;
    if !mailbox.messages.contains_key(&id) {
        return Err(ApiError::not_found());
    }
    mailbox.delete(&[id], now_ms);
    Ok(Value::Null)
}

/// The ids of a batch; those that are gone are passed over without a word.
fn batch_ids(context: &Context<'_>) -> Result<Vec<Id>, ApiError> {
    let ids = context.strings("ids");
    if ids.is_empty() {
        return Err(ApiError::invalid("No message ids specified."));
    }
    if ids.len() > MOST_IDS {
        return Err(ApiError::invalid("Too many message ids"));
    }
    ids.iter().map(|id| parse_id(id)).collect()
}

pub(super) fn batch_modify(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let ids = batch_ids(context)?;
    let (add, remove) = relabelling(context)?;
    let now_ms = context.request.now_ms;
    context.mailbox()?.relabel(&ids, &add, &remove, now_ms);
    Ok(Value::Null)
}

pub(super) fn batch_delete(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let ids = batch_ids(context)?;
    let now_ms = context.request.now_ms;
    context.mailbox()?.delete(&ids, now_ms);
    Ok(Value::Null)
}
