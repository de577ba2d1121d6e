use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use email_model::Attachment;
use serde::Serialize;
use utoipa::ToSchema;

/// A part of a message that is no body text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailAttachment {
    /// Its id within the message.
    id: String,
    /// File name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// `type/subtype`.
    mime_type: String,
    /// Octets after decoding; an estimate where the mailbox does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Shown within the HTML body.
    inline: bool,
    /// `Content-ID`, without angle brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_id: Option<String>,
    /// The octets in base64, where `loadInlines` asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    /// `Content-Location`.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_location: Option<String>,
}

impl EmailAttachment {
    /// As the model has it, perhaps with its octets.
    pub(crate) fn new(attachment: Attachment, content: Option<&Bytes>) -> Self {
        Self {
            id: attachment.part.to_string(),
            name: attachment.name,
            mime_type: attachment.mime_type,
            size: attachment.size,
            inline: attachment.inline,
            content_id: attachment.content_id,
            content: content.map(|octets| STANDARD.encode(octets)),
            content_location: attachment.content_location,
        }
    }
}

/// The octets of an attachment. Written as a stream by the endpoint; this is its shape.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EmailAttachmentContent {
    /// Base64.
    #[schema(format = "base64")]
    content: String,
}
