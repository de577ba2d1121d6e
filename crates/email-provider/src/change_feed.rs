use std::fmt;

use email_model::{
    Cursor, Digest128, EntryKey, Envelope, FolderKey, Labels, ScopeKey, Timestamp, digest,
};
use serde::{Deserialize, Serialize};

use crate::Folder;

/// Where the backend finds a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageRef {
    /// The scope that holds it.
    pub scope: ScopeKey,
    /// Its key there.
    pub key: EntryKey,
}

/// How far a listing has been read. Opaque; first byte is a format number; at most 64 KiB. Good for
/// a continuation days later or on another machine: a position that has become meaningless answers
/// `CursorExpired`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(pub Vec<u8>);

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({} bytes)", self.0.len())
    }
}

/// By what a message is recognised wherever it turns up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The backend's id of the message, the same in every folder and after every move.
    Native(String),
    /// No such id: a digest of what does not change (Message-ID or, without one, Date, From, To and
    /// Subject; with the internal date and the size).
    Content(Digest128),
}

impl Identity {
    /// Canonical bytes, never equal for two kinds.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Native(id) => [b"n", id.as_bytes()].concat(),
            Self::Content(digest) => [b"c", digest.0.as_slice()].concat(),
        }
    }

    /// The content identity of a message that has no native one.
    pub fn from_content(envelope: &Envelope) -> Self {
        let mut parts: Vec<Vec<u8>> = Vec::new();
        match envelope.message_id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => parts.push(id.as_bytes().to_vec()),
            None => {
                let text = |part: Option<String>| part.unwrap_or_default().into_bytes();
                parts.push(Vec::new());
                parts.push(text(envelope.sent_at.map(|t| t.timestamp().to_string())));
                parts.push(text(envelope.from.as_ref().and_then(|a| a.address.clone())));
                parts.push(text(envelope.to.first().and_then(|a| a.address.clone())));
                parts.push(text(envelope.subject.clone()));
            }
        }
        let received = envelope.received_at.map_or(0, |t| t.timestamp());
        parts.push(received.to_be_bytes().to_vec());
        parts.push(envelope.size.unwrap_or(0).to_be_bytes().to_vec());
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        Self::Content(digest("polypost.identity.1", &parts))
    }
}

/// What is known of a message's conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThreadHint {
    /// The backend's conversation id.
    Native(String),
    /// Derive it: the gateway applies the rule of References to the envelope.
    Derive,
}

/// An entry's changeable state, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryState {
    /// Flags, keywords, classifications.
    pub labels: Labels,
    /// Every folder or label it is in; on folder backends exactly one.
    pub folders: Vec<FolderKey>,
}

/// A message as a listing or a change feed tells of it. `None` is "not told here", never "empty".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key in the scope.
    pub key: EntryKey,
    /// Its state now.
    pub state: Option<EntryState>,
    /// When the mailbox got it.
    pub received_at: Option<Timestamp>,
    /// Who it is. Where it is not told, the gateway reads the entry before it commits it.
    pub identity: Option<Identity>,
    /// Its conversation.
    pub thread: Option<ThreadHint>,
    /// Its envelope, where it came at no extra cost.
    pub envelope: Option<Envelope>,
    /// Its content may be another one than before under the same key and identity: a draft on a backend that
    /// changes drafts in place. What was known of its content is dropped, and it counts as changed.
    pub revised: bool,
}

/// The answer to "what is there, and what has moved?".
#[derive(Clone, Debug)]
pub struct Survey {
    /// Every folder, as [`crate::EmailProvider::folders`] gives them.
    pub folders: Vec<Folder>,
    /// Every scope.
    pub scopes: Vec<ScopeState>,
}

/// A scope in a [`Survey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeState {
    /// The scope.
    pub key: ScopeKey,
    /// False only if the backend proves that nothing changed since the cursor that was handed in.
    pub moved: bool,
    /// Messages in it, where the survey tells at no cost.
    pub count: Option<u64>,
}

/// Which part of a scope a scan covers, by the time of receipt. Both bounds may be widened by the
/// backend to what it can select by (a day), never narrowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanWindow {
    /// Received at this time or later.
    pub since: Option<Timestamp>,
    /// Received before this time.
    pub before: Option<Timestamp>,
}

/// What a scan is to tell of each entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanDetail {
    /// Keys, and state where cheap: to compare with what is known.
    Keys,
    /// Whatever a list shows: identity, dates, envelope where the backend gives them in bulk.
    Envelopes,
}

/// What to scan.
#[derive(Clone, Copy, Debug)]
pub struct ScanRequest<'a> {
    /// Which entries.
    pub window: ScanWindow,
    /// How much of each.
    pub detail: ScanDetail,
    /// Where the last page ended.
    pub position: Option<&'a Position>,
    /// Most entries wanted; a page of [`ScanDetail::Keys`] may hold more where that makes the
    /// listing one response.
    pub limit: usize,
}

/// A page of a scan, newest first where the backend can.
#[derive(Clone, Debug)]
pub struct ScanPage {
    /// The entries; may be none while there are more pages.
    pub entries: Vec<Entry>,
    /// What comes after.
    pub next: ScanNext,
    /// Entries in the whole scan, where known: for progress.
    pub total: Option<u64>,
}

/// How a scan goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanNext {
    /// Ask again with this position.
    More(Position),
    /// All told.
    Done {
        /// The first cursor, where only the end of the enumeration yields one and `begin` gave none.
        cursor: Option<Cursor>,
        /// This page alone was one complete, counted listing: what it does not name is gone.
        proof: bool,
    },
}

/// A page of changes.
#[derive(Clone, Debug)]
pub struct ChangePage {
    /// New and changed entries, oldest change first; the last of several for one key wins.
    pub entries: Vec<Entry>,
    /// What is no longer there.
    pub removed: Removed,
    /// What comes after.
    pub next: ChangeNext,
}

/// How a change feed tells of removals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// These keys are gone. May name keys never known.
    Vanished(Vec<EntryKey>),
    /// All and only these keys are there: a complete, counted listing.
    Listing(Vec<EntryKey>),
}

/// How a change feed goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeNext {
    /// There are more changes after this cursor.
    More(Cursor),
    /// That was all for now.
    CaughtUp(Cursor),
}
