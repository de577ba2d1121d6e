//! The sync feed: start, pages, tokens, and the passes and scans that feed the journal.

mod owed;
mod pages;
mod pass;
mod read_ahead;
mod rescan;
mod retention;
mod scan;
pub(crate) mod scope_state;
mod start;
mod supervisor;
mod tokens;
mod work;

pub(crate) use supervisor::Supervisor;
pub use tokens::TokenSeal;

use chrono::{DateTime, Utc};
use email_model::{BodyType, FolderId, MessageId};

use crate::messages::MessageView;

/// A sync to be started.
#[derive(Clone, Copy, Debug, Default)]
pub struct StartSync {
    /// Messages received within so many days; `None`: all.
    pub days_within: Option<u32>,
    /// Pages carry bodies of this type.
    pub body_type: Option<BodyType>,
    /// Wait until it is ready.
    pub await_ready: bool,
}

/// A started sync.
#[derive(Clone, Debug)]
pub struct SyncStarted {
    /// The window has been scanned: the tokens can be used.
    pub ready: bool,
    /// Start token of the updated stream.
    pub updated_token: String,
    /// Start token of the deleted stream.
    pub deleted_token: String,
}

/// A page of a stream asked for. At least one of the tokens is there; the page token wins.
#[derive(Clone, Debug, Default)]
pub struct SyncPageRequest {
    /// Begin a walk.
    pub delta_token: Option<String>,
    /// Go on with a walk.
    pub page_token: Option<String>,
    /// Wins over the token's.
    pub body_type: Option<BodyType>,
    /// Most records wanted, 1 to 500; `None`: 50 with bodies, 200 without.
    pub limit: Option<u32>,
}

/// A page of the updated stream.
#[derive(Clone, Debug)]
pub struct UpdatedPage {
    /// Messages as they are now.
    pub records: Vec<MessageView>,
    /// The walk goes on with this.
    pub next_page_token: Option<String>,
    /// The walk is over; the next one begins with this.
    pub next_delta_token: Option<String>,
    /// Changes before this moment are in the answer.
    pub verified_at: Option<DateTime<Utc>>,
}

/// A removed message.
#[derive(Clone, Debug)]
pub struct DeletedRecord {
    /// Its id.
    pub id: MessageId,
    /// Where it was last.
    pub folder: Option<FolderId>,
    /// Its `Message-ID`, with angle brackets.
    pub message_id: Option<String>,
    /// When its removal was noticed.
    pub noticed_at: DateTime<Utc>,
    /// Of two records for one id the higher wins.
    pub version: i64,
}

/// A page of the deleted stream.
#[derive(Clone, Debug)]
pub struct DeletedPage {
    /// The removals.
    pub records: Vec<DeletedRecord>,
    /// The walk goes on with this.
    pub next_page_token: Option<String>,
    /// The walk is over; the next one begins with this.
    pub next_delta_token: Option<String>,
    /// Changes before this moment are in the answer.
    pub verified_at: Option<DateTime<Utc>>,
}
