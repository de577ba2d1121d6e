use email_model::{
    Cursor, Digest128, EntryKey, FolderId, FolderKey, FolderKind, FolderRole, Labels, MessageId,
    ScopeKey, ThreadId, Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize};

/// A position in the journal: microseconds since 1970 or one more than the last, whichever is greater.
///
/// [`Seq::UNANNOUNCED`]: known, not announced. [`Seq::FIRST_SCAN`]: found by the mailbox's first scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seq(pub i64);

impl Seq {
    /// Given an id by a list, search or read; no change feed or scan has told of it yet.
    pub const UNANNOUNCED: Self = Self(-1);
    /// Found by a first scan.
    pub const FIRST_SCAN: Self = Self(0);

    /// Whether the journal has told clients of it.
    pub fn is_announced(self) -> bool {
        self.0 >= 0
    }
}

/// A stretch of the journal that one process wrote, so that a token from a future that a restored
/// backup undid is recognised: it names a tag, and a position within that tag's stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// Random.
    pub tag: u32,
    /// The head when the stretch began.
    pub from: Seq,
    /// When it began.
    pub began_at: Timestamp,
}

/// What the operations keep about a journal besides the counters. Stored as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JournalRecord {
    /// When the first sync was asked for; `None`: ids are kept, nothing is synchronised.
    pub started_at: Option<Timestamp>,
    /// When every scope was seen for the first time: scopes that appear later announce what they hold.
    pub surveyed_at: Option<Timestamp>,
    /// The widest window asked for: `None` in `Some` is everything.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_if_there"
    )]
    pub window: Option<Option<Timestamp>>,
    /// Start of the last pass that reached the end.
    pub verified_at: Option<Timestamp>,
    /// Start of the last comparison in full of every scope.
    pub inventoried_at: Option<Timestamp>,
    /// Stretches, oldest first, without those that no honoured token can name any more.
    pub lineage: Vec<Lineage>,
    /// The greatest number ever given to a scope: none is given twice.
    pub last_scope: i32,
    /// Messages reported without content that could not be had: to be reported again once it can.
    pub owed: Vec<MessageId>,
    /// Messages that the gateway is putting into another place: drafts that are changed or sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<ExpectedMessage>,
}

/// A message that is about to turn up where the backend does not recognise it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedMessage {
    /// The `Message-ID` that it will have, with angle brackets.
    pub message_id: String,
    /// Which message it is.
    pub id: MessageId,
    /// Until when it is waited for.
    pub until: Timestamp,
}

/// Tells a value that is null from one that is not there.
fn some_if_there<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A journal, and the counters that order it.
#[derive(Clone, Debug, PartialEq)]
pub struct Journal {
    /// Random; tokens of another epoch are not of this journal.
    pub epoch: i64,
    /// The greatest `seq` given.
    pub head: Seq,
    /// The last tombstone that was purged: there is none at or before it.
    pub horizon: Seq,
    /// Number of the last pass begun.
    pub tick: i64,
    /// Raised by every commit: what [`Commit::revision`] is compared with.
    pub revision: i64,
    /// The greatest discovery number given.
    pub discovered: i64,
    /// The journal's random key, sealed for (`journal`, account, `key`).
    pub key: Vec<u8>,
    /// The rest.
    pub record: JournalRecord,
}

/// A journal to be opened.
#[derive(Clone, Debug)]
pub struct NewJournal {
    /// See [`Journal::epoch`].
    pub epoch: i64,
    /// See [`Journal::key`].
    pub key: Vec<u8>,
    /// See [`Journal::record`].
    pub record: JournalRecord,
}

/// A scope's number within its account; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScopeNumber(pub i32);

/// A scope and how far it has been read.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeRow {
    /// Its number.
    pub number: ScopeNumber,
    /// The backend's key.
    pub key: ScopeKey,
    /// The backend's cursor.
    pub cursor: Option<Cursor>,
    /// Raised with every write of this row: what [`ScopeWrite::version`] is compared with.
    pub version: i64,
    /// Progress of scans, failures …: the operations' own text, without NUL. Not JSON's values, which take ten times the
    /// room: every scope of every account that is followed is in memory.
    pub state: String,
}

/// A folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderRow {
    /// The public id.
    pub id: FolderId,
    /// The backend's key.
    pub key: FolderKey,
    /// Last element of the path.
    pub name: String,
    /// The path.
    pub full_name: String,
    /// The folder above.
    pub parent: Option<FolderId>,
    /// What it is for.
    pub role: Option<FolderRole>,
    /// Folder or label.
    pub kind: FolderKind,
    /// Can hold messages.
    pub selectable: bool,
}

/// What the backend holds, by its own key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntryRow {
    /// The scope.
    pub scope: ScopeNumber,
    /// The key there.
    pub key: EntryKey,
    /// Which message it is.
    pub message: MessageId,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// The public id.
    pub id: MessageId,
    /// What the id is the beginning of.
    pub digest: Digest128,
    /// Conversation; `None`: not learned.
    pub thread: Option<ThreadId>,
    /// The conversation was taken from In-Reply-To alone: it becomes the parent's when that arrives.
    pub thread_provisional: bool,
    /// When the mailbox got it, to the millisecond; `None`: not learned.
    pub received_at: Option<Timestamp>,
    /// Flags, keywords, classifications; `None`: not learned.
    pub labels: Option<Labels>,
    /// Where it is; of a removed one, where it was last. Empty: not learned.
    pub folders: Vec<FolderId>,
    /// `Message-ID` with angle brackets; `None`: none or not learned.
    pub message_id: Option<String>,
    /// Its last change.
    pub seq: Seq,
    /// The `seq` that announced it; 0: found by a first scan, or not announced.
    pub born: Seq,
    /// The order in which rows were found, from 1.
    pub discovery: i64,
    /// It lost its last entry in the pass of this tick.
    pub orphaned: Option<i64>,
    /// It is gone from the mailbox: a tombstone.
    pub gone: bool,
    /// The envelope, sealed with the journal's key; `None`: not learned or not kept.
    pub envelope: Option<Vec<u8>>,
}

/// Which rows are affected by a page. All lists may be empty; none longer than 2,000.
#[derive(Clone, Debug, Default)]
pub struct LoadRequest {
    /// Entries by scope and key.
    pub keys: Vec<(ScopeNumber, EntryKey)>,
    /// Messages by id.
    pub ids: Vec<MessageId>,
    /// Messages by Message-ID, gone ones left out; at most 20 for each.
    pub message_ids: Vec<String>,
    /// Messages with a provisional thread that is one of these, gone ones left out; at most 500.
    pub provisional_threads: Vec<ThreadId>,
}

/// What [`Store::load`] found, all of one moment.
///
/// [`Store::load`]: crate::Store::load
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The journal.
    pub journal: Journal,
    /// Every message asked for, by whatever, once.
    pub messages: Vec<MessageRow>,
    /// Every entry of those messages, those asked for by key included.
    pub entries: Vec<EntryRow>,
}

/// A new or changed scope.
#[derive(Clone, Debug)]
pub struct ScopeWrite {
    /// The row as it is to be; its `version` is that of the row as it was read, 0 for a new scope.
    pub row: ScopeRow,
}

/// One atomic change of a journal.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The revision that was loaded; another one: [`crate::StoreError::Conflict`].
    pub revision: i64,
    /// The new head, if it rises.
    pub head: Option<Seq>,
    /// The new discovery counter, if it rises.
    pub discovered: Option<i64>,
    /// The new tick, if it rises.
    pub tick: Option<i64>,
    /// The new horizon, if it rises.
    pub horizon: Option<Seq>,
    /// The new record, if it changes.
    pub record: Option<JournalRecord>,
    /// Scopes to insert (`version` 0) or update; another version than stored: [`crate::StoreError::Fenced`].
    pub scopes: Vec<ScopeWrite>,
    /// Scopes to remove; they hold no entries any more.
    pub scopes_removed: Vec<ScopeNumber>,
    /// All folders, if they change: replaces what was there.
    pub folders: Option<Vec<FolderRow>>,
    /// Messages to insert or replace, whole.
    pub messages: Vec<MessageRow>,
    /// Messages to forget: unannounced ones that disappeared, and purged tombstones.
    pub messages_removed: Vec<MessageId>,
    /// Entries to insert or point to another message.
    pub entries: Vec<EntryRow>,
    /// Entries to remove; those that are not there are passed over.
    pub entries_removed: Vec<(ScopeNumber, EntryKey)>,
}

/// The two streams of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stream {
    /// Live messages.
    Updated,
    /// Tombstones.
    Deleted,
}
