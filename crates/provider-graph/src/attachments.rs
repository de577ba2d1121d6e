//! The three kinds of attachments: files, items of the mailbox, links into the cloud.
//! <https://learn.microsoft.com/graph/api/resources/attachment>

use email_model::PartId;
use email_provider::{Call, ProviderResult};

use crate::{
    api::Prefer,
    error,
    ids::{AttachmentId, ItemId},
    mailbox::Mailbox,
    names, wanted,
    wire::{Attachment, Page},
};

/// Most pages of a message's attachments.
const MOST_PAGES: usize = 20;

/// Whether it is a link, which has no bytes.
fn is_link(attachment: &Attachment) -> bool {
    is_kind(attachment, "referenceAttachment")
}

fn is_kind(attachment: &Attachment, kind: &str) -> bool {
    attachment
        .kind
        .as_deref()
        .is_some_and(|told| told.ends_with(kind))
}

/// Its media type. An item is given as a message, whatever it is in the mailbox.
pub(crate) fn mime_type(attachment: &Attachment) -> String {
    let told = attachment.content_type.as_deref().unwrap_or_default();
    let told = told.split(';').next().unwrap_or_default().trim();
    let told = told.to_ascii_lowercase();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"/-+._".contains(&byte);
    let is_type = told.len() <= 127
        && told.bytes().all(is_token)
        && told.split('/').filter(|half| !half.is_empty()).count() == 2;
    match is_type {
        true => told,
        false if is_kind(attachment, "itemAttachment") => "message/rfc822".to_owned(),
        false => "application/octet-stream".to_owned(),
    }
}

/// The attachments of a message.
pub(crate) async fn ids(
    mailbox: &Mailbox,
    call: Call,
    message: &ItemId,
) -> ProviderResult<Vec<AttachmentId>> {
    let mut ids = Vec::new();
    let mut next = Some(names::attachments(message).with("$select", "id"));
    for _ in 0..MOST_PAGES {
        let Some(address) = next else { break };
        let page: Page<Attachment> = mailbox.api.read(call, address, Prefer::default()).await?;
        let known = page.value.iter();
        ids.extend(known.filter_map(|attachment| AttachmentId::parse(&attachment.id)));
        let link = page.next_link.map(|link| mailbox.api.link(&link));
        next = link.transpose()?;
    }
    Ok(ids)
}

/// The attachment that is a part.
///
/// # Errors
/// `NotFound` where there is none, `Unsupported` for a link.
pub(crate) async fn find(
    mailbox: &Mailbox,
    call: Call,
    message: &ItemId,
    part: &PartId,
) -> ProviderResult<AttachmentId> {
    let first = names::attachments(message).with("$select", wanted::ATTACHMENT);
    let mut next = Some(first);
    for _ in 0..MOST_PAGES {
        let Some(address) = next else { break };
        let page: Page<Attachment> = mailbox.api.read(call, address, Prefer::default()).await?;
        let found = page.value.iter().find_map(|attachment| {
            let id = AttachmentId::parse(&attachment.id)?;
            (id.part() == *part).then_some((attachment, id))
        });
        match found {
            Some((attachment, _)) if is_link(attachment) => {
                return Err(error::unsupported(
                    "reading what a link in a message leads to",
                ));
            }
            Some((_, id)) => return Ok(id),
            None => {
                next = page
                    .next_link
                    .map(|link| mailbox.api.link(&link))
                    .transpose()?
            }
        }
    }
    Err(error::no_part())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_a_message_and_what_is_no_type_is_bytes() {
        let told = |kind: &str, content_type: Option<&str>| {
            mime_type(&Attachment {
                kind: Some(format!("#microsoft.graph.{kind}")),
                content_type: content_type.map(str::to_owned),
                ..Attachment::default()
            })
        };
        assert_eq!(told("itemAttachment", None), "message/rfc822");
        assert_eq!(
            told("fileAttachment", Some("Image/PNG; name=x")),
            "image/png"
        );
        for odd in [
            None,
            Some(""),
            Some("png"),
            Some("a/b/c"),
            Some("a /b"),
            Some("a/\r\nb"),
        ] {
            assert_eq!(
                told("fileAttachment", odd),
                "application/octet-stream",
                "{odd:?}"
            );
        }
    }
}
