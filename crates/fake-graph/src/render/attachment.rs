//! Attachments of the three kinds.

use serde_json::{Map, Value, json};

use super::message::Shown;
use crate::content::{Attachment, AttachmentBody, Content};
use crate::encoding::{base64, instant};
use crate::odata::Select;

/// `full`: the item in it too, where it is one.
pub(crate) fn attachment_json(
    shown: &Shown<'_>,
    attachment: &Attachment,
    select: &Select,
    full: bool,
) -> Value {
    let kind = match attachment.body {
        AttachmentBody::File(_) => "fileAttachment",
        AttachmentBody::Item(_) => "itemAttachment",
        AttachmentBody::Reference(_) => "referenceAttachment",
    };
    let mut value = Map::new();
    value.insert(
        "@odata.type".to_owned(),
        json!(format!("#microsoft.graph.{kind}")),
    );
    value.insert(
        "id".to_owned(),
        json!(attachment_id(shown.id(), attachment)),
    );
    let mut put = |name: &str, held: Value| {
        if select.wants(name) {
            value.insert(name.to_owned(), held);
        }
    };
    put(
        "lastModifiedDateTime",
        json!(instant(shown.stored.created_ms)),
    );
    put("name", json!(attachment.name));
    put("contentType", json!(attachment.content_type));
    put("size", json!(attachment.size()));
    put("isInline", json!(attachment.inline));
    match &attachment.body {
        AttachmentBody::File(octets) => {
            put("contentId", json!(attachment.content_id));
            put("contentLocation", Value::Null);
            put("contentBytes", json!(base64(octets)));
            let kind = attachment.content_type.as_deref();
            value.insert(
                "@odata.mediaContentType".to_owned(),
                json!(kind.unwrap_or("application/octet-stream")),
            );
        }
        AttachmentBody::Item(octets) if full => {
            value.insert("item".to_owned(), item_json(octets));
        }
        AttachmentBody::Item(_) | AttachmentBody::Reference(_) => {}
    }
    Value::Object(value)
}

/// The message in an attachment.
fn item_json(octets: &[u8]) -> Value {
    let content = Content::parse(octets.to_vec());
    let (html, _) = content.as_html();
    json!({
        "@odata.type": "#microsoft.graph.message",
        "id": "",
        "subject": content.subject,
        "from": content.from.as_ref().map(super::recipient),
        "internetMessageId": content.message_id,
        "hasAttachments": content.has_attachments(),
        "body": {"contentType": "html", "content": html},
    })
}

fn attachment_id(message: &str, attachment: &Attachment) -> String {
    format!(
        "{}ABEgAQ{:08x}=",
        message.trim_end_matches('='),
        attachment.number
    )
}

/// The attachment with this id, of either kind that the message's ids have.
pub(crate) fn attachment_with_id<'a>(shown: &Shown<'a>, id: &str) -> Option<&'a Attachment> {
    let stored = shown.stored;
    stored.content.attachments.iter().find(|attachment| {
        [&stored.id, &stored.immutable_id]
            .into_iter()
            .any(|message| attachment_id(message, attachment) == id)
    })
}
