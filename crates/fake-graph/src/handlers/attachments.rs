//! Attachments, all three kinds.

use serde_json::{Value, json};

use super::{Request, mailbox, mailbox_mut, shown};
use crate::answer::Answer;
use crate::content::{Attachment, AttachmentBody, Content};
use crate::draft;
use crate::error::ApiError;
use crate::mailbox::{Edit, Number};
use crate::render::{attachment_json, attachment_with_id};
use crate::upload;
use crate::world::World;

pub(super) fn run(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let number = request.message(mailbox(world, request)?)?;
    match request.method.id {
        "attachments.list" => list(world, request, number),
        "attachments.get" => {
            let shown = shown(world, request, number)?;
            let attachment = find(&shown, request)?;
            let query = &request.query;
            let mut value = attachment_json(&shown, attachment, &query.select, query.expand.item);
            value["@odata.context"] =
                request.context("users('me')/messages('')/attachments/$entity");
            Ok(Answer::json(200, &value))
        }
        "attachments.value" => {
            let shown = shown(world, request, number)?;
            match &find(&shown, request)?.body {
                AttachmentBody::File(octets) | AttachmentBody::Item(octets) => {
                    Ok(Answer::octets("application/octet-stream", octets.clone()))
                }
                AttachmentBody::Reference(_) => Err(ApiError::wrong(
                    405,
                    "ErrorInvalidOperation",
                    "A reference attachment has no value.",
                )),
            }
        }
        "attachments.create" => create(world, request, number),
        "attachments.delete" => {
            let gone = find(&shown(world, request, number)?, request)?.number;
            change(world, request, number, |content| {
                content
                    .attachments
                    .retain(|attachment| attachment.number != gone);
            })?;
            Ok(Answer::empty(204))
        }
        _ => session(world, request, number),
    }
}

fn find<'a>(
    shown: &crate::render::Shown<'a>,
    request: &Request,
) -> Result<&'a Attachment, ApiError> {
    attachment_with_id(shown, request.segment("attachment")).ok_or_else(ApiError::not_found)
}

fn list(world: &World, request: &Request, number: Number) -> Result<Answer, ApiError> {
    let shown = shown(world, request, number)?;
    let all: Vec<Value> = shown
        .stored
        .content
        .attachments
        .iter()
        .map(|attachment| {
            attachment_json(
                &shown,
                attachment,
                &request.query.select,
                request.query.expand.item,
            )
        })
        .filter(|value| {
            let filter = request.query.filter.as_ref();
            filter.is_none_or(|filter| crate::odata::matches(filter, value))
        })
        .skip(request.query.skip)
        .take(request.query.top.unwrap_or(usize::MAX))
        .collect();
    let value = json!({
        "@odata.context": request.context("users('me')/messages('')/attachments"),
        "value": all,
    });
    Ok(Answer::json(200, &value))
}

/// Changes the content of a draft.
fn change(
    world: &mut World,
    request: &Request,
    number: Number,
    act: impl FnOnce(&mut Content),
) -> Result<(), ApiError> {
    let mailbox = mailbox_mut(world, request)?;
    let stored = mailbox
        .messages
        .get(&number)
        .ok_or_else(ApiError::not_found)?;
    let mut content = Content::clone(&stored.content);
    draft::apply(&mut content, &serde_json::Map::new())?;
    act(&mut content);
    let edit = Edit {
        content: Some(content),
        ..Edit::default()
    };
    mailbox.edit(number, edit, request.now_ms);
    Ok(())
}

fn create(world: &mut World, request: &Request, number: Number) -> Result<Answer, ApiError> {
    let stored = mailbox(world, request)?.messages.get(&number);
    let next = stored.map_or(0, |stored| stored.content.next_attachment());
    let attachment = draft::attachment(&request.body, next)?;
    if attachment.size() > world.settings.largest_attachment {
        return Err(ApiError::wrong(
            413,
            "ErrorAttachmentSizeLimitExceeded",
            "The maximum attachment size is exceeded: use an upload session.",
        ));
    }
    change(world, request, number, |content| {
        content.attachments.push(attachment.clone())
    })?;
    let shown = shown(world, request, number)?;
    let value = attachment_json(&shown, &attachment, &request.query.select, false);
    Ok(Answer::json(201, &value))
}

fn session(world: &mut World, request: &Request, number: Number) -> Result<Answer, ApiError> {
    let item = request.field("AttachmentItem").cloned().unwrap_or_default();
    let session = upload::open(world, request, number, &item)?;
    let value = json!({
        "@odata.context": request.context("microsoft.graph.uploadSession"),
        "uploadUrl": format!("{}{}{}", request.origin, upload::PREFIX, session.0),
        "expirationDateTime": crate::encoding::instant(session.1),
        "nextExpectedRanges": ["0-"],
    });
    Ok(Answer::json(201, &value))
}
