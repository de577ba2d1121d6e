//! The methods.

mod drafts;
mod history;
mod labels;
mod messages;
mod outgoing;
mod pages;
mod put;
mod settings;
mod threads;
mod watch;

use serde_json::Value;

use crate::error::ApiError;
use crate::faults::{Lag, LagReaders};
use crate::mailbox::{Id, Mailbox};
use crate::payload::Style;
use crate::tables::Method;
use crate::validate::Query;
use crate::world::World;

/// A valid request for a method.
pub(crate) struct Request {
    pub method: &'static Method,
    pub path: Vec<(&'static str, String)>,
    pub query: Query,
    pub body: Value,
    /// The message's octets, where they came apart from the JSON.
    pub media: Option<Vec<u8>>,
    /// The token is one for metadata: neither search nor content.
    pub restricted: bool,
    pub now_ms: i64,
}

/// A request at work.
pub(crate) struct Context<'a> {
    pub world: &'a mut World,
    pub user: &'a str,
    pub request: Request,
}

/// Runs a method; null is an answer without content.
pub(crate) fn run(world: &mut World, user: &str, request: Request) -> Result<Value, ApiError> {
    let name = request
        .method
        .id
        .strip_prefix("gmail.users.")
        .unwrap_or_default();
    let context = &mut Context {
        world,
        user,
        request,
    };
    match name {
        "getProfile" => watch::profile(context),
        "watch" => watch::watch(context),
        "stop" => watch::stop(context),
        "labels.list" => labels::list(context),
        "labels.get" => labels::get(context),
        "labels.create" => labels::create(context),
        "labels.patch" | "labels.update" => labels::update(context),
        "labels.delete" => labels::delete(context),
        "messages.list" => messages::list(context),
        "messages.get" => messages::get(context),
        "messages.attachments.get" => messages::attachment(context),
        "messages.modify" => messages::modify(context),
        "messages.batchModify" => messages::batch_modify(context),
        "messages.trash" => messages::trash(context),
        "messages.untrash" => messages::untrash(context),
        "messages.delete" => messages::delete(context),
        "messages.batchDelete" => messages::batch_delete(context),
        "messages.insert" | "messages.import" => put::put(context),
        "messages.send" => outgoing::send(context),
        "threads.list" => threads::list(context),
        "threads.get" => threads::get(context),
        "threads.modify" => threads::modify(context),
        "threads.trash" => threads::trash(context),
        "threads.untrash" => threads::untrash(context),
        "threads.delete" => threads::delete(context),
        "history.list" => history::list(context),
        "drafts.list" => drafts::list(context),
        "drafts.get" => drafts::get(context),
        "drafts.create" => drafts::create(context),
        "drafts.update" => drafts::update(context),
        "drafts.delete" => drafts::delete(context),
        "drafts.send" => drafts::send(context),
        "settings.sendAs.list" => settings::list(context),
        "settings.sendAs.get" => settings::get(context),
        _ => Err(ApiError::not_found()),
    }
}

impl Context<'_> {
    pub fn mailbox(&mut self) -> Result<&mut Mailbox, ApiError> {
        self.world
            .mailbox(self.user)
            .ok_or_else(ApiError::not_found)
    }

    /// The value of a brace in the path.
    pub fn path(&self, name: &str) -> &str {
        self.request
            .path
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// The id in the path, as a message's or thread's number.
    pub fn id(&self) -> Result<Id, ApiError> {
        parse_id(self.path("id"))
    }

    /// The strings in a list of the body.
    pub fn strings(&self, name: &str) -> Vec<String> {
        self.request.body[name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    /// The history id that some readers see.
    pub fn visible(&mut self, history: bool) -> Result<u64, ApiError> {
        let faults = &self.world.faults;
        let Lag {
            changes,
            time,
            readers,
        } = faults.lag;
        let behind = faults.concern(self.request.method.id)
            && match readers {
                LagReaders::All => true,
                LagReaders::History => history,
                LagReaders::Lists => !history,
            };
        let now_ms = self.request.now_ms;
        let mailbox = self.mailbox()?;
        if !behind {
            return Ok(mailbox.history_id);
        }
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Ok(mailbox.visible_id(changes, time, now_ms))
    }

    /// How messages are shown in the format that was asked for.
    pub fn style<'a>(
        &mut self,
        format: &'a str,
        headers: &'a [String],
    ) -> Result<Style<'a>, ApiError> {
        if self.request.restricted && matches!(format, "full" | "raw") {
            return Err(ApiError::forbidden(format!(
                "Metadata scope doesn't allow format {}",
                format.to_uppercase()
            )));
        }
        let nonce = self.world.next_number();
        Ok(Style {
            format,
            headers,
            unpadded: self.world.faults.unpadded_base64,
            decoded_headers: self.world.settings.decoded_headers,
            inline_limit: self.world.settings.inline_limit,
            nonce,
            now_ms: self.request.now_ms,
        })
    }
}

/// Reads a message's or thread's id; what is none never was one's.
pub(crate) fn parse_id(text: &str) -> Result<Id, ApiError> {
    let valid =
        !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !valid {
        return Err(ApiError::invalid("Invalid id value"));
    }
    Id::from_str_radix(text, 16).map_err(|_| ApiError::invalid("Invalid id value"))
}
