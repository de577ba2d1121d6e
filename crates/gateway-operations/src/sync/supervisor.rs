//! Who does the work: one task an account, woken by clients, by pushes and by the clock; one more
//! while there is something to scan.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use email_model::{EntryKey, Timestamp};
use gateway_store::{Account, AccountId, Journal, ScopeNumber};
use tokio::{
    sync::{Notify, OwnedMutexGuard, Semaphore, watch},
    time::Instant,
};

use super::read_ahead::{PAGES, Turn};

/// What this process knows and does of one account's synchronisation.
pub(crate) struct AccountSync {
    pub account: AccountId,
    /// Passes asked for; a pass serves all that were asked for before it began.
    requested: AtomicU64,
    served: watch::Sender<u64>,
    pub(super) wake: Notify,
    progress: watch::Sender<u64>,
    pub(super) running: AtomicBool,
    pub(super) scanning: AtomicBool,
    scan_wanted: AtomicBool,
    others_wait: AtomicBool,
    pub(super) ahead: Turn,
    repaying: Turn,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    gates: HashMap<ScopeNumber, Arc<tokio::sync::Mutex<()>>>,
    scan_gates: HashMap<ScopeNumber, Arc<tokio::sync::Mutex<()>>>,
    vanished: HashMap<ScopeNumber, HashSet<EntryKey>>,
    verified_at: Option<Timestamp>,
    passed_at: Option<Instant>,
    orphans_since: Option<Timestamp>,
    lease_until: Option<Timestamp>,
    removals_looked_for: Option<Timestamp>,
    counted: HashMap<ScopeNumber, Timestamp>,
    repay_after: Option<Instant>,
}

impl fmt::Debug for AccountSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountSync({})", self.account)
    }
}

impl AccountSync {
    fn new(account: AccountId) -> Self {
        Self {
            account,
            requested: AtomicU64::new(0),
            served: watch::Sender::new(0),
            wake: Notify::new(),
            progress: watch::Sender::new(0),
            running: AtomicBool::new(false),
            scanning: AtomicBool::new(false),
            scan_wanted: AtomicBool::new(false),
            others_wait: AtomicBool::new(false),
            ahead: Turn::default(),
            repaying: Turn::default(),
            state: Mutex::default(),
        }
    }

    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks for a pass that begins after this call; returns its number.
    pub fn request_pass(&self) -> u64 {
        let number = self.requested.fetch_add(1, Ordering::SeqCst) + 1;
        self.wake.notify_one();
        number
    }

    /// The requests that a pass beginning now serves.
    pub(super) fn requests(&self) -> u64 {
        self.requested.load(Ordering::SeqCst)
    }

    pub(super) fn served(&self, upto: u64) {
        self.served.send_replace(upto);
    }

    /// Waits until a pass has served this request, well or badly.
    pub async fn wait_served(&self, request: u64) {
        let mut served = self.served.subscribe();
        // The sender lives as long as `self`.
        let _ = served.wait_for(|upto| *upto >= request).await;
    }

    /// Tells of every committed page of a scan.
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.progress.subscribe()
    }

    pub(super) fn made_progress(&self) {
        self.progress.send_modify(|count| *count += 1);
    }

    pub(super) fn want_scan(&self) {
        self.scan_wanted.store(true, Ordering::SeqCst);
    }

    pub(super) fn take_scan_wanted(&self) -> bool {
        self.scan_wanted.swap(false, Ordering::SeqCst)
    }

    /// Guards a scope's change feed.
    pub(super) fn gate(&self, scope: ScopeNumber) -> Arc<tokio::sync::Mutex<()>> {
        self.state(|state| Arc::clone(state.gates.entry(scope).or_default()))
    }

    /// Guards a scope's first scan.
    pub(super) fn scan_gate(&self, scope: ScopeNumber) -> Arc<tokio::sync::Mutex<()>> {
        self.state(|state| Arc::clone(state.scan_gates.entry(scope).or_default()))
    }

    pub(super) fn begin_vanish_log(&self, scope: ScopeNumber) {
        self.state(|state| state.vanished.insert(scope, HashSet::new()));
    }

    pub(super) fn end_vanish_log(&self, scope: ScopeNumber) {
        self.state(|state| state.vanished.remove(&scope));
    }

    /// Notes keys that the feed calls gone, for a scan that may have listed them before.
    pub(super) fn note_vanished(&self, scope: ScopeNumber, keys: &[EntryKey]) {
        self.state(|state| {
            if let Some(log) = state.vanished.get_mut(&scope) {
                log.extend(keys.iter().cloned());
            }
        });
    }

    pub(super) fn vanish_log(&self, scope: ScopeNumber) -> HashSet<EntryKey> {
        self.state(|state| state.vanished.get(&scope).cloned().unwrap_or_default())
    }

    pub(super) fn orphans_settled(&self) {
        self.state(|state| state.orphans_since = None);
    }

    /// For how long orphans have been waiting for a scope that cannot be read.
    pub(super) fn orphans_wait(&self, now: Timestamp) -> chrono::Duration {
        self.state(|state| now - *state.orphans_since.get_or_insert(now))
    }

    /// Another process waits for the end of the next pass.
    pub(super) fn tell_others(&self) {
        self.others_wait.store(true, Ordering::SeqCst);
    }

    pub(super) fn take_tell_others(&self) -> bool {
        self.others_wait.swap(false, Ordering::SeqCst)
    }

    pub(super) fn passed(&self, began: Instant) {
        self.state(|state| state.passed_at = Some(began));
    }

    pub(super) fn verified(&self, at: Timestamp) {
        self.state(|state| state.verified_at = Some(at));
    }

    /// Start of the last pass of this process that reached the end.
    pub fn verified_at(&self) -> Option<Timestamp> {
        self.state(|state| state.verified_at)
    }

    /// Whether the last pass began less than this ago.
    pub fn passed_within(&self, bound: Duration) -> bool {
        self.state(|state| state.passed_at.is_some_and(|began| began.elapsed() < bound))
    }

    /// Whether the last look for old removals is so long ago; this is then the next one.
    pub(super) fn may_look_for_removals(&self, now: Timestamp, every: chrono::Duration) -> bool {
        self.state(|state| {
            let last = state.removals_looked_for;
            let may = last.is_none_or(|last| now.signed_duration_since(last) >= every);
            if may {
                state.removals_looked_for = Some(now);
            }
            may
        })
    }

    pub(super) fn may_count(
        &self,
        scope: ScopeNumber,
        now: Timestamp,
        every: chrono::Duration,
    ) -> bool {
        self.state(|state| {
            let last = state.counted.get(&scope);
            let may = last.is_none_or(|last| now.signed_duration_since(*last) >= every);
            if may {
                state.counted.insert(scope, now);
            }
            may
        })
    }

    /// Held while what is owed is looked for; `None` if somebody does, or it is too early for another try.
    pub(super) fn may_repay(&self) -> Option<OwnedMutexGuard<()>> {
        let is_early = |state: &mut State| state.repay_after.is_some_and(|at| Instant::now() < at);
        if self.state(is_early) {
            return None;
        }
        Arc::clone(&self.repaying).try_lock_owned().ok()
    }

    pub(super) fn repay_later(&self, wait: Duration) {
        self.state(|state| state.repay_after = Some(Instant::now() + wait));
    }

    pub(super) fn lease_until(&self) -> Option<Timestamp> {
        self.state(|state| state.lease_until)
    }

    pub(super) fn set_lease(&self, until: Option<Timestamp>) {
        self.state(|state| state.lease_until = until);
    }
}

/// The accounts that this process synchronises.
#[derive(Debug)]
pub(crate) struct Supervisor {
    accounts: Mutex<HashMap<AccountId, Arc<AccountSync>>>,
    /// Scans and rescans that may run at once.
    pub(super) background: Arc<Semaphore>,
    /// Pages that may be read ahead at once.
    pub(super) reading_ahead: Arc<Semaphore>,
}

impl Supervisor {
    pub fn new(background_jobs: usize) -> Self {
        Self {
            accounts: Mutex::default(),
            background: Arc::new(Semaphore::new(background_jobs.max(1))),
            reading_ahead: Arc::new(Semaphore::new(PAGES)),
        }
    }

    pub fn account(&self, account: AccountId) -> Arc<AccountSync> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            accounts
                .entry(account)
                .or_insert_with(|| Arc::new(AccountSync::new(account))),
        )
    }

    pub fn known(&self, account: AccountId) -> Option<Arc<AccountSync>> {
        self.accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&account)
            .cloned()
    }

    pub fn forget(&self, account: AccountId) -> Option<Arc<AccountSync>> {
        self.accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&account)
    }

    /// Whether this is still the account's: not after it was removed.
    pub fn holds(&self, sync: &Arc<AccountSync>) -> bool {
        self.known(sync.account)
            .is_some_and(|known| Arc::ptr_eq(&known, sync))
    }
}

impl crate::Gateway {
    pub(crate) fn sync_of(&self, account: AccountId) -> Arc<AccountSync> {
        self.inner.supervisor.account(account)
    }

    /// Start of the last pass that reached the end, by this process or another.
    pub(crate) fn verified_at(&self, account: AccountId, journal: &Journal) -> Option<Timestamp> {
        let here = self
            .inner
            .supervisor
            .known(account)
            .and_then(|sync| sync.verified_at());
        here.max(journal.record.verified_at)
    }

    /// Waits for a pass that begins after this call, at most for the configured time.
    pub(crate) async fn fresh_pass(&self, account: &Account) -> crate::OperationResult<()> {
        self.synchronise(account.id).await;
        let sync = self.sync_of(account.id);
        let request = sync.request_pass();
        let _ = tokio::time::timeout(self.inner.config.pass_wait, sync.wait_served(request)).await;
        Ok(())
    }

    /// Asks for a pass after a write of ours, wherever the account's passes run.
    pub(crate) fn hint_pass(&self, account: AccountId) {
        if let Some(sync) = self.inner.supervisor.known(account)
            && sync.running.load(Ordering::SeqCst)
            && sync.lease_until().is_some()
        {
            sync.request_pass();
            return;
        }
        let gateway = self.clone();
        self.inner.tasks.spawn(async move {
            if let Err(error) = gateway.inner.store.wake(account).await {
                tracing::debug!(%error, "a pass could not be asked for");
            }
        });
    }

    /// Ends what this process does for an account.
    pub(crate) async fn forget_account(&self, account: AccountId) {
        if let Some(sync) = self.inner.supervisor.forget(account) {
            sync.wake.notify_one();
        }
        self.inner.journals.forget(account);
        self.forget_mailbox(account).await;
    }
}
