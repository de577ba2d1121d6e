use std::path::PathBuf;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Address, Body, Header, Timestamp};

/// A message to be sent or kept as a draft, as it was asked for: nothing in it has been checked.
///
/// Together with the files it names it is all that the composed octets depend on: composing it again,
/// after a restart too, gives the same ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingMessage {
    /// `Message-ID`, with angle brackets: the gateway's own.
    pub message_id: String,
    /// `Date`, to the second.
    pub date: Timestamp,
    /// `From`. `None`: not chosen yet, which only a draft may leave open.
    pub from: Option<Address>,
    /// `Reply-To`.
    pub reply_to: Vec<Address>,
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// Recipients that the others are not told of.
    pub bcc: Vec<Address>,
    /// `Subject`.
    pub subject: Option<String>,
    /// The text, as plain text, HTML or both. Of HTML alone a plain text is made.
    pub body: Body,
    /// Files, in the order shown.
    pub attachments: Vec<OutgoingAttachment>,
    /// Further header fields.
    pub headers: Vec<Header>,
    /// Fields named `List-…` (RFC 2369, RFC 8058).
    pub list_headers: Vec<Header>,
    /// `In-Reply-To`: one id.
    pub in_reply_to: Option<String>,
    /// `References`: ids in order, the first of the thread first.
    pub references: Vec<String>,
}

/// A file within a message to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingAttachment {
    /// File name as it is to be shown.
    pub name: Option<String>,
    /// `type/subtype` and parameters, if any. `None`: bytes of no known kind.
    pub mime_type: Option<String>,
    /// Shown within the HTML body, which refers to its `content_id`.
    pub inline: bool,
    /// `Content-ID`, with or without angle brackets.
    pub content_id: Option<String>,
    /// The bytes.
    pub content: AttachmentContent,
}

/// Where the bytes of an attachment are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttachmentContent {
    /// In memory.
    Memory(Bytes),
    /// In a file that nobody changes until the message is sent or given up.
    Spooled {
        /// The file.
        path: PathBuf,
        /// Its size in octets.
        size: u64,
    },
}

impl AttachmentContent {
    /// Octets.
    pub fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Spooled { size, .. } => *size,
        }
    }
}
