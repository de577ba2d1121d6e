//! Sending: who gets it, what the sent copy looks like, and delivery to the users of this server.

use mail_parser::{Address, MessageParser};
use serde_json::Value;

use super::Context;
use super::put::{asked_thread, raw};
use crate::content::Content;
use crate::edit::{with, without};
use crate::error::ApiError;
use crate::mailbox::{Id, Labels};
use crate::payload::{hex, reference};
use crate::record::SentMail;

const MOST_RECIPIENTS: usize = 500;

pub(super) fn send(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let body = context.request.body.clone();
    let raw = raw(context, &body)?;
    let outgoing = Outgoing::check(context, raw)?;
    let content = Content::new(outgoing.raw.clone());
    let thread = asked_thread(context, &body, &content)?;
    outgoing.deliver(context, thread)
}

/// A message that may be sent.
pub(super) struct Outgoing {
    raw: Vec<u8>,
    recipients: Vec<String>,
}

impl Outgoing {
    /// Reads the recipients and completes the header. What is wrong here is the writer's mistake, not the client's.
    pub fn check(context: &mut Context<'_>, mut raw: Vec<u8>) -> Result<Self, ApiError> {
        let refuse = |message: &str| ApiError::refused(400, "invalidArgument", message);
        let (recipients, from) = {
            let message = MessageParser::default()
                .parse_headers(&raw)
                .ok_or_else(|| refuse("Invalid message"))?;
            let mut recipients = Vec::new();
            for list in [message.to(), message.cc(), message.bcc()] {
                recipients.extend(addresses(list)?);
            }
            (recipients, addresses(message.from())?)
        };
        if recipients.is_empty() {
            return Err(refuse("Recipient address required"));
        }
        if recipients.len() > MOST_RECIPIENTS {
            return Err(refuse("Too many recipients"));
        }
        let refused_from = context.world.settings.foreign_from_refused;
        let new_id = context.world.settings.replaced_message_id;
        let number = context.world.next_number();
        let now_ms = context.request.now_ms;
        let mailbox = context.mailbox()?;
        let own = from.first().is_some_and(|from| {
            mailbox
                .send_as
                .iter()
                .any(|address| address.verified && address.email.eq_ignore_ascii_case(from))
        });
        if !own {
            if refused_from && !from.is_empty() {
                return Err(refuse("Invalid From header"));
            }
            raw = with(&raw, "From", &mailbox.email);
        }
        let content = Content::new(raw.clone());
        if new_id || content.message_id.is_none() {
            let id = format!("<CA+{number}.{now_ms}@mail.example>");
            if let Some(original) = &content.message_id {
                raw = with(
                    &raw,
                    "X-Google-Original-Message-ID",
                    &format!("<{original}>"),
                );
            }
            raw = with(&raw, "Message-ID", &id);
        }
        if content.date.is_none() {
            let date = mail_parser::DateTime::from_timestamp(now_ms / 1000).to_rfc822();
            raw = with(&raw, "Date", &date);
        }
        Ok(Self { raw, recipients })
    }

    /// Puts the copy with the label SENT into the mailbox, and the message before its recipients.
    pub fn deliver(self, context: &mut Context<'_>, thread: Option<Id>) -> Result<Value, ApiError> {
        let now_ms = context.request.now_ms;
        let user = context.user.to_owned();
        let mailbox = context.mailbox()?;
        let mut labels = Labels::from(["SENT".to_owned()]);
        // What one sends to oneself is one message in both places.
        if self
            .recipients
            .iter()
            .any(|to| to.eq_ignore_ascii_case(&user))
        {
            labels.extend(["INBOX", "UNREAD"].map(str::to_owned));
        }
        let id = mailbox.add(
            Content::new(self.raw.clone()),
            labels,
            now_ms,
            thread,
            now_ms,
        );
        let answer = reference(&mailbox.messages[&id]);
        let delivered = without(&self.raw, "Bcc");
        for recipient in &self.recipients {
            if recipient.eq_ignore_ascii_case(&user) {
                continue;
            }
            if let Some(mailbox) = context.world.mailbox(recipient) {
                let content = Content::new(delivered.clone());
                let thread = mailbox.thread_for(&content);
                let labels = ["INBOX", "UNREAD", "CATEGORY_PERSONAL"];
                let labels = labels.map(str::to_owned).into();
                mailbox.add(content, labels, now_ms, thread, now_ms);
            }
        }
        context.world.sent.push(SentMail {
            user,
            recipients: self.recipients,
            raw: delivered,
            id: hex(id),
        });
        Ok(answer)
    }
}

fn addresses(list: Option<&Address<'_>>) -> Result<Vec<String>, ApiError> {
    let mut found: Vec<String> = Vec::new();
    for address in list.into_iter().flat_map(Address::iter) {
        let text = address.address.as_deref().unwrap_or_default();
        let valid = text
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        if !valid || text.contains(char::is_whitespace) {
            return Err(ApiError::refused(
                400,
                "invalidArgument",
                "Invalid To header",
            ));
        }
        if !found.iter().any(|known| known.eq_ignore_ascii_case(text)) {
            found.push(text.to_owned());
        }
    }
    Ok(found)
}
