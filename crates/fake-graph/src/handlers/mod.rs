//! What each method does.

mod account;
mod attachments;
mod categories;
mod folders;
pub(crate) mod lists;
mod messages;
mod outgoing;
mod subscriptions;

use axum::http::HeaderMap;
use fake_oauth::TokenOwner;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::delta;
use crate::error::ApiError;
use crate::mailbox::{FolderKey, Mailbox, Number, Stored};
use crate::odata::Prefer;
use crate::query::Query;
use crate::render::{Shown, View};
use crate::subscribe::Proposal;
use crate::tables::Method;
use crate::world::World;

/// A request that fits its method.
pub(crate) struct Request {
    pub method: &'static Method,
    pub path: Vec<(&'static str, String)>,
    pub query: Query,
    pub prefer: Prefer,
    pub body: Value,
    /// A body that is MIME in base64 instead of JSON.
    pub mime: Option<Vec<u8>>,
    pub headers: HeaderMap,
    pub now_ms: i64,
    pub origin: String,
    /// As it was asked for, from `/v1.0` on.
    pub url_path: String,
    pub owner: TokenOwner,
    /// The token is for the basic properties alone.
    pub basic: bool,
}

/// An answer, or what must happen before there is one.
pub(crate) enum Step {
    Done(Answer),
    Subscribe(Box<Proposal>),
}

impl Request {
    pub fn user(&self) -> String {
        self.owner.user.to_lowercase()
    }

    pub fn segment(&self, name: &str) -> &str {
        self.path
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }

    pub fn folder(&self, mailbox: &Mailbox) -> Result<FolderKey, ApiError> {
        Ok(mailbox.folder(self.segment("folder"))?.key)
    }

    /// The message in the path; in its folder, where the path names one.
    pub fn message(&self, mailbox: &Mailbox) -> Result<Number, ApiError> {
        let id = self.segment("message");
        let Some(stored) = mailbox.find(id) else {
            return Err(if crate::validate::looks_like_id(id) {
                ApiError::not_found()
            } else {
                ApiError::malformed_id()
            });
        };
        let elsewhere =
            !self.segment("folder").is_empty() && self.folder(mailbox)? != stored.folder;
        if elsewhere || stored.sending_since.is_some() {
            return Err(ApiError::not_found());
        }
        Ok(stored.number)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.field(name)?.as_str()
    }

    /// A parameter of an action, whose names are in any case.
    pub fn field(&self, name: &str) -> Option<&Value> {
        let fields = self.body.as_object()?;
        fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub fn context(&self, what: &str) -> Value {
        json!(format!("{}/v1.0/$metadata#{what}", self.origin))
    }

    /// 412 where the request is for another version.
    pub fn check_version(&self, stored: &Stored) -> Result<(), ApiError> {
        let wanted = self
            .headers
            .get("if-match")
            .and_then(|value| value.to_str().ok());
        let etag = format!("W/\"{}\"", crate::encoding::change_key(stored.version));
        if wanted.is_some_and(|wanted| wanted != "*" && wanted != etag) {
            return Err(ApiError::refused(
                412,
                "ErrorIrresolvableConflict",
                "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.",
            ));
        }
        Ok(())
    }
}

/// The mailbox of the token's user.
pub(crate) fn mailbox<'a>(world: &'a World, request: &Request) -> Result<&'a Mailbox, ApiError> {
    world
        .users
        .get(&request.user())
        .ok_or_else(ApiError::not_found)
}

pub(crate) fn mailbox_mut<'a>(
    world: &'a mut World,
    request: &Request,
) -> Result<&'a mut Mailbox, ApiError> {
    world
        .users
        .get_mut(&request.user())
        .ok_or_else(ApiError::not_found)
}

/// A message as this request sees it.
pub(crate) fn shown<'a>(
    world: &'a World,
    request: &'a Request,
    number: Number,
) -> Result<Shown<'a>, ApiError> {
    let mailbox = mailbox(world, request)?;
    let stored = mailbox
        .messages
        .get(&number)
        .ok_or_else(ApiError::not_found)?;
    Ok(Shown {
        view: View {
            mailbox,
            settings: &world.settings,
            prefer: &request.prefer,
            basic: request.basic,
        },
        stored,
    })
}

/// Answers a request with a message.
pub(crate) fn message_answer(
    world: &World,
    request: &Request,
    number: Number,
) -> Result<Answer, ApiError> {
    let shown = shown(world, request, number)?;
    let mut value =
        crate::render::message_json(&shown, &request.query.select, &request.query.expand);
    value["@odata.context"] = request.context("users('me')/messages/$entity");
    Ok(Answer::json(request.method.status, &value))
}

pub(crate) fn run(world: &mut World, request: &Request) -> Result<Step, ApiError> {
    outgoing::settle(world, request.now_ms);
    let id = request.method.id;
    let answer = match id {
        "subscriptions.create" => {
            let proposal = subscriptions::propose(world, request)?;
            return Ok(Step::Subscribe(Box::new(proposal)));
        }
        "mailFolders.delta" => delta::folders(world, request)?,
        "mailFolders.messages.delta" => delta::messages(world, request)?,
        "messages.list" | "mailFolders.messages.list" => lists::messages(world, request)?,
        "mailFolders.list" | "mailFolders.childFolders.list" => lists::folders(world, request)?,
        _ if id.starts_with("subscriptions.") => subscriptions::run(world, request)?,
        _ if id.starts_with("attachments.") => attachments::run(world, request)?,
        _ if id.starts_with("masterCategories.") => categories::run(world, request)?,
        _ if id.starts_with("mailFolders.messages.")
            || id.starts_with("messages.")
            || id == "sendMail" =>
        {
            messages::run(world, request)?
        }
        _ if id.starts_with("mailFolders.") => folders::run(world, request)?,
        _ => account::run(world, request)?,
    };
    Ok(Step::Done(answer))
}
