//! Raw bytes to the uniform model.

use bytes::Bytes;
use email_model::{Content, PartId, Timestamp};
use email_provider::{Identity, ThreadHint};

use crate::{shape::Shape, state::Message};

/// What the gateway is to see of a message. Bytes that are no mail at all give an empty one.
pub(crate) fn content(raw: &Bytes, received_at: Timestamp) -> Content {
    let mut content = email_mime::parse(raw)
        .map(|parsed| parsed.content)
        .unwrap_or_default();
    content.envelope.received_at = Some(received_at);
    content.envelope.size = u64::try_from(raw.len()).ok();
    content
}

/// A part's decoded bytes.
pub(crate) fn part(raw: &Bytes, part: &PartId) -> Option<Bytes> {
    email_mime::attachment(raw, part).map(Bytes::from)
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
