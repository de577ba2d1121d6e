use std::{any::Any, fmt, sync::Arc};

use email_model::Timestamp;
use futures::future::BoxFuture;
use gateway_store::{
    Account, AccountId, Application, ApplicationId, Commit, Journal, Store, StoreResult,
};

use crate::samples;

/// How a case ends: a panic or an error is a failure.
pub type Outcome = StoreResult<()>;

/// Opens the store at a location, without migrating it.
pub type Opener = fn(String) -> BoxFuture<'static, Arc<dyn Store>>;

/// A place for a store: empty at first, its own for each test.
pub struct Fixture {
    location: String,
    opener: Opener,
    _guard: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fixture({})", self.location)
    }
}

impl Fixture {
    /// A fixture whose place is there for as long as `guard` is.
    pub fn new(location: String, opener: Opener, guard: impl Any + Send + Sync) -> Self {
        Self {
            location,
            opener,
            _guard: Box::new(guard),
        }
    }

    /// What the opener takes.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The store, opened once more: what another process would hold.
    pub async fn open(&self) -> Arc<dyn Store> {
        (self.opener)(self.location.clone()).await
    }

    /// The store with its schema.
    pub async fn ready(&self) -> StoreResult<Arc<dyn Store>> {
        let store = self.open().await;
        store.migrate().await?;
        Ok(store)
    }

    /// The store with an account whose journal is open.
    pub(crate) async fn mailbox(&self) -> StoreResult<Mailbox> {
        let store = self.ready().await?;
        Mailbox::create(store, 7).await
    }
}

/// The application that owns the accounts of most cases.
pub(crate) async fn owner(store: &dyn Store) -> StoreResult<ApplicationId> {
    Ok(store.put_application(&samples::application(1)).await?.id)
}

/// Another application.
pub(crate) async fn other_owner(store: &dyn Store) -> StoreResult<Application> {
    store.put_application(&samples::application(2)).await
}

/// An account of an application, inserted.
pub(crate) async fn account(
    store: &dyn Store,
    owner: ApplicationId,
    id: i64,
) -> StoreResult<Account> {
    let account = samples::account(owner, id);
    store.insert_account(&account, None).await?;
    Ok(account)
}

/// An account with an open journal.
#[derive(Clone)]
pub(crate) struct Mailbox {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) account: AccountId,
}

impl Mailbox {
    pub(crate) async fn create(store: Arc<dyn Store>, id: i64) -> StoreResult<Self> {
        let owner = owner(&*store).await?;
        let account = account(&*store, owner, id).await?.id;
        store.open_journal(account, &samples::journal(id)).await?;
        Ok(Self { store, account })
    }

    pub(crate) async fn journal(&self) -> StoreResult<Journal> {
        let journal = self.store.journal(self.account).await?;
        Ok(journal.expect("the journal is there"))
    }

    /// Commits on whatever revision there is.
    pub(crate) async fn commit(&self, commit: Commit) -> StoreResult<i64> {
        let revision = self.journal().await?.revision;
        let commit = Commit { revision, ..commit };
        self.store.commit(self.account, &commit).await
    }
}

/// A moment, in milliseconds since 1970.
pub(crate) fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(milliseconds).expect("a time in range")
}
