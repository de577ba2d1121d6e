//! The API's messages to the uniform model.

use email_mime::headers;
use email_model::{Content, Timestamp};
use email_provider::{Identity, ThreadHint};

use crate::{ids::HexId, skeleton, wire::Message};

/// By what a message is recognised: its id is the same under every label.
pub(crate) fn identity(id: &HexId) -> Identity {
    Identity::Native(id.as_str().to_owned())
}

/// Its conversation, where it is told.
pub(crate) fn thread(thread_id: &str) -> Option<ThreadHint> {
    let id = HexId::parse(thread_id)?;
    Some(ThreadHint::Native(id.as_str().to_owned()))
}

/// When the mailbox got it.
pub(crate) fn received_at(message: &Message) -> Option<Timestamp> {
    Timestamp::from_timestamp_millis(message.internal_date?)
}

/// Envelope, texts and header fields, as far as they were told: of the parts, or of the raw message.
pub(crate) fn content(message: &Message) -> Content {
    let mut content = match (&message.payload, &message.raw) {
        (_, Some(raw)) => parsed(&crate::wire::decoded(raw)),
        (Some(payload), None) => {
            let mut content = parsed(&skeleton::message(payload));
            content.headers = headers::list(&skeleton::header_block(payload));
            for attachment in content.envelope.attachments.iter_mut().flatten() {
                let part = payload.at(attachment.part.as_str());
                attachment.size = part.and_then(|part| part.body.octets());
            }
            content
        }
        (None, None) => Content::default(),
    };
    content.envelope.received_at = received_at(message);
    let size = message
        .size_estimate
        .and_then(|size| u64::try_from(size).ok());
    content.envelope.size = size;
    content
}

fn parsed(raw: &[u8]) -> Content {
    email_mime::parse(raw)
        .map(|parsed| parsed.content)
        .unwrap_or_default()
}

/// The API's snippet, its character references undone; `None` where it tells nothing.
pub(crate) fn snippet(message: &Message) -> Option<String> {
    const REFERENCES: [(&str, &str); 5] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    let text: String = message
        .snippet
        .chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{34f}' | '\u{feff}'))
        .take(400)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let plain = REFERENCES.iter().fold(text, |text, (reference, plain)| {
        text.replace(reference, plain)
    });
    let plain = plain.trim();
    (!plain.is_empty()).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_is_plain_text() {
        let message = |snippet: &str| Message {
            snippet: snippet.into(),
            ..Message::default()
        };
        let told = snippet(&message("a &lt;b&gt; &amp;lt; it&#39;s\u{200c}\n "));
        assert_eq!(told.as_deref(), Some("a <b> &lt; it's"));
        assert_eq!(snippet(&message("")), None);
    }

    #[test]
    fn a_message_of_raw_bytes_is_like_one_of_parts() {
        let message = Message {
            raw: Some("U3ViamVjdDogaGkNCg0KYm9keQ".into()),
            internal_date: Some(1_700_000_000_000),
            size_estimate: Some(20),
            ..Message::default()
        };
        let content = content(&message);
        assert_eq!(content.envelope.subject.as_deref(), Some("hi"));
        assert_eq!(content.body.text.as_deref(), Some("body"));
        assert_eq!(content.envelope.size, Some(20));
        assert!(content.envelope.received_at.is_some());
    }
}
