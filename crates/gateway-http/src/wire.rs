//! The shapes of the wire contract and how they come from the model.
//!
//! Absent values are left out, never `null`; `records` and the array fields of a message are always
//! there.

mod account;
mod address;
mod attachment;
mod body_type;
mod draft;
mod failure;
mod folder;
pub(crate) mod literals;
mod message;
mod outgoing;
mod page;
mod sent;
mod status;
mod sync;
mod tracking;

pub(crate) use account::{AccountSaveResult, AccountsPage, ApiAccountInDto, ApiAccountOutDto};
pub(crate) use attachment::EmailAttachmentContent;
pub(crate) use body_type::BodyType;
pub(crate) use draft::{EmailDraft, EmailDraftResponse};
pub(crate) use failure::ApiRequestFailed;
pub(crate) use folder::{
    EmailFolderCreate, EmailFolderInfo, EmailFolderInfoPage, WellKnownFoldersIn,
    WellKnownFoldersOut,
};
pub(crate) use literals::ServiceKey;
pub(crate) use message::EmailMessage;
pub(crate) use outgoing::{Enclosed, OutgoingEmail, OutgoingEmailReply, OutgoingForm};
pub(crate) use page::EmailMessagesPageNext;
pub(crate) use sent::{EmailDraftSendResponse, EmailSendResponse};
pub(crate) use status::{OkResponse, UpdateMessageStatusData};
pub(crate) use sync::{EmailDeletedPage, EmailMessagesPage, SyncStatus};
pub(crate) use tracking::{DraftSendDetails, OutEmailTrack};
