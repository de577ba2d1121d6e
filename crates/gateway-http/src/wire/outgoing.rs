use email_model::{Address, AttachmentContent, Body, Header, OutgoingAttachment};
use gateway_operations::{Held, NewMessage};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{BodyType, address::EmailAddress, tracking::OutEmailTrack};
use crate::{
    error::{ApiError, ApiResult},
    uploads::FilePart,
};

/// A message to be sent or kept as a draft.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OutgoingEmail {
    /// The sender; the mailbox's own address by default.
    from: Option<EmailAddress>,
    /// The subject.
    subject: Option<String>,
    /// The text: HTML, or plain text with `bodyType=text`.
    body: Option<String>,
    /// `Message-ID` of the message that this one answers.
    in_reply_to: Option<String>,
    /// `References`, as the header has it.
    references: Option<String>,
    /// Recipients.
    to: Option<Vec<EmailAddress>>,
    /// Recipients of a copy.
    cc: Option<Vec<EmailAddress>>,
    /// Recipients that the others are not told of.
    bcc: Option<Vec<EmailAddress>>,
    /// Where answers go.
    reply_to: Option<Vec<EmailAddress>>,
    /// Further header fields.
    x_headers: Option<Vec<OutgoingHeader>>,
    /// Files.
    attachments: Option<Vec<OutgoingEmailAttachment>>,
    /// Tracking. Refused with 501 where any of it is asked for.
    tracking: Option<OutEmailTrack>,
    /// Keywords that the sender's copy gets.
    keywords: Option<Vec<String>>,
    /// Fields named `List-…`.
    list_headers: Option<Vec<OutgoingHeader>>,
}

/// An answer to a message. What is left out is derived from that.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OutgoingEmailReply {
    /// The sender; the mailbox's own address by default.
    from: Option<EmailAddress>,
    /// The subject; by default that of the message, with `Re:`.
    subject: Option<String>,
    /// The text: HTML, or plain text with `bodyType=text`.
    body: Option<String>,
    /// Recipients; by default whoever wants answers to the message.
    to: Option<Vec<EmailAddress>>,
    /// Recipients of a copy.
    cc: Option<Vec<EmailAddress>>,
    /// Recipients that the others are not told of.
    bcc: Option<Vec<EmailAddress>>,
    /// Where answers go.
    reply_to: Option<Vec<EmailAddress>>,
    /// Further header fields.
    x_headers: Option<Vec<OutgoingHeader>>,
    /// Files.
    attachments: Option<Vec<OutgoingEmailAttachment>>,
    /// Tracking. Refused with 501 where any of it is asked for.
    tracking: Option<OutEmailTrack>,
}

/// A file to be sent.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OutgoingEmailAttachment {
    /// Shown within the HTML body, which refers to its `contentId`.
    inline: Option<bool>,
    /// File name.
    name: Option<String>,
    /// `type/subtype`.
    mime_type: Option<String>,
    /// `Content-ID`, with or without angle brackets.
    content_id: Option<String>,
    /// The octets in base64: in either alphabet, with or without padding and line breaks.
    #[schema(value_type = Option<String>, format = "base64")]
    content: Option<ContentNumber>,
}

/// Stands for the content of an attachment, which was put aside.
#[derive(Clone, Copy, Debug, Deserialize)]
struct ContentNumber(usize);

/// A header field to be sent.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub(crate) struct OutgoingHeader {
    /// Field name.
    name: Option<String>,
    /// Field value.
    value: Option<String>,
}

/// The fields of a form with a message.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it is there for the document: forms are read field by field"
)]
pub(crate) struct OutgoingForm {
    /// The message, as JSON.
    message: OutgoingEmail,
    /// Files to be attached. One with a `Content-ID` is inline.
    #[schema(value_type = Option<Vec<String>>, format = Binary)]
    attachments: Option<Vec<Vec<u8>>>,
    /// Files that are shown within the HTML body.
    #[schema(value_type = Option<Vec<String>>, format = Binary)]
    inline: Option<Vec<Vec<u8>>>,
}

/// What came with a message.
#[derive(Debug)]
pub(crate) struct Enclosed {
    /// Files beside its JSON.
    pub(crate) files: Vec<FilePart>,
    /// Contents, by number.
    pub(crate) contents: Vec<AttachmentContent>,
    /// Holds the files that contents are in.
    pub(crate) holds: Held,
}

impl From<OutgoingEmailReply> for OutgoingEmail {
    fn from(reply: OutgoingEmailReply) -> Self {
        Self {
            from: reply.from,
            subject: reply.subject,
            body: reply.body,
            to: reply.to,
            cc: reply.cc,
            bcc: reply.bcc,
            reply_to: reply.reply_to,
            x_headers: reply.x_headers,
            attachments: reply.attachments,
            tracking: reply.tracking,
            ..Self::default()
        }
    }
}

impl OutgoingEmail {
    /// As the operations take it.
    pub(crate) fn into_message(
        self,
        enclosed: Enclosed,
        body_type: Option<BodyType>,
    ) -> ApiResult<NewMessage> {
        self.tracking.unwrap_or_default().refuse()?;
        let Enclosed {
            files,
            contents,
            holds,
        } = enclosed;
        let named = self.attachments.unwrap_or_default();
        let mut attachments = Vec::with_capacity(named.len() + files.len());
        for (index, attachment) in named.into_iter().enumerate() {
            let content = attachment.content(index, &contents)?;
            attachments.push(attachment.with(content));
        }
        for file in files {
            let content = contents.get(file.content).cloned();
            let content = content.ok_or_else(ApiError::internal)?;
            attachments.push(OutgoingAttachment {
                name: file.name,
                mime_type: file.mime_type,
                inline: file.inline,
                content_id: file.content_id,
                content,
            });
        }
        let body = match body_type.unwrap_or(BodyType::Html) {
            BodyType::Html => Body {
                html: self.body,
                text: None,
            },
            BodyType::Text => Body {
                html: None,
                text: self.body,
            },
        };
        Ok(NewMessage {
            from: written(self.from),
            reply_to: self
                .reply_to
                .into_iter()
                .flatten()
                .filter_map(|a| written(Some(a)))
                .collect(),
            to: addresses(self.to),
            cc: addresses(self.cc),
            bcc: addresses(self.bcc),
            subject: self.subject,
            body,
            attachments,
            headers: headers("xHeaders", self.x_headers)?,
            list_headers: headers("listHeaders", self.list_headers)?,
            in_reply_to: self.in_reply_to.filter(|id| !id.trim().is_empty()),
            references: self.references.filter(|ids| !ids.trim().is_empty()),
            keywords: self.keywords.unwrap_or_default(),
            holds,
        })
    }
}

impl OutgoingEmailAttachment {
    fn content(
        &self,
        index: usize,
        contents: &[AttachmentContent],
    ) -> ApiResult<AttachmentContent> {
        let Some(ContentNumber(number)) = self.content else {
            let message = format!("attachments[{index}].content is required");
            return Err(ApiError::bad_request(message));
        };
        contents.get(number).cloned().ok_or_else(ApiError::internal)
    }

    fn with(self, content: AttachmentContent) -> OutgoingAttachment {
        OutgoingAttachment {
            name: self.name,
            mime_type: self.mime_type,
            inline: self.inline.unwrap_or(false),
            content_id: self.content_id,
            content,
        }
    }
}

fn addresses(all: Option<Vec<EmailAddress>>) -> Vec<Address> {
    all.into_iter().flatten().map(Address::from).collect()
}

/// Clients write an address without a word for none at all.
fn written(address: Option<EmailAddress>) -> Option<Address> {
    let is_empty = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().is_empty();
    address
        .map(Address::from)
        .filter(|address| !(is_empty(&address.name) && is_empty(&address.address)))
}

fn headers(field: &str, all: Option<Vec<OutgoingHeader>>) -> ApiResult<Vec<Header>> {
    let all = all.into_iter().flatten().enumerate();
    all.map(|(index, header)| {
        let name = header
            .name
            .ok_or_else(|| ApiError::bad_request(format!("{field}[{index}].name is required")))?;
        let value = header.value.unwrap_or_default();
        Ok(Header { name, value })
    })
    .collect()
}

#[cfg(test)]
mod tests;
