//! What the gateway keeps, as a few dozen atomic operations, and how secrets among it are sealed.
//!
//! The logic lives once, in `gateway-operations`; a store only reads rows and writes them, each
//! [`Store`] call atomically. The pattern for anything that changes a mailbox's journal is: load the
//! affected rows together with the journal's revision, compute, [`Store::commit`]; a commit whose
//! revision is no longer the journal's changes nothing and answers [`StoreError::Conflict`].

mod account;
mod error;
mod grant;
mod journal;
mod outbox;
pub mod sealing;
mod sign_in;
mod store;

pub use account::{
    AccessTokenHash, Account, AccountFilter, AccountId, AccountPage, Application, ApplicationId,
    CredentialState, TokenStatus,
};
pub use error::{StoreError, StoreResult};
pub use grant::GrantRow;
pub use journal::{
    Commit, EntryRow, ExpectedMessage, FolderRow, Journal, JournalRecord, Lineage, LoadRequest,
    Loaded, MessageRow, NewJournal, ScopeNumber, ScopeRow, ScopeWrite, Seq, Stream,
};
pub use outbox::{
    ClaimSends, DraftRow, OpenedSend, Outbox, ProlongSend, SendId, SendRow, SendState,
};
pub use sign_in::{CodeHash, PendingSignIn, Redeemed, StateHash};
pub use store::{Lease, LeaseRequest, Store, TableSize};
