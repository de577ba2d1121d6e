//! The uniform mail model: what every backend's mail looks like to the rest of the gateway.
//!
//! No I/O and no vendor's name. Times are UTC; text is Unicode; ids are the gateway's own
//! ([`MessageId`], [`ThreadId`], [`FolderId`]) or a backend's opaque keys (in `email-provider`).

mod address;
mod backend_keys;
mod digest;
mod flags;
mod folder;
mod ids;
mod message;
mod outgoing;
pub mod query;

pub use address::Address;
pub use backend_keys::{Cursor, EntryKey, ScopeKey};
pub use digest::{Digest128, digest};
pub use flags::{Classification, Flags, Labels};
pub use folder::{FolderKey, FolderKind, FolderRole};
pub use ids::{DraftId, FolderId, IdError, MessageId, PartId, ThreadId};
pub use message::{
    Attachment, Body, BodyType, Content, Envelope, Header, MeetingMethod, Sensitivity,
};
pub use outgoing::{AttachmentContent, OutgoingAttachment, OutgoingMessage};
pub use query::MessageQuery;

/// A moment in UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
