//! Raw bytes to the uniform model.

use bytes::Bytes;
use email_model::{Content, PartId, Timestamp};
use email_provider::{Identity, ThreadHint};

use crate::{shape::Shape, state::Message};

/// What the gateway is to see of a message. Bytes that are no mail at all give an empty one.
pub(crate) fn content(raw: &Bytes, received_at: Timestamp) -> Content {
    let mut content = stub(raw);
    content.envelope.received_at = Some(received_at);
    content.envelope.size = u64::try_from(raw.len()).ok();
    content
}

/// A part's decoded bytes.
pub(crate) fn part(_raw: &Bytes, _part: &PartId) -> Option<Bytes> {
    None
}

fn stub(raw: &Bytes) -> Content {
    let text = String::from_utf8_lossy(raw);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut content = Content::default();
    content.body.text = Some(body.to_owned());
    let envelope = &mut content.envelope;
    envelope.attachments = Some(Vec::new());
    for line in head.lines() {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        match name {
            "Message-ID" => envelope.message_id = Some(value.to_owned()),
            "In-Reply-To" => envelope.in_reply_to = Some(value.to_owned()),
            "References" => envelope.references = value.split(' ').map(str::to_owned).collect(),
            "Subject" => envelope.subject = Some(value.to_owned()),
            "From" => envelope.from = Some(email_model::Address::bare(value)),
            "To" => envelope.to = vec![email_model::Address::bare(value)],
            _ => {}
        }
    }
    content
}

/// By what the gateway recognises the message wherever it turns up.
pub(crate) fn identity(shape: Shape, message: &Message) -> Identity {
    match shape.native_identity {
        true => Identity::Native(message.id.clone()),
        false => Identity::from_content(&message.content.envelope),
    }
}

/// Its conversation.
pub(crate) fn thread(shape: Shape, message: &Message) -> ThreadHint {
    match shape.native_identity {
        true => ThreadHint::Native(message.thread.clone()),
        false => ThreadHint::Derive,
    }
}
