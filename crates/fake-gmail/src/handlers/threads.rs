//! `users.threads`.

use serde_json::{Value, json};

use super::Context;
use super::messages::relabelling;
use super::pages::{self, Kinds};
use crate::error::ApiError;
use crate::mailbox::{Id, Mailbox};
use crate::payload::{hex, message_json, reference};

pub(super) fn list(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let page = pages::list(context, Kinds::Threads)?;
    let mailbox = context.mailbox()?;
    let items = page
        .items
        .iter()
        .map(|(id, thread)| {
            let snippet = mailbox
                .messages
                .get(id)
                .map(|stored| stored.content.snippet())
                .unwrap_or_default();
            let history_id = history_id(mailbox, *thread).to_string();
            json!({"id": hex(*thread), "snippet": snippet, "historyId": history_id})
        })
        .collect();
    Ok(pages::answer("threads", items, &page))
}

fn history_id(mailbox: &Mailbox, thread: Id) -> u64 {
    mailbox
        .thread(thread)
        .iter()
        .map(|id| mailbox.messages[id].history_id)
        .max()
        .unwrap_or_default()
}

pub(super) fn get(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let (thread, members) = members(context)?;
    let query = context.request.query.clone();
    let headers = query.all("metadataHeaders");
    let style = context.style(query.get("format").unwrap_or("full"), &headers)?;
    let mailbox = context.mailbox()?;
    let messages: Vec<Value> = members
        .iter()
        .map(|id| message_json(&mailbox.messages[id], &style))
        .collect();
    let history_id = history_id(mailbox, thread).to_string();
    Ok(json!({"id": hex(thread), "historyId": history_id, "messages": messages}))
}

fn members(context: &mut Context<'_>) -> Result<(Id, Vec<Id>), ApiError> {
    let thread = context.id()?;
    let members = context.mailbox()?.thread(thread);
    if members.is_empty() {
        return Err(ApiError::not_found());
    }
    Ok((thread, members))
}

fn changed(
    context: &mut Context<'_>,
    change: impl FnOnce(&mut Mailbox, &[Id], i64),
) -> Result<Value, ApiError> {
    let (thread, members) = members(context)?;
    let now_ms = context.request.now_ms;
    let mailbox = context.mailbox()?;
    change(mailbox, &members, now_ms);
    let messages: Vec<Value> = members
        .iter()
        .map(|id| reference(&mailbox.messages[id]))
        .collect();
    Ok(json!({"id": hex(thread), "messages": messages}))
}

pub(super) fn modify(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let (add, remove) = relabelling(context)?;
    changed(context, |mailbox, members, now_ms| {
        mailbox.relabel(members, &add, &remove, now_ms);
    })
}

pub(super) fn trash(context: &mut Context<'_>) -> Result<Value, ApiError> {
    changed(context, Mailbox::trash)
}

pub(super) fn untrash(context: &mut Context<'_>) -> Result<Value, ApiError> {
    changed(context, Mailbox::untrash)
}

pub(super) fn delete(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let (_, members) = members(context)?;
    let now_ms = context.request.now_ms;
    context.mailbox()?.delete(&members, now_ms);
    Ok(Value::Null)
}
