//! The profile, and watching the mailbox.

use serde_json::{Value, json};

use super::Context;
use crate::error::ApiError;
use crate::push::Watch;

const WATCH_LIFETIME_MS: i64 = 7 * 24 * 3600 * 1000;

pub(super) fn profile(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let history_id = context.visible(true)?;
    let mailbox = context.mailbox()?;
    Ok(json!({
        "emailAddress": mailbox.email,
        "messagesTotal": mailbox.messages.len(),
        "threadsTotal": mailbox.thread_count(),
        "historyId": history_id.to_string(),
    }))
}

pub(super) fn watch(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let body = context.request.body.clone();
    let topic = body["topicName"].as_str().unwrap_or_default();
    let project = match topic.split('/').collect::<Vec<_>>().as_slice() {
        ["projects", project, "topics", name] if !project.is_empty() && !name.is_empty() => {
            (*project).to_owned()
        }
        _ => {
            return Err(ApiError::invalid(
                "Invalid topicName does not match projects/*/topics/*",
            ));
        }
    };
    let own = context.world.settings.project.as_ref();
    if own.is_some_and(|own| *own != project) {
        return Err(ApiError::invalid(
            "Invalid topicName: the topic's project is not the caller's",
        ));
    }
    if !body["labelFilterAction"].is_null() {
        return Err(ApiError::invalid("labelFilterAction is deprecated"));
    }
    let labels = context.strings("labelIds");
    let exclude = body["labelFilterBehavior"] == "exclude";
    let rate_limit = context.world.settings.push_rate_limit;
    let expires_ms = context.request.now_ms + WATCH_LIFETIME_MS;
    let now_ms = context.request.now_ms;
    let mailbox = context.mailbox()?;
    if let Some(label) = labels.iter().find(|id| !mailbox.labels.contains_key(*id)) {
        let message = format!("Invalid label: {label}");
        return Err(ApiError::refused(400, "invalidArgument", message));
    }
    let other = mailbox
        .watch
        .as_ref()
        .is_some_and(|watch| watch.topic != topic && watch.expires_ms > now_ms);
    if other {
        return Err(ApiError::refused(
            400,
            "failedPrecondition",
            "Only one user push notification client allowed per developer (call /stop then try again)",
        ));
    }
    mailbox.watch = Some(Watch {
        topic: topic.to_owned(),
        labels,
        exclude,
        expires_ms,
        rate_limit,
    });
    Ok(json!({
        "historyId": mailbox.history_id.to_string(),
        "expiration": expires_ms.to_string(),
    }))
}

pub(super) fn stop(context: &mut Context<'_>) -> Result<Value, ApiError> {
    context.mailbox()?.watch = None;
    Ok(Value::Null)
}
