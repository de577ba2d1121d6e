use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use email_model::{DraftId, MessageId, Timestamp};

use crate::{AccountId, StoreResult};

/// A draft that was made or changed through the gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct DraftRow {
    /// Its id, for as long as it is a draft.
    pub id: DraftId,
    /// The message that it is; a message is one draft at most.
    pub message: MessageId,
    /// Raised by one with every write of this row: what [`Outbox::write_draft`] compares.
    pub version: i64,
    /// The backend's name for it, its Message-ID …: the operations' own JSON.
    pub record: serde_json::Value,
}

/// A send, scheduled ones included, for life. The public number of its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendId(pub i64);

/// How far a send has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendState {
    /// Nothing has been handed over.
    Queued,
    /// Being handed over: a process that dies now leaves it unknown.
    Sending,
    /// Handed over, the answer is missing: it is looked for, never sent again.
    Unknown,
    /// Accepted by the backend; something is left to be done in the mailbox.
    Accepted,
    /// Accepted, and done with.
    Sent,
    /// Nobody gets it.
    Failed,
    /// Called off before anything was handed over.
    Cancelled,
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct SendRow {
    /// Its id within the account: random, given by the operations.
    pub id: SendId,
    /// Whose it is.
    pub account: AccountId,
    /// SHA-256 of the caller's idempotency key; an account has one send of a key.
    pub key: Option<[u8; 32]>,
    /// SHA-256 of what was asked for: another request with the same key is refused.
    pub request: [u8; 32],
    /// The draft that is sent, where it is one.
    pub draft: Option<DraftId>,
    /// How far it has come.
    pub state: SendState,
    /// When something is to be done about it next, by whichever process; `None`: it is at its end.
    pub due_at: Option<Timestamp>,
    /// The process that does something about it now.
    pub holder: Option<String>,
    /// Until when it counts as alive, unless it prolongs that; without it not at all.
    pub held_until: Option<Timestamp>,
    /// Raised by one with every claim and write of this row: what [`Outbox::write_send`] compares.
    pub version: i64,
    /// Message-ID, outcome …: the operations' own JSON.
    pub record: serde_json::Value,
    /// What is sent, sealed for (`send`, id, `content`), while it may be needed again.
    pub content: Option<Vec<u8>>,
    /// The time that it is for, to the millisecond: when it was asked for, or when it is to be sent.
    pub created_at: Timestamp,
}

/// What became of a send that was to be opened.
#[derive(Clone, Debug, PartialEq)]
pub enum OpenedSend {
    /// It is in the outbox now.
    New,
    /// The account has a send of this key: here it is, nothing was written.
    Existing(Box<SendRow>),
}

/// A process that looks for something to do.
#[derive(Clone, Debug)]
pub struct ClaimSends {
    /// Who asks: unique to this process.
    pub holder: String,
    /// Now.
    pub now: Timestamp,
    /// For how long it takes what it gets.
    pub lasts: Duration,
    /// Most rows wanted.
    pub limit: u32,
}

/// A process that goes on with a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProlongSend {
    /// Whose it is.
    pub account: AccountId,
    /// Which.
    pub id: SendId,
    /// The version at which this process has it.
    pub version: i64,
    /// Now.
    pub now: Timestamp,
    /// Until when it counts as alive.
    pub until: Timestamp,
}

/// What the gateway keeps of drafts and of what it sends. Every call is atomic and durable when it returns.
#[async_trait]
pub trait Outbox: Send + Sync + Debug {
    // ---- drafts

    /// Keeps a draft. `Exists` where the id is taken or the message is another draft; `NotFound` where the
    /// account is not there.
    async fn insert_draft(&self, account: AccountId, draft: &DraftRow) -> StoreResult<()>;

    /// A draft.
    async fn draft(&self, account: AccountId, id: DraftId) -> StoreResult<Option<DraftRow>>;

    /// The draft that is this message.
    async fn draft_of_message(
        &self,
        account: AccountId,
        message: MessageId,
    ) -> StoreResult<Option<DraftRow>>;

    /// Replaces a draft's row if it still has this version, and raises it. False: it has not, or it is gone;
    /// nothing was written. `Exists` where the message is another draft.
    async fn write_draft(&self, account: AccountId, draft: &DraftRow) -> StoreResult<bool>;

    /// Forgets a draft. False: there was none.
    async fn remove_draft(&self, account: AccountId, id: DraftId) -> StoreResult<bool>;

    // ---- sends

    /// Puts a send into the outbox, unless the account has one of its key. `Exists` where the id is taken;
    /// `NotFound` where the account is not there.
    async fn open_send(&self, send: &SendRow) -> StoreResult<OpenedSend>;

    /// A send.
    async fn send(&self, account: AccountId, id: SendId) -> StoreResult<Option<SendRow>>;

    /// The send of this key.
    async fn send_of_key(&self, account: AccountId, key: &[u8; 32])
    -> StoreResult<Option<SendRow>>;

    /// The send of a draft that was opened last.
    async fn send_of_draft(
        &self,
        account: AccountId,
        draft: DraftId,
    ) -> StoreResult<Option<SendRow>>;

    /// Replaces state, times, holder, record and content of a send if it still has this version, and raises it.
    /// False: it has not, or it is gone; nothing was written. A content that stays the same is not written
    /// again.
    async fn write_send(&self, send: &SendRow) -> StoreResult<bool>;

    /// Takes sends whose time has come and that nobody alive holds, the longest due first, and raises their
    /// versions. No send is given to two, nor twice to one. They come with their contents: ask for few.
    async fn claim_sends(&self, claim: &ClaimSends) -> StoreResult<Vec<SendRow>>;

    /// Prolongs the time for which a send of this version is held. The version stays. False: the time has passed,
    /// or somebody else has written or taken it, or it was given back; nothing was written, and whoever asked
    /// no longer has it.
    async fn prolong_send(&self, prolong: &ProlongSend) -> StoreResult<bool>;

    /// Gives back every send that this holder has, so that it may be taken at once. Their versions stay: what
    /// the holder still writes counts until somebody takes them.
    async fn release_sends(&self, holder: &str) -> StoreResult<()>;

    /// When the next send is due, or a held one may be taken over.
    async fn next_due_send(&self) -> StoreResult<Option<Timestamp>>;

    /// Forgets sends that are at their end and were for a time before this one; at most `limit`. With the last
    /// send of a draft that went out by it, the draft is forgotten. How many sends.
    async fn forget_sends(&self, before: Timestamp, limit: u32) -> StoreResult<u64>;
}
