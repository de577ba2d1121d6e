//! `messages`, one at a time.

use super::{Request, mailbox, mailbox_mut, message_answer, outgoing};
use crate::answer::Answer;
use crate::content::Content;
use crate::draft::{self, Stage};
use crate::error::ApiError;
use crate::mailbox::{FolderKey, Number};
use crate::mime;
use crate::world::World;

pub(super) fn run(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let id = request.method.id;
    let verb = id.rsplit('.').next().unwrap_or(id);
    match verb {
        "create" => outgoing::create(world, request),
        "get" => get(world, request),
        "update" => update(world, request),
        "delete" => delete(world, request),
        "permanentDelete" if !world.settings.permanent_delete => Err(ApiError::refused(
            400,
            "BadRequest",
            "Resource not found for the segment 'permanentDelete'.",
        )),
        "permanentDelete" => {
            let number = request.message(mailbox(world, request)?)?;
            mailbox_mut(world, request)?.purge(number, request.now_ms);
            Ok(Answer::empty(204))
        }
        "move" => relocate(world, request),
        "copy" => copy(world, request),
        "value" => value(world, request),
        _ => outgoing::run(world, request, verb),
    }
}

fn get(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let number = request.message(mailbox(world, request)?)?;
    let World { faults, rng, .. } = &mut *world;
    let strikes = faults.concern(request.method.id) && faults.missing_messages.strikes(rng);
    let missed = &mut mailbox_mut(world, request)?.missed;
    if strikes && missed.insert(number) {
        return Err(ApiError::not_found());
    }
    missed.remove(&number);
    message_answer(world, request, number)
}

fn update(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let number = request.message(mailbox(world, request)?)?;
    let mailbox = mailbox_mut(world, request)?;
    let stored = mailbox
        .messages
        .get(&number)
        .ok_or_else(ApiError::not_found)?;
    request.check_version(stored)?;
    let fields = request.body.as_object().cloned().unwrap_or_default();
    let stage = if stored.draft {
        Stage::Draft
    } else {
        Stage::Received
    };
    draft::check(&fields, stage)?;
    let mut edit = draft::edit(&fields, &stored.flag)?;
    if draft::touches_content(&fields) {
        let mut content = Content::clone(&stored.content);
        draft::apply(&mut content, &fields)?;
        edit.content = Some(content);
    }
    mailbox.edit(number, edit, request.now_ms);
    message_answer(world, request, number)
}

fn delete(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let number = request.message(mailbox(world, request)?)?;
    let stored = mailbox(world, request)?.messages.get(&number);
    request.check_version(stored.ok_or_else(ApiError::not_found)?)?;
    let silent = silent(world, request);
    let keep = world.settings.readable_after_deletion;
    mailbox_mut(world, request)?.delete(number, keep, silent, request.now_ms);
    Ok(Answer::empty(204))
}

/// Whether this move's arrival is not told of.
fn silent(world: &mut World, request: &Request) -> bool {
    let World { faults, rng, .. } = world;
    faults.concern(request.method.id) && faults.unreported_arrivals.strikes(rng)
}

fn destination(world: &World, request: &Request) -> Result<FolderKey, ApiError> {
    let id = request
        .text("destinationId")
        .ok_or_else(|| ApiError::wrong(400, "ErrorInvalidRequest", "destinationId is required."))?;
    let folder = mailbox(world, request)?.folder(id)?;
    if folder.search.is_some() {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidOperation",
            "Nothing can be put into a search folder.",
        ));
    }
    Ok(folder.key)
}

fn relocate(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let number = request.message(mailbox(world, request)?)?;
    let to = destination(world, request)?;
    let silent = silent(world, request);
    mailbox_mut(world, request)?.move_message(number, to, silent, request.now_ms);
    message_answer(world, request, number)
}

fn copy(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let number = request.message(mailbox(world, request)?)?;
    let to = destination(world, request)?;
    let copy: Option<Number> =
        mailbox_mut(world, request)?.copy_message(number, to, request.now_ms);
    message_answer(world, request, copy.ok_or_else(ApiError::not_found)?)
}

fn value(world: &World, request: &Request) -> Result<Answer, ApiError> {
    let mailbox = mailbox(world, request)?;
    let number = request.message(mailbox)?;
    let stored = mailbox
        .messages
        .get(&number)
        .ok_or_else(ApiError::not_found)?;
    let octets = stored.content.octets();
    let octets = if world.settings.reserialised_mime {
        mime::reserialise(&octets)
    } else {
        octets
    };
    Ok(Answer::octets("text/plain", octets))
}
