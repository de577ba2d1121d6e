//! How much is asked of a message: <https://learn.microsoft.com/graph/query-parameters>.
//!
//! The size of a message has no name in the API: it is asked for as the store's own property.

use email_provider::Detail;

use crate::address::Address;

/// Octets of the message (`PidTagMessageSize`, MS-OXPROPS 2.799).
pub(crate) const SIZE: u32 = 0x0E08;

/// Where it is.
const PLACE: &str = "id,parentFolderId";
/// What can change about it.
const STATE: &str = "id,parentFolderId,isRead,isDraft,flag,categories,changeKey";
/// What is needed to keep a list of keys.
const KEYS: &str = "id,parentFolderId,isRead,isDraft,flag,categories,conversationId,receivedDateTime,\
    lastModifiedDateTime,changeKey";
/// What a list shows. Header fields are told only when they are asked for by name.
const ENVELOPE: &str = "id,parentFolderId,isRead,isDraft,flag,categories,conversationId,receivedDateTime,\
    lastModifiedDateTime,changeKey,subject,from,toRecipients,ccRecipients,bccRecipients,replyTo,\
    sentDateTime,internetMessageId,internetMessageHeaders,bodyPreview,hasAttachments";
/// All that with the text.
const CONTENT: &str = "id,parentFolderId,isRead,isDraft,flag,categories,conversationId,receivedDateTime,\
    lastModifiedDateTime,changeKey,subject,from,toRecipients,ccRecipients,bccRecipients,replyTo,\
    sentDateTime,internetMessageId,internetMessageHeaders,bodyPreview,hasAttachments,body";
/// What a query is held against.
const SEARCHED: &str = "id,parentFolderId,isRead,isDraft,flag,categories,receivedDateTime,subject,from,\
    toRecipients,ccRecipients,bccRecipients,internetMessageId,hasAttachments";
/// The text alone.
const TEXT: &str = "id,parentFolderId,body";
/// Attachments without their bytes.
pub(crate) const ATTACHMENT: &str = "id,name,contentType,size,isInline,microsoft.graph.fileAttachment/contentId,\
    microsoft.graph.fileAttachment/contentLocation";
/// A folder.
pub(crate) const FOLDER: &str =
    "id,displayName,parentFolderId,childFolderCount,totalItemCount,isHidden";

/// The size.
fn size() -> String {
    format!("singleValueExtendedProperties($filter=id eq 'Integer 0x{SIZE:04X}')")
}

/// Size and attachments.
fn beside() -> String {
    format!("{},attachments($select={ATTACHMENT})", size())
}

/// A message, so far as a detail needs it.
pub(crate) fn of(message: Address, detail: Detail) -> Address {
    match detail {
        Detail::Exists => message.with("$select", PLACE),
        Detail::State => message.with("$select", STATE),
        Detail::Envelope => envelope(message),
        Detail::Content => message.with("$select", CONTENT).with("$expand", &beside()),
    }
}

/// Messages as a list shows them.
pub(crate) fn envelope(messages: Address) -> Address {
    messages
        .with("$select", ENVELOPE)
        .with("$expand", &beside())
}

/// Messages as they are compared.
pub(crate) fn keys(messages: Address) -> Address {
    messages.with("$select", KEYS)
}

/// Messages as they are held against a query.
pub(crate) fn searched(messages: Address, needs_size: bool) -> Address {
    let messages = messages.with("$select", SEARCHED);
    match needs_size {
        true => messages.with("$expand", &size()),
        false => messages,
    }
}

/// A message's text alone.
pub(crate) fn text(message: Address) -> Address {
    message.with("$select", TEXT)
}
