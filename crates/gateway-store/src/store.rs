use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use email_model::{EntryKey, MessageId, ThreadId, Timestamp};
use futures::stream::BoxStream;

use crate::{
    AccessTokenHash, Account, AccountFilter, AccountId, AccountPage, Application, ApplicationId,
    CodeHash, Commit, CredentialState, EntryRow, FolderRow, GrantRow, Journal, LoadRequest, Loaded,
    MessageRow, NewJournal, Outbox, PendingSignIn, Redeemed, ScopeNumber, ScopeRow, Seq, StateHash,
    StoreResult, Stream,
};

/// A lease asked for.
#[derive(Clone, Debug)]
pub struct LeaseRequest {
    /// Whose mailbox.
    pub account: AccountId,
    /// Who asks: unique to this process.
    pub holder: String,
    /// Now.
    pub now: Timestamp,
    /// For how long.
    pub lasts: Duration,
}

/// A lease granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Until when.
    pub until: Timestamp,
}

/// Bytes that a table or index takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// Bytes on disk.
    pub bytes: u64,
}

/// What the gateway keeps. Every call is atomic and durable when it returns; all but those on
/// applications, tokens and sign-ins name the account first and never touch another one's rows.
#[async_trait]
pub trait Store: Outbox {
    // ---- the store itself

    /// Brings the schema up to date, under a lock: two processes may call it at once.
    async fn migrate(&self) -> StoreResult<()>;

    /// Answers while the database does.
    async fn ping(&self) -> StoreResult<()>;

    /// A value kept for the whole store, by name: the sealing check value.
    async fn setting(&self, name: &str) -> StoreResult<Option<Vec<u8>>>;

    /// Keeps a setting if none of this name is there; returns the one that is there afterwards.
    async fn init_setting(&self, name: &str, value: &[u8]) -> StoreResult<Vec<u8>>;

    /// Whether anything sealed is kept besides the check value.
    async fn holds_sealed(&self) -> StoreResult<bool>;

    /// Sizes of tables and indexes, where the database tells.
    async fn table_sizes(&self) -> StoreResult<Vec<TableSize>>;

    // ---- applications

    /// Inserts the application, or updates the one with its client id in all but number and beginning;
    /// returns it as stored.
    async fn put_application(&self, application: &Application) -> StoreResult<Application>;

    /// All applications, by client id.
    async fn applications(&self) -> StoreResult<Vec<Application>>;

    /// The application with this client id.
    async fn application(&self, client_id: &str) -> StoreResult<Option<Application>>;

    /// Removes an application, its accounts and all that is kept of them. False: there was none.
    async fn remove_application(&self, client_id: &str) -> StoreResult<bool>;

    // ---- accounts

    /// Inserts an account, with its sealed grant if it is connected by OAuth. `Exists` where the id is taken.
    async fn insert_account(&self, account: &Account, grant: Option<&[u8]>) -> StoreResult<()>;

    /// Replaces all of an account but `id`, `application`, `created_at` and its grant. `NotFound` where there
    /// is none.
    async fn update_account(&self, account: &Account) -> StoreResult<()>;

    /// The same, and the grant with it: replaced, or removed where none is given. Who holds the old one
    /// loses it.
    async fn reconnect_account(&self, account: &Account, grant: Option<&[u8]>) -> StoreResult<()>;

    /// Notes the state of the credentials. Dead ones stay dead until the account is updated.
    async fn set_credentials(&self, account: AccountId, state: &CredentialState)
    -> StoreResult<()>;

    /// An account.
    async fn account(&self, account: AccountId) -> StoreResult<Option<Account>>;

    /// Accounts of an application.
    async fn accounts(
        &self,
        application: ApplicationId,
        filter: &AccountFilter,
    ) -> StoreResult<AccountPage>;

    /// Accounts of an application with this address (case-insensitively) or mailbox.
    async fn find_accounts(
        &self,
        application: ApplicationId,
        email: Option<&str>,
        mailbox: Option<&str>,
    ) -> StoreResult<Vec<Account>>;

    /// Accounts of any application and of this kind with this mailbox or this address
    /// (case-insensitively), by id.
    async fn accounts_at(
        &self,
        kind: &str,
        mailbox: Option<&str>,
        email: Option<&str>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>>;

    /// Active accounts whose journal synchronises, after this id, by id.
    async fn synchronised_accounts(
        &self,
        after: AccountId,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>>;

    /// Removes an account and all that is kept of it. False: there was none.
    async fn remove_account(&self, account: AccountId) -> StoreResult<bool>;

    /// Adds an account token and removes the oldest beyond `keep`.
    async fn add_access_token(
        &self,
        account: AccountId,
        hash: &AccessTokenHash,
        now: Timestamp,
        keep: u32,
    ) -> StoreResult<()>;

    /// The account of a token.
    async fn account_of_token(&self, hash: &AccessTokenHash) -> StoreResult<Option<Account>>;

    /// Removes one token. False: there was none.
    async fn remove_access_token(&self, hash: &AccessTokenHash) -> StoreResult<bool>;

    /// Removes all tokens of an account.
    async fn remove_access_tokens(&self, account: AccountId) -> StoreResult<()>;

    // ---- grants

    /// An account's grant.
    async fn grant(&self, account: AccountId) -> StoreResult<Option<GrantRow>>;

    /// Takes an account's grant to refresh it, or keeps it longer; returns it as it is then. `None`: another
    /// holder has it and its time has not run out. `NotFound` where there is no grant.
    async fn hold_grant(&self, request: &LeaseRequest) -> StoreResult<Option<GrantRow>>;

    /// Gives a grant back. Harmless if another holder has it.
    async fn release_grant(&self, account: AccountId, holder: &str) -> StoreResult<()>;

    /// Replaces the grant if it still has this version, and gives it back. False: it has not, or it is
    /// gone; nothing was written.
    async fn replace_grant(
        &self,
        account: AccountId,
        version: i64,
        secret: &[u8],
    ) -> StoreResult<bool>;

    /// Notes the state of the credentials if the grant still has this version. False: it has not, or it is
    /// gone; nothing was written.
    async fn set_grant_state(
        &self,
        account: AccountId,
        version: i64,
        state: &CredentialState,
    ) -> StoreResult<bool>;

    // ---- sign-ins in the browser

    /// Keeps a sign-in that has begun, and removes those that ended before `now`.
    async fn put_sign_in(
        &self,
        state: &StateHash,
        pending: &PendingSignIn,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// A sign-in that has begun and has not run out.
    async fn sign_in(
        &self,
        state: &StateHash,
        now: Timestamp,
    ) -> StoreResult<Option<PendingSignIn>>;

    /// Removes a sign-in and returns it, to one caller only. `None` where there is none or it has run out.
    async fn take_sign_in(
        &self,
        state: &StateHash,
        now: Timestamp,
    ) -> StoreResult<Option<PendingSignIn>>;

    /// Keeps a code that can be exchanged for a token of this account, and removes those that ended before
    /// `now`.
    async fn put_code(
        &self,
        code: &CodeHash,
        account: AccountId,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// Exchanges a code of this application for this token, once: as [`Store::add_access_token`]. A code that
    /// comes again ends the token that it gave.
    async fn redeem_code(
        &self,
        code: &CodeHash,
        application: ApplicationId,
        token: &AccessTokenHash,
        now: Timestamp,
        keep: u32,
    ) -> StoreResult<Redeemed>;

    // ---- journal: reading

    /// The journal, if there is one.
    async fn journal(&self, account: AccountId) -> StoreResult<Option<Journal>>;

    /// Opens a journal if there is none (head, horizon, tick, revision, discovered 0); returns the
    /// one that is there afterwards. `NotFound` where the account is not there.
    async fn open_journal(&self, account: AccountId, new: &NewJournal) -> StoreResult<Journal>;

    /// Forgets everything of a journal (messages, entries, scopes, folders) and opens a new one.
    async fn reset_journal(&self, account: AccountId, new: &NewJournal) -> StoreResult<Journal>;

    /// The scopes, by number.
    async fn scopes(&self, account: AccountId) -> StoreResult<Vec<ScopeRow>>;

    /// The folders, in the order in which they were given.
    async fn folders(&self, account: AccountId) -> StoreResult<Vec<FolderRow>>;

    /// The rows that a page affects, in one snapshot. `NotFound` where there is no journal.
    async fn load(&self, account: AccountId, request: &LoadRequest) -> StoreResult<Loaded>;

    /// A message and its entries.
    async fn message(
        &self,
        account: AccountId,
        id: MessageId,
    ) -> StoreResult<Option<(MessageRow, Vec<EntryRow>)>>;

    /// Live messages of a conversation, by time of receipt (unknown first), then id; at most `limit`.
    async fn thread(
        &self,
        account: AccountId,
        thread: ThreadId,
        limit: u32,
    ) -> StoreResult<Vec<MessageRow>>;

    /// A page of a scope's entries in the order of their keys, after this key.
    async fn scope_entries(
        &self,
        account: AccountId,
        scope: ScopeNumber,
        after: Option<&EntryKey>,
        limit: u32,
    ) -> StoreResult<Vec<EntryRow>>;

    /// How many entries a scope has.
    async fn count_entries(&self, account: AccountId, scope: ScopeNumber) -> StoreResult<u64>;

    /// First part of a first walk: live, announced messages with `discovery` > `after` and `seq` ≤
    /// `upto`, received at `since` or later or at an unknown time, by discovery number.
    async fn walk(
        &self,
        account: AccountId,
        after: i64,
        upto: Seq,
        since: Option<Timestamp>,
        limit: u32,
    ) -> StoreResult<Vec<MessageRow>>;

    /// Announced messages of a stream with `after` < `seq` ≤ `upto`, by `seq`.
    async fn changes(
        &self,
        account: AccountId,
        stream: Stream,
        after: Seq,
        upto: Seq,
        limit: u32,
    ) -> StoreResult<Vec<MessageRow>>;

    /// Messages orphaned in a tick before this one, by id, after this id.
    async fn orphans(
        &self,
        account: AccountId,
        before_tick: i64,
        after: Option<MessageId>,
        limit: u32,
    ) -> StoreResult<Vec<MessageRow>>;

    /// Whether any message is orphaned.
    async fn has_orphans(&self, account: AccountId) -> StoreResult<bool>;

    // ---- journal: writing

    /// Writes a change, all of it or nothing. Returns the new revision.
    async fn commit(&self, account: AccountId, commit: &Commit) -> StoreResult<i64>;

    // ---- working together

    /// Whether several processes may serve from this store at once. Where not, the one that serves
    /// takes over every lease of its predecessor.
    fn is_shared(&self) -> bool;

    /// Takes or prolongs the lease on an account's passes and scans. `None`: another holder has it
    /// and it has not run out.
    async fn lease(&self, request: &LeaseRequest) -> StoreResult<Option<Lease>>;

    /// Gives a lease back. Harmless if another holder has it.
    async fn release(&self, account: AccountId, holder: &str) -> StoreResult<()>;

    /// Tells every process on this store that there is something to do for an account: a pass is
    /// wanted, a tick was finished, an account was added, changed or removed.
    async fn wake(&self, account: AccountId) -> StoreResult<()>;

    /// What other processes and this one told by `wake`. Hints: some may be lost.
    async fn wakes(&self) -> StoreResult<BoxStream<'static, AccountId>>;

    /// Ends the connections.
    async fn close(&self);
}
