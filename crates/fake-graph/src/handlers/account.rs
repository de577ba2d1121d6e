//! The user, the mailbox's settings, and ids of one kind for ids of another.

use serde_json::{Value, json};

use super::{Request, mailbox};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::world::World;

const MOST_IDS: usize = 1000;

pub(super) fn run(world: &World, request: &Request) -> Result<Answer, ApiError> {
    let mailbox = mailbox(world, request)?;
    let value = match request.method.id {
        "translateExchangeIds" => translate(world, request)?,
        "mailboxSettings.get" => json!({
            "@odata.context": request.context("users('me')/mailboxSettings"),
            "archiveFolder": mailbox.folder("archive").ok().map(|folder| &folder.id),
            "timeZone": "UTC",
            "language": {"locale": "en-US", "displayName": "English (United States)"},
            "dateFormat": "M/d/yyyy",
            "timeFormat": "h:mm tt",
            "userPurpose": "user",
        }),
        _ => json!({
            "@odata.context": request.context("users/$entity"),
            "id": mailbox.object_id,
            "displayName": mailbox.email.split('@').next(),
            "mail": mailbox.email,
            "userPrincipalName": mailbox.email,
            "businessPhones": [],
            "givenName": null,
            "surname": null,
            "jobTitle": null,
            "mobilePhone": null,
            "officeLocation": null,
            "preferredLanguage": null,
        }),
    };
    Ok(Answer::json(200, &value))
}

fn translate(world: &World, request: &Request) -> Result<Value, ApiError> {
    let mailbox = mailbox(world, request)?;
    let known = |name: &str| matches!(request.text(name), Some("restId" | "restImmutableEntryId"));
    if !known("sourceIdType") || !known("targetIdType") {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidParameter",
            "This server translates restId and restImmutableEntryId.",
        ));
    }
    let ids = request.field("inputIds").and_then(Value::as_array);
    let ids: Vec<&str> = ids
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if ids.is_empty() || ids.len() > MOST_IDS {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidParameter",
            "There are no ids, or too many.",
        ));
    }
    let immutable = request.text("targetIdType") == Some("restImmutableEntryId");
    let translated: Vec<Value> = ids
        .into_iter()
        .map(|id| match mailbox.find(id) {
            Some(stored) => {
                let target = if immutable { &stored.immutable_id } else { &stored.id };
                json!({"sourceId": id, "targetId": target.as_ref()})
            }
            None => json!({"sourceId": id, "errorDetails": {"code": "ErrorItemNotFound", "message": "The item was not found."}}),
        })
        .collect();
    Ok(json!({
        "@odata.context": request.context("Collection(microsoft.graph.convertIdResult)"),
        "value": translated,
    }))
}
