//! A store whose process dies at a chosen write.

use std::future::{Future, pending};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use email_model::{DraftId, EntryKey, MessageId, ThreadId, Timestamp};
use futures::stream::BoxStream;
use gateway_store::{
    AccessTokenHash, Account, AccountFilter, AccountId, AccountPage, Application, ApplicationId,
    ClaimSends, CodeHash, Commit, CredentialState, DraftRow, EntryRow, FolderRow, GrantRow,
    Journal, Lease, LeaseRequest, LoadRequest, Loaded, MessageRow, NewJournal, OpenedSend, Outbox,
    PendingSignIn, ProlongSend, Redeemed, ScopeNumber, ScopeRow, SendId, SendRow, Seq, StateHash,
    Store, StoreResult, Stream, TableSize,
};
use tokio::sync::Notify;

/// When the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The write never happens.
    BeforeItIsDone,
    /// It happened, and who asked for it never hears.
    AfterItIsDone,
}

/// A store that counts the writes to it. After the last one of its life no call on it ever returns.
#[derive(Debug)]
pub struct Dying {
    inner: Arc<dyn Store>,
    last: u64,
    way: Way,
    writes: AtomicU64,
    is_dead: AtomicBool,
    death: Notify,
    last_words: Mutex<Option<&'static str>>,
}

impl Dying {
    /// Dies at this write, counted from 1; at 0 never.
    pub fn new(inner: Arc<dyn Store>, last: u64, way: Way) -> Self {
        Self {
            inner,
            last,
            way,
            writes: AtomicU64::new(0),
            is_dead: AtomicBool::new(false),
            death: Notify::new(),
            last_words: Mutex::default(),
        }
    }

    /// Waits for its end; tells which operation it was.
    pub async fn death(&self) -> &'static str {
        self.death.notified().await;
        let words = self
            .last_words
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        words.unwrap_or("?")
    }

    async fn live(&self) {
        if self.is_dead.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
    }

    async fn read<T>(&self, work: impl Future<Output = T> + Send) -> T {
        self.live().await;
        let done = work.await;
        self.live().await;
        done
    }

    async fn write<T>(&self, name: &'static str, work: impl Future<Output = T> + Send) -> T {
        self.live().await;
        let number = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        if number != self.last {
            let done = work.await;
            self.live().await;
            return done;
        }
        if self.way == Way::AfterItIsDone {
            drop(work.await);
        }
        *self
            .last_words
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(name);
        self.is_dead.store(true, Ordering::SeqCst);
        self.death.notify_one();
        pending().await
    }
}

macro_rules! dying {
    (
        $trait:ident
        reads { $(fn $read:ident($($with:ident: $of:ty),*) -> $read_result:ty;)* }
        writes { $(fn $write:ident($($given:ident: $kind:ty),*) -> $write_result:ty;)* }
        rest { $($rest:tt)* }
    ) => {
        #[async_trait]
        impl $trait for Dying {
            $(async fn $read(&self, $($with: $of),*) -> $read_result {
                self.read(self.inner.$read($($with),*)).await
            })*
            $(async fn $write(&self, $($given: $kind),*) -> $write_result {
                self.write(stringify!($write), self.inner.$write($($given),*)).await
            })*
            $($rest)*
        }
    };
}

dying! {
    Store
    reads {
        fn ping() -> StoreResult<()>;
        fn setting(name: &str) -> StoreResult<Option<Vec<u8>>>;
        fn holds_sealed() -> StoreResult<bool>;
        fn table_sizes() -> StoreResult<Vec<TableSize>>;
        fn applications() -> StoreResult<Vec<Application>>;
        fn application(client_id: &str) -> StoreResult<Option<Application>>;
        fn account(account: AccountId) -> StoreResult<Option<Account>>;
        fn accounts(application: ApplicationId, filter: &AccountFilter) -> StoreResult<AccountPage>;
        fn find_accounts(
            application: ApplicationId, email: Option<&str>, mailbox: Option<&str>
        ) -> StoreResult<Vec<Account>>;
        fn accounts_at(
            kind: &str, mailbox: Option<&str>, email: Option<&str>, limit: u32
        ) -> StoreResult<Vec<AccountId>>;
        fn synchronised_accounts(after: AccountId, limit: u32) -> StoreResult<Vec<AccountId>>;
        fn account_of_token(hash: &AccessTokenHash) -> StoreResult<Option<Account>>;
        fn grant(account: AccountId) -> StoreResult<Option<GrantRow>>;
        fn sign_in(state: &StateHash, now: Timestamp) -> StoreResult<Option<PendingSignIn>>;
        fn journal(account: AccountId) -> StoreResult<Option<Journal>>;
        fn scopes(account: AccountId) -> StoreResult<Vec<ScopeRow>>;
        fn folders(account: AccountId) -> StoreResult<Vec<FolderRow>>;
        fn load(account: AccountId, request: &LoadRequest) -> StoreResult<Loaded>;
        fn message(account: AccountId, id: MessageId) -> StoreResult<Option<(MessageRow, Vec<EntryRow>)>>;
        fn thread(account: AccountId, thread: ThreadId, limit: u32) -> StoreResult<Vec<MessageRow>>;
        fn scope_entries(
            account: AccountId, scope: ScopeNumber, after: Option<&EntryKey>, limit: u32
        ) -> StoreResult<Vec<EntryRow>>;
        fn count_entries(account: AccountId, scope: ScopeNumber) -> StoreResult<u64>;
        fn walk(
            account: AccountId, after: i64, upto: Seq, since: Option<Timestamp>, limit: u32
        ) -> StoreResult<Vec<MessageRow>>;
        fn changes(
            account: AccountId, stream: Stream, after: Seq, upto: Seq, limit: u32
        ) -> StoreResult<Vec<MessageRow>>;
        fn orphans(
            account: AccountId, before_tick: i64, after: Option<MessageId>, limit: u32
        ) -> StoreResult<Vec<MessageRow>>;
        fn has_orphans(account: AccountId) -> StoreResult<bool>;
        fn wakes() -> StoreResult<BoxStream<'static, AccountId>>;
    }
    writes {
        fn migrate() -> StoreResult<()>;
        fn init_setting(name: &str, value: &[u8]) -> StoreResult<Vec<u8>>;
        fn put_application(application: &Application) -> StoreResult<Application>;
        fn remove_application(client_id: &str) -> StoreResult<bool>;
        fn insert_account(account: &Account, grant: Option<&[u8]>) -> StoreResult<()>;
        fn update_account(account: &Account) -> StoreResult<()>;
        fn reconnect_account(account: &Account, grant: Option<&[u8]>) -> StoreResult<()>;
        fn set_credentials(account: AccountId, state: &CredentialState) -> StoreResult<()>;
        fn remove_account(account: AccountId) -> StoreResult<bool>;
        fn add_access_token(
            account: AccountId, hash: &AccessTokenHash, now: Timestamp, keep: u32
        ) -> StoreResult<()>;
        fn remove_access_token(hash: &AccessTokenHash) -> StoreResult<bool>;
        fn remove_access_tokens(account: AccountId) -> StoreResult<()>;
        fn hold_grant(request: &LeaseRequest) -> StoreResult<Option<GrantRow>>;
        fn release_grant(account: AccountId, holder: &str) -> StoreResult<()>;
        fn replace_grant(account: AccountId, version: i64, secret: &[u8]) -> StoreResult<bool>;
        fn set_grant_state(account: AccountId, version: i64, state: &CredentialState) -> StoreResult<bool>;
        fn put_sign_in(state: &StateHash, pending: &PendingSignIn, now: Timestamp) -> StoreResult<()>;
        fn take_sign_in(state: &StateHash, now: Timestamp) -> StoreResult<Option<PendingSignIn>>;
        fn put_code(
            code: &CodeHash, account: AccountId, expires_at: Timestamp, now: Timestamp
        ) -> StoreResult<()>;
        fn redeem_code(
            code: &CodeHash, application: ApplicationId, token: &AccessTokenHash, now: Timestamp, keep: u32
        ) -> StoreResult<Redeemed>;
        fn open_journal(account: AccountId, new: &NewJournal) -> StoreResult<Journal>;
        fn reset_journal(account: AccountId, new: &NewJournal) -> StoreResult<Journal>;
        fn commit(account: AccountId, commit: &Commit) -> StoreResult<i64>;
        fn lease(request: &LeaseRequest) -> StoreResult<Option<Lease>>;
        fn release(account: AccountId, holder: &str) -> StoreResult<()>;
        fn wake(account: AccountId) -> StoreResult<()>;
    }
    rest {
        fn is_shared(&self) -> bool {
            self.inner.is_shared()
        }
        async fn close(&self) {
            self.read(self.inner.close()).await
        }
    }
}

dying! {
    Outbox
    reads {
        fn draft(account: AccountId, id: DraftId) -> StoreResult<Option<DraftRow>>;
        fn draft_of_message(account: AccountId, message: MessageId) -> StoreResult<Option<DraftRow>>;
        fn send(account: AccountId, id: SendId) -> StoreResult<Option<SendRow>>;
        fn send_of_key(account: AccountId, key: &[u8; 32]) -> StoreResult<Option<SendRow>>;
        fn send_of_draft(account: AccountId, draft: DraftId) -> StoreResult<Option<SendRow>>;
        fn next_due_send() -> StoreResult<Option<Timestamp>>;
    }
    writes {
        fn insert_draft(account: AccountId, draft: &DraftRow) -> StoreResult<()>;
        fn write_draft(account: AccountId, draft: &DraftRow) -> StoreResult<bool>;
        fn remove_draft(account: AccountId, id: DraftId) -> StoreResult<bool>;
        fn open_send(send: &SendRow) -> StoreResult<OpenedSend>;
        fn write_send(send: &SendRow) -> StoreResult<bool>;
        fn claim_sends(claim: &ClaimSends) -> StoreResult<Vec<SendRow>>;
        fn prolong_send(prolong: &ProlongSend) -> StoreResult<bool>;
        fn release_sends(holder: &str) -> StoreResult<()>;
        fn forget_sends(before: Timestamp, limit: u32) -> StoreResult<u64>;
    }
    rest {}
}
