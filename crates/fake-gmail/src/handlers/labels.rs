//! `users.labels`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Context;
use crate::error::ApiError;
use crate::mailbox::Mailbox;

pub(super) fn list(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let labels: Vec<Value> = context
        .mailbox()?
        .labels
        .values()
        .map(|label| {
            let mut value = label.json();
            if let Some(fields) = value.as_object_mut() {
                fields.remove("color");
            }
            value
        })
        .collect();
    Ok(json!({"labels": labels}))
}

pub(super) fn get(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let id = context.path("id").to_owned();
    let mailbox = context.mailbox()?;
    let label = mailbox.labels.get(&id).ok_or_else(ApiError::not_found)?;
    let mut value = label.json();
    let count = |unread: bool| {
        let labelled = mailbox.messages.values().filter(|stored| {
            stored.labels.contains(&id) && (!unread || stored.labels.contains("UNREAD"))
        });
        let threads: Vec<u64> = labelled.map(|stored| stored.thread).collect();
        let distinct: BTreeSet<u64> = threads.iter().copied().collect();
        (threads.len(), distinct.len())
    };
    let ((messages, threads), (unread, unread_threads)) = (count(false), count(true));
    value["messagesTotal"] = json!(messages);
    value["messagesUnread"] = json!(unread);
    value["threadsTotal"] = json!(threads);
    value["threadsUnread"] = json!(unread_threads);
    Ok(value)
}

pub(super) fn create(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let body = context.request.body.clone();
    let name = body["name"]
        .as_str()
        .ok_or_else(|| ApiError::invalid("Missing label name"))?;
    let mailbox = context.mailbox()?;
    let id = mailbox.create_label(name)?;
    apply(mailbox, &id, &body)
}

pub(super) fn update(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let id = context.path("id").to_owned();
    let body = context.request.body.clone();
    let whole = context.request.method.http == "PUT";
    if body.get("id").is_some_and(|given| *given != json!(id)) {
        return Err(ApiError::invalid("Label ids cannot be changed"));
    }
    let mailbox = context.mailbox()?;
    mailbox.user_label(&id)?;
    if let Some(name) = body["name"].as_str() {
        mailbox.check_name(name, Some(&id))?;
        mailbox.user_label(&id)?.name = name.to_owned();
    } else if whole {
        return Err(ApiError::invalid("Missing label name"));
    }
    apply(mailbox, &id, &body)
}

/// Sets what the body says beside the name, and gives the label.
fn apply(mailbox: &mut Mailbox, id: &str, body: &Value) -> Result<Value, ApiError> {
    let label = mailbox.user_label(id)?;
    if let Some(visibility) = body["labelListVisibility"].as_str() {
        label.list_visibility = Some(visibility.to_owned());
    }
    if let Some(visibility) = body["messageListVisibility"].as_str() {
        label.message_visibility = Some(visibility.to_owned());
    }
    if body["color"].is_object() {
        label.color = Some(body["color"].clone());
    }
    Ok(label.json())
}

pub(super) fn delete(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let id = context.path("id").to_owned();
    let now_ms = context.request.now_ms;
    context.mailbox()?.delete_label(&id, now_ms)?;
    Ok(Value::Null)
}
