//! The API's messages to the uniform model.

use email_mime::{body_as, file_name, headers};
use email_model::{
    Address, Attachment, Body, BodyType, Content, Envelope, Flags, Labels, MeetingMethod,
};
use email_provider::{Entry, EntryState, Identity, ThreadHint};

use crate::{
    attachments,
    ids::{AttachmentId, FolderId, ItemId},
    wanted,
    wire::{ItemBody, Message, Recipient, Told},
};

/// Most recipients, header fields and attachments of a message that are looked at.
const MOST: usize = 1_000;

/// By what a message is recognised: its id is the same in every folder.
pub(crate) fn identity(id: &ItemId) -> Identity {
    Identity::Native(id.as_str().to_owned())
}

/// Its conversation, where it is told.
pub(crate) fn thread(message: &Message) -> Option<ThreadHint> {
    let id = message.conversation_id.as_deref()?;
    (1..=512)
        .contains(&id.len())
        .then(|| ThreadHint::Native(id.to_owned()))
}

/// Where it is, if that is told.
pub(crate) fn folder(message: &Message) -> Option<FolderId> {
    FolderId::parse(message.parent_folder_id.as_deref()?)
}

/// Its state, if all of it was told.
pub(crate) fn state(message: &Message) -> Option<EntryState> {
    let is_whole = message.flag.is_told() && message.categories.is_told();
    let (is_read, is_draft) = (message.is_read?, message.is_draft?);
    let folder = folder(message).filter(|_| is_whole)?;
    let flag = message.flag.value();
    let is_flagged = flag.is_some_and(|flag| flag.flag_status == "flagged");
    let mut flags = Flags::empty();
    flags.set(Flags::SEEN, is_read);
    flags.set(Flags::DRAFT, is_draft);
    flags.set(Flags::FLAGGED, is_flagged);
    let keywords = message.categories.value().cloned().unwrap_or_default();
    Some(EntryState {
        labels: Labels::new(flags, keywords),
        folders: vec![folder.key()],
    })
}

/// An entry with as much as was told. `None` stands for what was not.
///
/// Drafts are edited in place, under the same id, and every program that shows one saves it now and then: what is told of
/// one again may say something else.
pub(crate) fn entry(id: &ItemId, message: &Message) -> Entry {
    Entry {
        key: id.key(),
        state: state(message),
        received_at: message.received_date_time,
        identity: Some(identity(id)),
        thread: thread(message),
        envelope: has_envelope(message).then(|| envelope(message)),
        revised: message.is_draft == Some(true),
    }
}

/// Whether all that makes an envelope was told.
fn has_envelope(message: &Message) -> bool {
    let told = [
        message.subject.is_told(),
        message.from.is_told(),
        message.to_recipients.is_told(),
        message.cc_recipients.is_told(),
        message.bcc_recipients.is_told(),
        message.reply_to.is_told(),
        message.internet_message_id.is_told(),
        message.internet_message_headers.is_told(),
        message.body_preview.is_told(),
        message.received_date_time.is_some(),
        message.attachments.is_some(),
        message.single_value_extended_properties.is_some(),
    ];
    told.into_iter().all(|told| told)
}

/// The envelope: the header fields as far as the API tells them, and over them its own properties.
pub(crate) fn envelope(message: &Message) -> Envelope {
    let of_headers = headers::parse_header_block(&header_block(message));
    let text = |told: &Told<String>| {
        let text = told.value().map(|text| clean(text));
        text.filter(|text| !text.is_empty())
    };
    let own_id = text(&message.internet_message_id);
    Envelope {
        message_id: own_id.or(of_headers.message_id),
        subject: text(&message.subject).or(of_headers.subject),
        from: message.from.value().and_then(address),
        to: addresses(&message.to_recipients),
        cc: addresses(&message.cc_recipients),
        bcc: addresses(&message.bcc_recipients),
        reply_to: addresses(&message.reply_to),
        sent_at: message.sent_date_time.or(of_headers.sent_at),
        received_at: message.received_date_time,
        size: size(message),
        meeting_method: meeting(message).or(of_headers.meeting_method),
        attachments: message
            .attachments
            .as_ref()
            .map(|all| all.iter().take(MOST).filter_map(attachment).collect()),
        snippet: message.body_preview.value().map(|preview| snippet(preview)),
        ..of_headers
    }
}

/// Envelope, texts and header fields. `text` is the body as text, where it was asked for.
pub(crate) fn content(message: &Message, text: Option<ItemBody>) -> Content {
    let mut envelope = envelope(message);
    let body = body(message.body.as_ref(), text);
    let preview = envelope
        .snippet
        .take()
        .filter(|preview| !preview.is_empty());
    let own = email_mime::snippet(&body);
    envelope.snippet = Some(own.or(preview).unwrap_or_default());
    Content {
        envelope,
        body,
        headers: headers::list(&header_block(message)),
    }
}

/// The store keeps one text: what the sender wrote as text beside HTML is not there any more, and is made from it.
fn body(own: Option<&ItemBody>, text: Option<ItemBody>) -> Body {
    let is_html = |body: &ItemBody| {
        let kind = body.content_type.as_deref().unwrap_or_default();
        kind.eq_ignore_ascii_case("html")
    };
    // The store gives texts with the line ends of the wire.
    let content = |body: &ItemBody| {
        let content = body.content.as_deref().filter(|text| !text.is_empty());
        content.map(|text| text.replace("\r\n", "\n"))
    };
    let mut body = match own {
        Some(own) if is_html(own) => Body {
            html: content(own),
            text: None,
        },
        Some(own) => Body {
            html: None,
            text: content(own),
        },
        None => Body::default(),
    };
    if body.text.is_none() {
        let text = text
            .as_ref()
            .filter(|text| !is_html(text))
            .and_then(content);
        body.text = text.or_else(|| body_as(&body, BodyType::Text));
    }
    body
}

/// The header fields as a block, for reading it as that of any other message.
fn header_block(message: &Message) -> Vec<u8> {
    let mut block = String::new();
    let fields = message.internet_message_headers.value();
    for field in fields.into_iter().flatten().take(MOST) {
        let name = field.name.as_deref().unwrap_or_default();
        let is_name = |byte: u8| byte.is_ascii_graphic() && byte != b':';
        if name.is_empty() || !name.bytes().all(is_name) {
            continue;
        }
        block.push_str(name);
        block.push_str(": ");
        let value = field.value.as_deref().unwrap_or_default();
        block.push_str(&clean(value));
        block.push_str("\r\n");
    }
    block.into_bytes()
}

/// On one line.
fn clean(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.trim().to_owned()
}

fn addresses(told: &Told<Vec<Recipient>>) -> Vec<Address> {
    let all = told.value().into_iter().flatten();
    all.take(MOST).filter_map(address).collect()
}

/// Where a sender gave no name, the store repeats the address.
fn address(recipient: &Recipient) -> Option<Address> {
    let told = recipient.email_address.as_ref()?;
    let text = |text: &Option<String>| {
        let text = text.as_deref().map(clean);
        text.filter(|text| !text.is_empty())
    };
    let address = text(&told.address);
    let name = text(&told.name).filter(|name| Some(name) != address.as_ref());
    (address.is_some() || name.is_some()).then_some(Address { name, address })
}

fn size(message: &Message) -> Option<u64> {
    let properties = message.single_value_extended_properties.iter().flatten();
    let mut sizes = properties.filter(|property| {
        let tag = property.id.rsplit("0x").next().unwrap_or_default();
        u32::from_str_radix(tag, 16) == Ok(wanted::SIZE)
    });
    sizes.next()?.value.as_deref()?.parse().ok()
}

/// Invitations and answers are kinds of messages: <https://learn.microsoft.com/graph/api/resources/eventmessage>.
fn meeting(message: &Message) -> Option<MeetingMethod> {
    Some(match message.kind.as_deref()?.rsplit('.').next()? {
        "eventMessageRequest" => MeetingMethod::Request,
        "eventMessageResponse" => MeetingMethod::Reply,
        "eventMessage" => MeetingMethod::Other,
        _ => return None,
    })
}

fn attachment(told: &crate::wire::Attachment) -> Option<Attachment> {
    let id = AttachmentId::parse(&told.id)?;
    let text = |text: &Option<String>| {
        let text = text.as_deref().map(clean);
        text.filter(|text| !text.is_empty())
    };
    let content_id = text(&told.content_id);
    Some(Attachment {
        part: id.part(),
        name: told.name.as_deref().and_then(file_name::sanitise),
        mime_type: attachments::mime_type(told),
        size: told.size.and_then(|size| u64::try_from(size).ok()),
        inline: told.is_inline.unwrap_or_default(),
        content_id: content_id.map(|id| id.trim_matches(['<', '>']).to_owned()),
        content_location: text(&told.content_location),
    })
}

/// The API's preview, at most 200 characters on one line.
fn snippet(preview: &str) -> String {
    let words: Vec<&str> = preview.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(200).collect();
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: serde_json::Value) -> Message {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn what_was_told_in_part_is_no_state_and_no_envelope() {
        let id = ItemId::parse("A").unwrap();
        let told = message(serde_json::json!({"id": "A", "isRead": true, "parentFolderId": "F"}));
        let entry = entry(&id, &told);
        assert_eq!(
            (&entry.state, &entry.envelope, &entry.thread),
            (&None, &None, &None)
        );
        assert!(entry.received_at.is_none() && entry.identity.is_some());
    }

    #[test]
    fn a_draft_that_is_told_again_may_say_something_else() {
        let id = ItemId::parse("A").unwrap();
        for (told, is_revised) in [
            (serde_json::json!({"id": "A", "isDraft": true}), true),
            (serde_json::json!({"id": "A", "isDraft": false}), false),
            (serde_json::json!({"id": "A", "isRead": true}), false),
        ] {
            assert_eq!(entry(&id, &message(told)).revised, is_revised);
        }
    }

    #[test]
    fn a_state_is_told_whole() {
        let told = message(serde_json::json!({
            "id": "A", "isRead": true, "isDraft": false, "parentFolderId": "F",
            "flag": {"flagStatus": "flagged"}, "categories": ["b", "a", "b"],
        }));
        let state = state(&told).unwrap();
        assert_eq!(state.labels.flags, Flags::SEEN | Flags::FLAGGED);
        assert_eq!(state.labels.keywords, ["a", "b"]);
        assert_eq!(state.folders[0].0, "F");
        let empty = message(serde_json::json!({
            "id": "A", "isRead": false, "isDraft": true, "parentFolderId": "F",
            "flag": null, "categories": null,
        }));
        assert_eq!(super::state(&empty).unwrap().labels.flags, Flags::DRAFT);
    }

    #[test]
    fn header_fields_cannot_be_forged_by_their_values() {
        let told = message(serde_json::json!({
            "id": "A",
            "internetMessageHeaders": [
                {"name": "References", "value": "<a@x>\r\nBcc: <b@x>"},
                {"name": "Odd: name", "value": "x"},
                {"name": "X-One", "value": "1"},
            ],
        }));
        let content = content(&told, None);
        let names: Vec<_> = content
            .headers
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        assert_eq!(names, ["References", "X-One"]);
        assert!(content.envelope.bcc.is_empty());
    }

    #[test]
    fn a_repeated_address_is_no_name() {
        let told = message(serde_json::json!({
            "id": "A",
            "from": {"emailAddress": {"name": "a@x.example", "address": "a@x.example"}},
            "toRecipients": [{"emailAddress": {"name": "B", "address": "b@x.example"}}, {}],
            "singleValueExtendedProperties": [{"id": "Integer 0xe08", "value": "77"}],
        }));
        let envelope = envelope(&told);
        assert_eq!(envelope.from, Some(Address::bare("a@x.example")));
        assert_eq!(envelope.to.len(), 1);
        assert_eq!(envelope.size, Some(77));
    }

    #[test]
    fn a_text_stays_a_text() {
        let own = |kind: &str, content: &str| ItemBody {
            content_type: Some(kind.into()),
            content: Some(content.into()),
        };
        let plain = body(Some(&own("text", "a")), Some(own("text", "b")));
        assert_eq!((plain.html, plain.text.as_deref()), (None, Some("a")));
        let html = body(Some(&own("html", "<p>a</p>")), Some(own("text", "a")));
        assert_eq!(
            (html.html.as_deref(), html.text.as_deref()),
            (Some("<p>a</p>"), Some("a"))
        );
        let lines = body(
            Some(&own("html", "<p>a\r\nb</p>")),
            Some(own("text", "a\r\nb")),
        );
        assert_eq!(
            (lines.html.as_deref(), lines.text.as_deref()),
            (Some("<p>a\nb</p>"), Some("a\nb"))
        );
        let alone = body(Some(&own("HTML", "<p>a</p>")), None);
        assert_eq!(alone.text.as_deref().map(str::trim), Some("a"));
    }
}
