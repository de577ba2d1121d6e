//! Values as they stand in columns.

use chrono::DateTime;
use email_model::{Classification, DraftId, FolderId, MessageId, ThreadId, Timestamp, digest};
use gateway_store::{MessageRow, SendState, StoreResult};
use serde::{Serialize, de::DeserializeOwned};

use crate::damaged;

/// The highest bit: flipped, the signed order of a column is the unsigned order of ids.
const FLIP: i64 = i64::MIN;

/// A message's id as a column holds it.
pub fn message_id(id: MessageId) -> i64 {
    id.to_i64() ^ FLIP
}

/// The message id that [`message_id`] wrote.
pub fn read_message_id(column: i64) -> MessageId {
    MessageId::from_i64(column ^ FLIP)
}

/// A conversation's id as a column holds it.
pub fn thread_id(id: ThreadId) -> i64 {
    id.to_i64() ^ FLIP
}

/// The conversation id that [`thread_id`] wrote.
pub fn read_thread_id(column: i64) -> ThreadId {
    ThreadId::from_i64(column ^ FLIP)
}

/// A draft's id as a column holds it.
pub fn draft_id(id: DraftId) -> i64 {
    id.to_i64() ^ FLIP
}

/// The draft id that [`draft_id`] wrote.
pub fn read_draft_id(column: i64) -> DraftId {
    DraftId::from_i64(column ^ FLIP)
}

/// How far a send has come, as a column holds it.
pub fn send_state(state: SendState) -> &'static str {
    match state {
        SendState::Queued => "queued",
        SendState::Sending => "sending",
        SendState::Unknown => "unknown",
        SendState::Accepted => "accepted",
        SendState::Sent => "sent",
        SendState::Failed => "failed",
        SendState::Cancelled => "cancelled",
    }
}

/// The state that [`send_state`] wrote.
pub fn read_send_state(column: &str) -> StoreResult<SendState> {
    Ok(match column {
        "queued" => SendState::Queued,
        "sending" => SendState::Sending,
        "unknown" => SendState::Unknown,
        "accepted" => SendState::Accepted,
        "sent" => SendState::Sent,
        "failed" => SendState::Failed,
        "cancelled" => SendState::Cancelled,
        _ => return Err(damaged("a send in an unknown state")),
    })
}

/// A time as a column holds it: milliseconds since 1970.
pub fn time(time: Timestamp) -> i64 {
    time.timestamp_millis()
}

/// The time that [`time`] wrote.
pub fn read_time(column: i64) -> StoreResult<Timestamp> {
    DateTime::from_timestamp_millis(column).ok_or_else(|| damaged("a time out of range"))
}

/// Folder ids one after the other, 8 bytes each.
pub fn folders(folders: &[FolderId]) -> Vec<u8> {
    folders.iter().flat_map(|id| id.0.to_be_bytes()).collect()
}

/// The folders that [`folders`] wrote.
pub fn read_folders(column: &[u8]) -> StoreResult<Vec<FolderId>> {
    let (ids, rest) = column.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(damaged("a list of folders of odd length"));
    }
    Ok(ids
        .iter()
        .map(|id| FolderId(u64::from_be_bytes(*id)))
        .collect())
}

/// What the index on Message-IDs holds of one: short, and compared in full afterwards.
pub fn message_id_hash(message_id: &str) -> i32 {
    let [a, b, c, d, ..] = digest("message-id", &[message_id.as_bytes()]).0;
    i32::from_be_bytes([a, b, c, d])
}

/// A value as JSON text, in which control characters, NUL included, are escaped.
pub fn json<T: Serialize + ?Sized>(value: &T) -> StoreResult<String> {
    serde_json::to_string(value).map_err(damaged)
}

/// The value that [`json`] wrote.
pub fn read_json<T: DeserializeOwned>(column: &str) -> StoreResult<T> {
    serde_json::from_str(column).map_err(damaged)
}

/// Text that was written as bytes.
pub fn read_text(column: Vec<u8>) -> StoreResult<String> {
    String::from_utf8(column).map_err(damaged)
}

fn bit(classification: Classification) -> i16 {
    match classification {
        Classification::Personal => 1,
        Classification::Social => 2,
        Classification::Promotions => 4,
        Classification::Updates => 8,
        Classification::Forums => 16,
    }
}

/// Classifications as bits; NULL for none.
fn classifications(classifications: &[Classification]) -> Option<i16> {
    let bits = classifications.iter().fold(0, |bits, &one| bits | bit(one));
    (bits != 0).then_some(bits)
}

/// The classifications that a message's column holds, sorted.
pub fn read_classifications(column: Option<i16>) -> Vec<Classification> {
    let bits = column.unwrap_or(0);
    [
        Classification::Personal,
        Classification::Social,
        Classification::Promotions,
        Classification::Updates,
        Classification::Forums,
    ]
    .into_iter()
    .filter(|&one| bits & bit(one) != 0)
    .collect()
}

/// The columns of a message, but for the journal's number.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is the column of its name")]
pub struct MessageColumns<'a> {
    pub id: i64,
    pub digest: &'a [u8],
    pub thread: Option<i64>,
    pub thread_provisional: bool,
    pub received_at: Option<i64>,
    pub flags: Option<i16>,
    pub keywords: Option<String>,
    pub classifications: Option<i16>,
    pub folders: Vec<u8>,
    pub message_id: Option<&'a [u8]>,
    pub message_id_hash: Option<i32>,
    pub seq: i64,
    pub born: Option<i64>,
    pub discovery: i64,
    pub orphaned: Option<i64>,
    pub gone: bool,
    pub envelope: Option<&'a [u8]>,
}

impl<'a> MessageColumns<'a> {
    /// The columns of this message.
    pub fn of(row: &'a MessageRow) -> StoreResult<Self> {
        let labels = row.labels.as_ref();
        let keywords = labels.map_or(&[][..], |labels| &labels.keywords);
        Ok(Self {
            id: message_id(row.id),
            digest: &row.digest.0,
            thread: row.thread.map(thread_id),
            thread_provisional: row.thread_provisional,
            received_at: row.received_at.map(time),
            flags: labels.map(|labels| i16::from_ne_bytes(labels.flags.bits().to_ne_bytes())),
            keywords: match keywords {
                [] => None,
                keywords => Some(json(keywords)?),
            },
            classifications: labels.and_then(|labels| classifications(&labels.classifications)),
            folders: folders(&row.folders),
            message_id: row.message_id.as_deref().map(str::as_bytes),
            message_id_hash: row.message_id.as_deref().map(message_id_hash),
            seq: row.seq.0,
            born: (row.born.0 != 0).then_some(row.born.0),
            discovery: row.discovery,
            orphaned: row.orphaned,
            gone: row.gone,
            envelope: row.envelope.as_deref(),
        })
    }
}
