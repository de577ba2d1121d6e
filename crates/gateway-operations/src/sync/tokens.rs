//! Sync tokens: short, opaque, sealed with the journal's own key, so that rotating the gateway's key
//! never touches them.
//!
//! A token is base64url of `format (1) · epoch (8) · sealed`. The epoch stands in the clear so that a
//! token of another journal is told from an altered one; it is authenticated with the rest.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use email_model::{BodyType, Timestamp};
use gateway_store::{Journal, Seq, Stream, sealing::Place};
use serde::{Deserialize, Serialize};

use crate::{OperationError, OperationErrorKind, OperationResult, journal::JournalHandle};

const FORMAT: u8 = 1;
/// Longer than any token we make.
const LONGEST: usize = 512;

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

fn place(row: &str) -> Place<'_> {
    Place {
        table: "journal",
        row,
        column: "sync-token",
    }
}

impl SyncToken {
    /// The token's text.
    pub fn write(&self, handle: &JournalHandle) -> OperationResult<String> {
        let failed = || OperationError::internal("a token could not be made");
        let plain = postcard::to_allocvec(self).map_err(|_| failed())?;
        let row = format!("{} {}", handle.account, handle.epoch);
        let sealed = handle
            .sealer
            .seal(place(&row), &plain)
            .map_err(|_| failed())?;
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&handle.epoch.to_be_bytes());
        bytes.extend_from_slice(&sealed);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a token of this journal.
    pub fn read(text: &str, handle: &JournalHandle) -> OperationResult<Self> {
        let (epoch, sealed) = split(text).ok_or_else(not_valid)?;
        if epoch != handle.epoch {
            return Err(expired(
                "this token is not of this account's journal: start a new sync",
            ));
        }
        let row = format!("{} {}", handle.account, handle.epoch);
        let plain = handle
            .sealer
            .open(place(&row), &sealed)
            .map_err(|_| not_valid())?;
        postcard::from_bytes(&plain).map_err(|_| not_valid())
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

/// Splits a token's text; pure, total, for any input.
fn split(text: &str) -> Option<(i64, Vec<u8>)> {
    if text.len() > LONGEST {
        return None;
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (header, sealed) = bytes.split_at_checked(9)?;
    if header[0] != FORMAT {
        return None;
    }
    let mut epoch = [0; 8];
    epoch.copy_from_slice(&header[1..]);
    Some((i64::from_be_bytes(epoch), sealed.to_vec()))
}

fn not_valid() -> OperationError {
    OperationError::new(
        OperationErrorKind::TokenNotValid,
        "the token is malformed or was altered",
    )
}

fn expired(message: &str) -> OperationError {
    OperationError::new(OperationErrorKind::SyncTokenExpired, message)
}

/// The gateway's database was restored from a backup older than the token: what the client was told
/// since may name messages that this journal never heard of.
fn undone() -> OperationError {
    expired("the gateway was restored from a backup older than this token: start a new sync")
}
