//! Reading and changing messages.

mod attachment;
mod body;
mod content_cache;
mod conversation;
mod fetch;
mod gather;
mod get;
mod list;
mod load;
mod page_token;
mod query;
mod resolve;
mod view;
mod write;

use std::collections::HashMap;

use bytes::Bytes;
use email_model::{
    Attachment, BodyType, Envelope, FolderId, FolderRole, Header, Labels, MessageId, PartId,
    ThreadId,
};
use email_provider::ByteStream;

pub(crate) use content_cache::ContentCache;
pub(crate) use view::folder_of;

/// What a representation did not load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Omitted {
    /// The conversation.
    ThreadId,
    /// The body.
    Body,
    /// The attachment list.
    Attachments,
    /// Addresses, and with them subject and dates of the header.
    Recipients,
    /// Header fields.
    InternetHeaders,
}

/// A message as it is now.
#[derive(Clone, Debug)]
pub struct MessageView {
    /// Its id.
    pub id: MessageId,
    /// Its conversation; else named in `omitted`.
    pub thread: Option<ThreadId>,
    /// Where it is: the first of its folders in the order of the wire contract.
    pub folder: Option<FolderId>,
    /// Roles of its folders.
    pub roles: Vec<FolderRole>,
    /// Flags and keywords; `None`: not known now.
    pub labels: Option<Labels>,
    /// The envelope; `None`: not known now (`omitted` names recipients and attachments).
    pub envelope: Option<Envelope>,
    /// The body in the type asked for.
    pub body: Option<String>,
    /// Header fields, where loaded.
    pub headers: Option<Vec<Header>>,
    /// Bytes of inline attachments, where asked for.
    pub inline_content: HashMap<PartId, Bytes>,
    /// What is not loaded here.
    pub omitted: Vec<Omitted>,
    /// On sync pages: of two records for one id the higher wins.
    pub version: Option<i64>,
}

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// Only this folder.
    pub folder: Option<FolderId>,
    /// The search, as written.
    pub q: Option<String>,
    /// With bodies of this type.
    pub body_type: Option<BodyType>,
    /// Trash and Junk too. `None`: not, unless a folder or an `in:` names them.
    pub include_trash_and_junk: Option<bool>,
    /// Where the last page ended.
    pub page_token: Option<String>,
    /// Most records wanted; `None`: 50 with bodies, 200 without.
    pub limit: Option<u32>,
}

/// A page of messages.
#[derive(Clone, Debug, Default)]
pub struct MessagePage {
    /// The messages.
    pub records: Vec<MessageView>,
    /// More after this.
    pub next_page_token: Option<String>,
}

/// How to read one message.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadRequest {
    /// `None`: HTML.
    pub body_type: Option<BodyType>,
    /// Bytes of inline attachments too.
    pub load_inlines: bool,
    /// Without quoted history.
    pub strip_quoted: bool,
    /// Fail rather than answer without the final conversation.
    pub require_thread_id: bool,
}

/// A change of status. What is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct StatusChange {
    /// Unread or read.
    pub unread: Option<bool>,
    /// Flagged or not.
    pub flagged: Option<bool>,
    /// Into the archive or back into the inbox.
    pub archived: Option<bool>,
    /// The keywords, all of them.
    pub keywords: Option<Vec<String>>,
}

/// An attachment that is being downloaded.
pub struct AttachmentDownload {
    /// What it is.
    pub attachment: Attachment,
    /// Its bytes, or those of the range asked for.
    pub stream: ByteStream,
}
