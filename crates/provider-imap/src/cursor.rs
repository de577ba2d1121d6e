//! Keys, cursors and positions: opaque to the gateway, each with a format byte.

use email_provider::{Cursor, EntryKey, ErrorKind, Position, ProviderError, ProviderResult};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::protocol::UidSet;

/// The key of a message in its mailbox: UIDVALIDITY and UID, big-endian, so that keys sort as UIDs do.
pub(crate) fn entry_key(uid_validity: u32, uid: u32) -> EntryKey {
    EntryKey([uid_validity.to_be_bytes(), uid.to_be_bytes()].concat())
}

/// UIDVALIDITY and UID of a key; `None` for what is no key of ours.
pub(crate) fn read_key(key: &EntryKey) -> Option<(u32, u32)> {
    let (validity, uid) = key.0.split_at_checked(4)?;
    Some((
        u32::from_be_bytes(validity.try_into().ok()?),
        u32::from_be_bytes(uid.try_into().ok()?),
    ))
}

/// How far a mailbox's changes have been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MailboxCursor {
    pub uid_validity: u32,
    pub uid_next: Option<u32>,
    /// HIGHESTMODSEQ, where the mailbox has one.
    pub mod_seq: Option<u64>,
    pub exists: u32,
    /// Where there are no modification sequences: a digest of all UIDs and flags.
    pub digest: Option<[u8; 16]>,
}

const CURSOR_FORMAT: u8 = 1;

impl MailboxCursor {
    pub fn write(&self) -> ProviderResult<Cursor> {
        write(CURSOR_FORMAT, self).map(Cursor)
    }

    /// A cursor of another format is as good as expired.
    pub fn read(cursor: &Cursor) -> ProviderResult<Self> {
        read(CURSOR_FORMAT, &cursor.0).ok_or_else(expired)
    }
}

/// How far a scan has come: what is left of the listing that it began with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScanPosition {
    pub uid_validity: u32,
    /// UIDs still to be read, as ranges.
    pub remaining: Vec<(u32, u32)>,
    /// There are more below this UID, which the ranges leave out for length.
    pub below: Option<u32>,
    pub total: u64,
}

const SCAN_FORMAT: u8 = 1;
/// Ranges kept in a position: at most 10 bytes each.
const MOST_RANGES: usize = 4000;

impl ScanPosition {
    /// The position in a listing, newest first; older ranges beyond what a position may hold are
    /// listed again later.
    pub fn new(uid_validity: u32, remaining: &UidSet, below: Option<u32>, total: u64) -> Self {
        let ranges = remaining.ranges();
        let cut = ranges.len().saturating_sub(MOST_RANGES);
        let kept = &ranges[cut..];
        let below = if cut > 0 {
            kept.first().map(|(first, _)| *first)
        } else {
            below
        };
        Self {
            uid_validity,
            remaining: kept.to_vec(),
            below,
            total,
        }
    }

    pub fn write(&self) -> ProviderResult<Position> {
        write(SCAN_FORMAT, self).map(Position)
    }

    pub fn read(position: &Position) -> ProviderResult<Self> {
        read(SCAN_FORMAT, &position.0).ok_or_else(expired)
    }
}

/// The last result of a search page, in the order of results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SearchPosition {
    /// Time of receipt, seconds since 1970.
    pub received: i64,
    pub folder: String,
    pub uid: u32,
}

const SEARCH_FORMAT: u8 = 1;

impl SearchPosition {
    pub fn write(&self) -> ProviderResult<Position> {
        write(SEARCH_FORMAT, self).map(Position)
    }

    pub fn read(position: &Position) -> ProviderResult<Self> {
        read(SEARCH_FORMAT, &position.0).ok_or_else(expired)
    }
}

pub(crate) fn write(format: u8, value: &impl Serialize) -> ProviderResult<Vec<u8>> {
    let mut bytes = vec![format];
    let body = postcard::to_allocvec(value).map_err(|error| {
        ProviderError::new(ErrorKind::Unexpected, "a cursor cannot be written").with_source(error)
    })?;
    bytes.extend(body);
    Ok(bytes)
}

pub(crate) fn read<T: DeserializeOwned>(format: u8, bytes: &[u8]) -> Option<T> {
    let (first, body) = bytes.split_first()?;
    if *first != format {
        return None;
    }
    postcard::from_bytes(body).ok()
}

pub(crate) fn expired() -> ProviderError {
    ProviderError::new(
        ErrorKind::CursorExpired,
        "the mailbox's UIDs were given anew, or the cursor is of another format",
    )
}
