//! Sync tokens: short, opaque, sealed with the journal's own key, so that rotating the gateway's key
//! never touches them.

mod seal;

pub use self::seal::TokenSeal;

use email_model::{BodyType, Timestamp};
use gateway_store::{Journal, Seq, Stream};
use serde::{Deserialize, Serialize};

use crate::{OperationError, OperationErrorKind, OperationResult, journal::JournalHandle};

/// Where in a walk a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Walk {
    /// First part of a first walk: what was there when the sync began.
    Present {
        /// Discovery number of the last row given.
        after: i64,
        /// The head when the sync began.
        upto: Seq,
        /// Start of the window.
        since: Option<Timestamp>,
    },
    /// Changes.
    Changes {
        /// `seq` of the last row given.
        after: Seq,
        /// The end of this walk; `None`: fixed when it begins.
        upto: Option<Seq>,
    },
}

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SyncToken {
    pub stream: Stream,
    /// Goes on with a walk; else begins one.
    pub is_page: bool,
    pub walk: Walk,
    pub body_type: Option<BodyType>,
    /// Of a start token: the window that must have been scanned before it can be used.
    pub window: Option<Option<Timestamp>>,
    /// Of a page token whose walk has its end: what that end was verified to reach.
    pub verified_at: Option<Timestamp>,
    /// The stretch of the journal in which it was made.
    pub stretch: u32,
}

impl SyncToken {
    /// The token's text.
    pub fn write(&self, handle: &JournalHandle) -> OperationResult<String> {
        let plain = postcard::to_allocvec(self).map_err(|_| not_made())?;
        TokenSeal::of(handle).seal(&plain)
    }

    /// Reads a token of this journal.
    pub fn read(text: &str, handle: &JournalHandle) -> OperationResult<Self> {
        TokenSeal::of(handle).read(text)
    }

    /// Whether the journal still tells what happened after this token.
    pub fn check(&self, journal: &Journal) -> OperationResult<()> {
        let after = match self.walk {
            Walk::Present { upto, .. } => upto,
            Walk::Changes { after, .. } => after,
        };
        if self.stream == Stream::Deleted && after < journal.horizon {
            return Err(expired(
                "this token is older than the removals that are kept: start a new sync",
            ));
        }
        let stretches = &journal.record.lineage;
        let Some(at) = stretches
            .iter()
            .position(|stretch| stretch.tag == self.stretch)
        else {
            return Err(undone());
        };
        match stretches.get(at + 1) {
            Some(next) if after > next.from => Err(undone()),
            _ => Ok(()),
        }
    }
}

/// The stretch that tokens made now belong to.
pub(crate) fn stretch(journal: &Journal) -> u32 {
    journal.record.lineage.last().map_or(0, |last| last.tag)
}

pub(super) fn not_valid() -> OperationError {
    OperationError::new(
        OperationErrorKind::TokenNotValid,
        "the token is malformed or was altered",
    )
}

pub(super) fn not_made() -> OperationError {
    OperationError::internal("a token could not be made")
}

pub(super) fn expired(message: &str) -> OperationError {
    OperationError::new(OperationErrorKind::SyncTokenExpired, message)
}

/// The gateway's database was restored from a backup older than the token: what the client was told
/// since may name messages that this journal never heard of.
fn undone() -> OperationError {
    expired("the gateway was restored from a backup older than this token: start a new sync")
}
