//! Sending, replying, drafts.
//!
//! Every send is a row of the outbox, written before anything is handed over ([`delivery`]). What is left to be
//! done about a row, because its time has come or because a process died, is done by whichever process claims
//! it ([`clerk`]). A send whose answer is missing is looked for and never handed over again ([`settling`]).

mod answers;
mod clerk;
mod compose;
mod delivery;
mod draft_sends;
mod drafts;
mod filing;
mod kept_drafts;
mod lease;
mod messages;
mod octets;
mod parents;
mod record;
mod scheduled;
mod settling;

use std::{any::Any, fmt, sync::Arc};

use email_model::{
    Address, Body, DraftId, Header, MessageId, OutgoingAttachment, ThreadId, Timestamp,
};

use crate::MessageView;

pub(crate) use clerk::Clerk;

/// A message as a client writes it. Nothing in it has been checked.
#[derive(Clone, Debug, Default)]
pub struct NewMessage {
    /// `From`; `None`: the mailbox's own address.
    pub from: Option<Address>,
    /// `Reply-To`.
    pub reply_to: Vec<Address>,
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// `Bcc`.
    pub bcc: Vec<Address>,
    /// `Subject`. A reply without one gets that of what it answers.
    pub subject: Option<String>,
    /// The text.
    pub body: Body,
    /// Files.
    pub attachments: Vec<OutgoingAttachment>,
    /// Further header fields.
    pub headers: Vec<Header>,
    /// `List-…` fields.
    pub list_headers: Vec<Header>,
    /// `In-Reply-To`. Empty for replies, which know it.
    pub in_reply_to: Option<String>,
    /// `References`, as the header has it.
    pub references: Option<String>,
    /// Keywords that the sender's copy gets.
    pub keywords: Vec<String>,
    /// Held until the message is no longer needed, such as the files that its attachments are in.
    pub holds: Held,
}

/// Something that is let go of when the last one who needs it is done.
#[derive(Clone, Default)]
pub struct Held(pub Option<Arc<dyn Any + Send + Sync>>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

/// A send that is done once, however often it is asked for with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key: 1 to 255 printable ASCII characters.
    pub key: String,
    /// SHA-256 of what is asked for: path, query and body.
    pub request: [u8; 32],
}

/// How to send.
#[derive(Clone, Debug, Default)]
pub struct SendOptions {
    /// Tell ids of the sent message, and wait for them.
    pub return_ids: bool,
    /// Once.
    pub idempotency: Option<Idempotency>,
}

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// The message went out.
    Sent(SentView),
    /// It will at this time.
    Scheduled {
        /// When.
        at: Timestamp,
    },
}

/// A message that went out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentView {
    /// Its id, where asked for.
    pub id: Option<MessageId>,
    /// Its conversation, where asked for.
    pub thread: Option<ThreadId>,
    /// Its `Message-ID`, with angle brackets.
    pub submitted_message_id: Option<String>,
    /// Later steps that failed.
    pub failed_steps: Vec<FailedStep>,
    /// What went wrong after it went out, recipients that were refused among it.
    pub error_message: Option<String>,
}

/// A step after a message went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailedStep {
    /// Its copy did not get its keywords.
    Keywords,
    /// Its ids are not known.
    ReturnIds,
}

/// A draft, as making and changing one is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedDraft {
    /// Its id.
    pub id: DraftId,
    /// Where people find it in a browser.
    pub web_link: Option<String>,
}

/// A draft as it is now.
#[derive(Clone, Debug)]
pub struct DraftView {
    /// Its id.
    pub id: DraftId,
    /// The message that it is.
    pub message: MessageView,
    /// When it will be sent, or what became of that.
    pub scheduled: Option<ScheduledSend>,
}

/// A scheduled send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledSend {
    /// The number of its job.
    pub job: i64,
    /// When.
    pub send_time: Timestamp,
    /// How far it has come.
    pub status: ScheduledStatus,
    /// Why it failed.
    pub error_message: Option<String>,
}

/// How far a scheduled send has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScheduledStatus {
    /// Waits for its time, or for what became of it.
    Scheduled,
    /// Went out.
    Sent,
    /// Did not go out.
    Failed,
}
