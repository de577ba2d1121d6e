//! Drafts, replies and sending ("Outlook: things to know about sending mail").

use serde_json::{Map, Value};

use super::{Request, mailbox, mailbox_mut, message_answer};
use crate::answer::Answer;
use crate::content::{Address, Content};
use crate::draft::{self, Stage};
use crate::encoding::from_base64;
use crate::error::ApiError;
use crate::mailbox::{FolderKey, Number};
use crate::mime;
use crate::record::SentMail;
use crate::world::World;

/// Makes a draft, of JSON or of MIME in base64.
pub(super) fn create(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let mailbox = mailbox(world, request)?;
    let folder = if request.segment("folder").is_empty() {
        mailbox.folder("drafts")?.key
    } else {
        request.folder(mailbox)?
    };
    let (content, fields) = match &request.mime {
        Some(encoded) => (parse(encoded)?, Map::new()),
        None => {
            let fields = request.body.as_object().cloned().unwrap_or_default();
            draft::check(&fields, Stage::New)?;
            (written(&fields)?, fields)
        }
    };
    let number = put(world, request, content, &fields, folder)?;
    message_answer(world, request, number)
}

fn parse(encoded: &[u8]) -> Result<Content, ApiError> {
    let text = std::str::from_utf8(encoded).ok();
    let raw = text.and_then(from_base64).ok_or_else(|| {
        ApiError::wrong(
            400,
            "ErrorMimeContentInvalidBase64String",
            "Invalid base64 string for MIME content.",
        )
    })?;
    Ok(Content::parse(raw))
}

fn written(fields: &Map<String, Value>) -> Result<Content, ApiError> {
    let mut content = Content {
        importance: "normal".to_owned(),
        text: Some(String::new()),
        ..Content::default()
    };
    draft::apply(&mut content, fields)?;
    Ok(content)
}

fn put(
    world: &mut World,
    request: &Request,
    mut content: Content,
    fields: &Map<String, Value>,
    folder: FolderKey,
) -> Result<Number, ApiError> {
    let mailbox = mailbox_mut(world, request)?;
    if content.from.is_none() && content.raw.is_none() {
        content.from = Some(own_address(&mailbox.email));
        content.sender.clone_from(&content.from);
    }
    if content.message_id.is_none() {
        content.message_id = Some(format!("<{}@fake.prod.outlook.com>", mailbox.ids.guid()));
    }
    let number = mailbox.add(content, folder, request.now_ms, true, request.now_ms);
    let flag = serde_json::json!({"flagStatus": "notFlagged"});
    let edit = draft::edit(fields, &flag)?;
    mailbox.edit(number, edit, request.now_ms);
    Ok(number)
}

pub(super) fn run(world: &mut World, request: &Request, verb: &str) -> Result<Answer, ApiError> {
    match verb {
        "sendMail" => send_mail(world, request),
        "send" => {
            let number = request.message(mailbox(world, request)?)?;
            send(world, request, number, true)
        }
        "createReply" | "createReplyAll" | "createForward" => {
            let number = answer_draft(world, request, verb)?;
            message_answer(world, request, number)
        }
        "reply" | "replyAll" | "forward" => {
            let number = answer_draft(world, request, verb)?;
            send(world, request, number, true)
        }
        _ => Err(ApiError::wrong(
            501,
            "NotImplemented",
            "This server does not do that.",
        )),
    }
}

fn send_mail(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let (content, fields) = match &request.mime {
        Some(encoded) => (parse(encoded)?, Map::new()),
        None => {
            let fields = request.field("message").and_then(Value::as_object).cloned();
            let fields =
                fields.ok_or_else(|| ApiError::body("The parameter 'Message' is missing."))?;
            draft::check(&fields, Stage::New)?;
            (written(&fields)?, fields)
        }
    };
    let save = request
        .field("saveToSentItems")
        .and_then(Value::as_bool)
        .unwrap_or(true);
    let folder = mailbox(world, request)?.folder("outbox")?.key;
    let number = put(world, request, content, &fields, folder)?;
    let sent = send(world, request, number, save);
    if sent.is_err() {
        mailbox_mut(world, request)?.purge(number, request.now_ms);
    }
    sent
}

/// A draft that answers the message in the path.
fn answer_draft(world: &mut World, request: &Request, verb: &str) -> Result<Number, ApiError> {
    let mailbox = mailbox(world, request)?;
    let number = request.message(mailbox)?;
    let original = mailbox
        .messages
        .get(&number)
        .ok_or_else(ApiError::not_found)?;
    let original = Content::clone(&original.content);
    let own = mailbox.email.clone();
    let folder = mailbox.folder("drafts")?.key;
    if let Some(encoded) = &request.mime {
        let content = parse(encoded)?;
        return put(world, request, content, &Map::new(), folder);
    }
    let fields = request
        .field("message")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    draft::check(&fields, Stage::New)?;
    let comment = request.text("comment");
    if comment.is_some() && fields.contains_key("body") {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidRequest",
            "Either a comment or the body of message, not both.",
        ));
    }
    let mut content = answering(&original, verb, &own);
    let quoted = original.as_html().0;
    let comment = comment.unwrap_or_default();
    content.html = Some(format!("<html><body>{comment}<hr>{quoted}</body></html>"));
    draft::apply(&mut content, &fields)?;
    if let Some(to) = request.field("toRecipients") {
        let to = serde_json::json!({"toRecipients": to});
        draft::apply(&mut content, &to.as_object().cloned().unwrap_or_default())?;
    }
    put(world, request, content, &fields, folder)
}

fn answering(original: &Content, verb: &str, own: &str) -> Content {
    let forward = verb.to_lowercase().ends_with("forward");
    let all = verb.to_lowercase().ends_with("all");
    let prefix = if forward { "FW: " } else { "RE: " };
    let mut content = Content {
        importance: "normal".to_owned(),
        ..Content::default()
    };
    if original.subject.to_uppercase().starts_with(prefix) {
        content.set_subject(&original.subject);
    } else {
        content.set_subject(&format!("{prefix}{}", original.subject));
    }
    content.in_reply_to.clone_from(&original.message_id);
    content.references.clone_from(&original.references);
    content.references.extend(original.message_id.clone());
    if forward {
        content.attachments.clone_from(&original.attachments);
        return content;
    }
    content.to = if original.reply_to.is_empty() {
        original.from.iter().cloned().collect()
    } else {
        original.reply_to.clone()
    };
    if all {
        let others = |list: &[Address]| -> Vec<Address> {
            let others = list
                .iter()
                .filter(|entry| !entry.address.eq_ignore_ascii_case(own));
            others.cloned().collect()
        };
        content.to.extend(others(&original.to));
        content.cc = others(&original.cc);
    }
    content
}

/// Hands a draft over for delivery. What fails later comes back as a report to the sender's inbox.
fn send(
    world: &mut World,
    request: &Request,
    number: Number,
    save: bool,
) -> Result<Answer, ApiError> {
    let settings = world.settings.clone();
    let slow = !world.faults.slow_sending.is_zero();
    let now_ms = request.now_ms;
    let mailbox = mailbox_mut(world, request)?;
    let stored = mailbox
        .messages
        .get_mut(&number)
        .ok_or_else(ApiError::not_found)?;
    if !stored.draft {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidOperation",
            "Only drafts can be sent.",
        ));
    }
    let mut content = Content::clone(&stored.content);
    let recipients: Vec<String> = content
        .recipients()
        .map(|entry| entry.address.clone())
        .collect();
    if recipients.is_empty() {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidRecipients",
            "At least one recipient is not valid.",
        ));
    }
    if recipients.len() > settings.recipients {
        return Err(ApiError::wrong(
            400,
            "ErrorExceededMessageLimit",
            "There are too many recipients.",
        ));
    }
    let own = own_address(&mailbox.email);
    let from = content.from.clone().unwrap_or_else(|| own.clone());
    let may = std::iter::once(&mailbox.email).chain(&mailbox.aliases);
    if !may
        .into_iter()
        .any(|address| address.eq_ignore_ascii_case(&from.address))
    {
        return Err(ApiError::wrong(
            403,
            "ErrorSendAsDenied",
            "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.",
        ));
    }
    content.from = Some(from);
    content.sender = content.sender.or(Some(own));
    content.sent_ms = content.sent_ms.or(Some(now_ms));
    if settings.replaced_message_id {
        let name = format!("<{}@fake.prod.outlook.com>", mailbox.ids.guid());
        if content.raw.is_some() {
            content = Content::parse(mime::with_message_id(&content.octets(), &name));
        }
        content.message_id = Some(name);
    }
    let raw = match &content.raw {
        Some(raw) => mime::without_bcc(raw),
        None => mime::compose(&content, false),
    };
    mailbox.hand_over(number, content, save, now_ms);
    if !slow {
        mailbox.settle(number, now_ms);
    }
    let id = mailbox
        .messages
        .get(&number)
        .map(|stored| stored.immutable_id.to_string());
    deliver(world, request, &recipients, &raw);
    world.sent.push(SentMail {
        user: request.owner.user.clone(),
        recipients,
        raw,
        id,
    });
    Ok(Answer::empty(202))
}

fn own_address(email: &str) -> Address {
    Address {
        name: email.split('@').next().unwrap_or_default().to_owned(),
        address: email.to_owned(),
    }
}

/// Into the inboxes of those recipients who have one here.
fn deliver(world: &mut World, request: &Request, recipients: &[String], raw: &[u8]) {
    for recipient in recipients {
        let Some(mailbox) = world.users.get_mut(&recipient.to_lowercase()) else {
            continue;
        };
        let Some(inbox) = mailbox.well_known("inbox") else {
            continue;
        };
        mailbox.add(
            Content::parse(raw.to_vec()),
            inbox,
            request.now_ms,
            false,
            request.now_ms,
        );
    }
}

/// Puts into Sent Items what has waited long enough.
pub(super) fn settle(world: &mut World, now_ms: i64) {
    let wait_ms = i64::try_from(world.faults.slow_sending.as_millis()).unwrap_or(i64::MAX);
    for mailbox in world.users.values_mut() {
        let due: Vec<Number> = mailbox
            .sending
            .iter()
            .copied()
            .filter(|number| {
                let since = mailbox
                    .messages
                    .get(number)
                    .and_then(|stored| stored.sending_since);
                since.is_none_or(|since| since + wait_ms <= now_ms)
            })
            .collect();
        for number in due {
            mailbox.settle(number, now_ms);
        }
    }
}
