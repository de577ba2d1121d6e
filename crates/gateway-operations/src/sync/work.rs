//! The tasks of a synchronised account: passes and the watch in one, scans in another.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use email_model::Timestamp;
use email_provider::Priority;
use futures::{StreamExt, stream::BoxStream};
use gateway_store::{Account, AccountId, LeaseRequest};
use tokio::time::Instant;

use super::{
    pass::{PassContext, PassError, as_operation},
    scan::next_scan,
    scope_state::ScopeRecord,
    supervisor::AccountSync,
};
use crate::{
    Gateway, OperationError, OperationErrorKind, OperationResult, journal::JournalHandle,
    mailboxes::OpenMailbox,
};

/// How long a lease lasts; it is prolonged when a third of it is gone.
/// A process that was killed keeps an account from the others for no longer than this.
const LEASE: Duration = Duration::from_secs(10);
/// How often the work of the process that holds the lease is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How old the `verifiedAt` in the store may become while nothing else is written.
const VERIFIED_WRITTEN_EVERY: chrono::Duration = chrono::Duration::seconds(60);
/// Between two tries of what failed.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// Mailboxes opened at once at the start.
const OPENING: usize = 16;

impl Gateway {
    /// Starts the work of every synchronised account, and follows what other processes do.
    pub(crate) async fn supervise(&self) -> OperationResult<()> {
        let wakes = self.inner.store.wakes().await?;
        let gateway = self.clone();
        self.inner
            .tasks
            .spawn(async move { gateway.follow_wakes(wakes).await });
        let gateway = self.clone();
        self.inner.tasks.spawn(async move {
            if let Err(error) = gateway.start_accounts().await {
                tracing::error!(%error, "could not start the accounts' synchronisation");
            }
        });
        Ok(())
    }

    async fn start_accounts(&self) -> OperationResult<()> {
        let mut after = AccountId(0);
        loop {
            let page = self.inner.store.synchronised_accounts(after, 500).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = *last;
            futures::stream::iter(page)
                .for_each_concurrent(OPENING, |account| async move {
                    self.synchronise(account).await;
                    let sync = self.sync_of(account);
                    let request = sync.request_pass();
                    let _ =
                        tokio::time::timeout(Duration::from_secs(10), sync.wait_served(request))
                            .await;
                })
                .await;
            if self.inner.stopping.is_cancelled() {
                return Ok(());
            }
        }
    }

    async fn follow_wakes(&self, mut wakes: BoxStream<'static, AccountId>) {
        loop {
            let account = tokio::select! {
                () = self.inner.stopping.cancelled() => return,
                next = wakes.next() => match next {
                    Some(account) => account,
                    None => return,
                },
            };
            match self.inner.store.account(account).await {
                Ok(Some(stored)) if stored.active => self.woken(&stored).await,
                Ok(_) => self.forget_account(account).await,
                Err(error) => tracing::warn!(%error, "could not look at a changed account"),
            }
        }
    }

    async fn woken(&self, account: &Account) {
        let is_started = match self.inner.store.journal(account.id).await {
            Ok(journal) => journal.is_some_and(|journal| journal.record.started_at.is_some()),
            Err(_) => false,
        };
        if !is_started {
            return;
        }
        let sync = self.sync_of(account.id);
        if !sync.running.load(Ordering::SeqCst) {
            self.synchronise(account.id).await;
        } else if sync.lease_until().is_some_and(|until| until > self.now()) {
            // Another process waits for a pass of this one.
            sync.tell_others();
            sync.request_pass();
        }
    }

    /// Makes sure that the account's task runs.
    pub(crate) async fn synchronise(&self, account: AccountId) {
        let sync = self.sync_of(account);
        if self.inner.stopping.is_cancelled() || sync.running.swap(true, Ordering::SeqCst) {
            return;
        }
        sync.request_pass();
        let gateway = self.clone();
        self.inner.tasks.spawn(async move {
            gateway.follow_account(&sync).await;
            sync.running.store(false, Ordering::SeqCst);
            if gateway.inner.supervisor.holds(&sync) {
                gateway.inner.supervisor.forget(sync.account);
            }
            sync.served(u64::MAX);
            let _ = gateway
                .inner
                .store
                .release(sync.account, &gateway.inner.process)
                .await;
        });
    }

    async fn follow_account(&self, sync: &Arc<AccountSync>) {
        let mut watch: Option<BoxStream<'static, ()>> = None;
        let mut failures = 0_u32;
        let mut retry_at: Option<Instant> = None;
        loop {
            let idle = tokio::time::sleep(self.inner.config.idle_pass_interval);
            let retry = async {
                match retry_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let hint = async {
                match watch.as_mut() {
                    Some(watch) => watch.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.inner.stopping.cancelled() => return,
                () = sync.wake.notified() => {}
                () = idle => {}
                () = retry => {}
                hint = hint => if hint.is_none() { watch = None },
            }
            if !self.inner.supervisor.holds(sync) {
                return;
            }
            let upto = sync.requests();
            // Boxed: what a pass needs is not kept while the account is idle.
            let result = Box::pin(self.serve(sync)).await;
            sync.served(upto);
            match result {
                Ok(Some(mailbox)) => {
                    (failures, retry_at) = (0, None);
                    if watch.is_none() && self.inner.config.push {
                        watch = Box::pin(self.watch(&mailbox)).await;
                        // Without a watch the next try is on the clock; with one, what changed
                        // before it began is looked for.
                        match &watch {
                            Some(_) => sync.wake.notify_one(),
                            None if mailbox.provider.notifier().is_some() => {
                                retry_at = Some(Instant::now() + RETRY.1);
                            }
                            None => {}
                        }
                    }
                }
                Ok(None) => retry_at = Some(Instant::now() + LEASE),
                Err(error) if error.kind == OperationErrorKind::NotFound => return,
                Err(error) => {
                    failures += 1;
                    tracing::warn!(%error, cause = error.source.as_ref().map(tracing::field::display), failures, "a pass failed");
                    let wait = RETRY.0 * 2_u32.saturating_pow(failures.min(10));
                    retry_at = Some(
                        Instant::now()
                            + wait.min(RETRY.1).max(error.retry_after.unwrap_or_default()),
                    );
                }
            }
        }
    }

    async fn watch(&self, mailbox: &OpenMailbox) -> Option<BoxStream<'static, ()>> {
        let notifier = mailbox.provider.notifier()?;
        match notifier.watch().await {
            Ok(watch) => Some(watch),
            Err(error) => {
                tracing::debug!(kind = ?error.kind, "no watch");
                None
            }
        }
    }

    /// One pass, if this process holds the account's lease. `None`: another one does.
    async fn serve(&self, sync: &Arc<AccountSync>) -> OperationResult<Option<OpenMailbox>> {
        let account = self
            .inner
            .store
            .account(sync.account)
            .await?
            .filter(|account| account.active)
            .ok_or_else(|| OperationError::not_found("account"))?;
        if !self.has_lease(sync).await? && !self.ask_holder(sync).await? {
            return Ok(None);
        }
        let mailbox = self.mailbox(&account).await?;
        let journal = self.journal_of(&mailbox).await?;
        let (began_at, began) = (self.now(), Instant::now());
        let call = self.call(Priority::Interactive, self.inner.config.background_deadline);
        match self.pass(&mailbox, &journal, sync, call).await {
            Ok(()) => {}
            Err(PassError::Provider(error)) => {
                return Err(self.note_failure(&account, error).await);
            }
            Err(error) => return Err(as_operation(error)),
        }
        sync.passed(began);
        // A folder that is still being read for the first time, or anew, may hold what changed.
        let directory = journal.directory();
        let is_behind = |row| ScopeRecord::of(row).may_hide_moves(row);
        if !directory.scopes.values().any(is_behind) {
            sync.verified(began_at);
            self.write_verified(sync, &journal, began_at).await?;
        }
        self.note_success(&account).await?;
        self.repay(&account, &mailbox, &journal).await?;
        self.start_scans(sync, account, &mailbox, &journal).await?;
        Ok(Some(mailbox))
    }

    /// Asks the process that holds the lease for a pass and waits for it. True: the lease has become
    /// free meanwhile and is this process's.
    async fn ask_holder(&self, sync: &AccountSync) -> OperationResult<bool> {
        let asked_at = self.now();
        self.inner.store.wake(sync.account).await?;
        let until = Instant::now() + self.inner.config.pass_wait;
        while Instant::now() < until && !self.inner.stopping.is_cancelled() {
            tokio::time::sleep(LOOK).await;
            if self.has_lease(sync).await? {
                return Ok(true);
            }
            let journal = self.inner.store.journal(sync.account).await?;
            let verified = journal.and_then(|journal| journal.record.verified_at);
            if verified.is_some_and(|at| at >= asked_at) {
                break;
            }
        }
        Ok(false)
    }

    async fn write_verified(
        &self,
        sync: &AccountSync,
        journal: &JournalHandle,
        at: Timestamp,
    ) -> OperationResult<()> {
        let row = journal.journal().await?;
        let others_wait = sync.take_tell_others();
        if others_wait
            || row
                .record
                .verified_at
                .is_none_or(|written| at - written > VERIFIED_WRITTEN_EVERY)
        {
            journal
                .amend_record(|record| record.verified_at = record.verified_at.max(Some(at)))
                .await?;
        }
        Ok(())
    }

    async fn has_lease(&self, sync: &AccountSync) -> OperationResult<bool> {
        let now = self.now();
        let third = chrono::Duration::from_std(LEASE * 2 / 3).unwrap_or_default();
        if sync.lease_until().is_some_and(|until| until - now > third) {
            return Ok(true);
        }
        let request = LeaseRequest {
            account: sync.account,
            holder: self.inner.process.clone(),
            now,
            lasts: LEASE,
        };
        let lease = self.inner.store.lease(&request).await?;
        sync.set_lease(lease.map(|lease| lease.until));
        Ok(lease.is_some())
    }

    /// Prolongs the lease of long work; an error ends work whose lease another process has taken.
    pub(super) async fn keep_lease(&self, context: &PassContext<'_>) -> Result<(), PassError> {
        if self.inner.stopping.is_cancelled() || !self.has_lease(context.sync).await? {
            return Err(gateway_store::StoreError::Fenced.into());
        }
        Ok(())
    }

    /// Starts the account's scanning task if there is anything to scan and it does not run.
    async fn start_scans(
        &self,
        sync: &Arc<AccountSync>,
        account: Account,
        mailbox: &OpenMailbox,
        journal: &Arc<JournalHandle>,
    ) -> OperationResult<()> {
        let row = journal.journal().await?;
        let directory = journal.directory();
        let now = self.now();
        let is_open = |row| {
            let state = ScopeRecord::of(row);
            state.rescan && !state.removed
        };
        let wanted = sync.take_scan_wanted()
            || next_scan(&directory, &row.record, now).is_some()
            || directory.scopes.values().any(is_open)
            || self.is_inventory_due(&row.record, now)
            || self.has_old_removals(sync, journal).await?;
        if !wanted || sync.scanning.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let (gateway, sync, mailbox, journal) = (
            self.clone(),
            Arc::clone(sync),
            mailbox.clone(),
            Arc::clone(journal),
        );
        self.inner.tasks.spawn(async move {
            let result = gateway.scan_account(&sync, &mailbox, &journal).await;
            sync.scanning.store(false, Ordering::SeqCst);
            sync.made_progress();
            match result {
                Ok(()) => {
                    // What a scan found may end orphans that waited for it.
                    sync.request_pass();
                }
                Err(PassError::Provider(error)) => {
                    tracing::warn!(kind = ?error.kind, "a scan was interrupted");
                    gateway.note_failure(&account, error).await;
                    gateway.scan_again(&sync).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "a scan was interrupted");
                    gateway.scan_again(&sync).await;
                }
            }
        });
        Ok(())
    }

    async fn scan_again(&self, sync: &AccountSync) {
        tokio::select! {
            () = self.inner.stopping.cancelled() => {}
            () = tokio::time::sleep(RETRY.0) => { sync.request_pass(); }
        }
    }

    /// Scans until nothing is left to scan.
    async fn scan_account(
        &self,
        sync: &Arc<AccountSync>,
        mailbox: &OpenMailbox,
        journal: &Arc<JournalHandle>,
    ) -> Result<(), PassError> {
        let closed = |_| PassError::Operation(OperationError::internal("the gateway is stopping"));
        let _permit = self
            .inner
            .supervisor
            .background
            .acquire()
            .await
            .map_err(closed)?;
        let context = PassContext {
            mailbox,
            journal,
            sync,
            call: self.background(),
            tick: 0,
        };
        self.begin_scopes(&context).await?;
        loop {
            let context = PassContext {
                mailbox,
                journal,
                sync,
                call: self.background(),
                tick: 0,
            };
            if !self.inner.supervisor.holds(sync) {
                return Ok(());
            }
            self.keep_lease(&context).await?;
            let directory = journal.directory();
            let is_lost = |row: &&gateway_store::ScopeRow| {
                let state = ScopeRecord::of(row);
                state.rescan && !state.removed && state.failure.is_none()
            };
            if let Some(row) = directory.scopes.values().find(is_lost) {
                self.compare_or_set_aside(&context, row.number).await?;
                continue;
            }
            let record = journal.journal().await?.record;
            match next_scan(&directory, &record, self.now()) {
                Some(task) => self.scan_scope(&context, &task).await?,
                None if self.is_inventory_due(&record, self.now()) => {
                    self.inventory(&context).await?
                }
                None if self.forget_removals(journal).await? => {}
                None => return Ok(()),
            }
        }
    }

    fn is_inventory_due(&self, record: &gateway_store::JournalRecord, now: Timestamp) -> bool {
        let interval = chrono::Duration::from_std(self.inner.config.inventory_interval)
            .unwrap_or(chrono::Duration::MAX);
        let last = record.inventoried_at.or(record.surveyed_at);
        last.is_some_and(|last| now - last > interval)
    }

    /// Compares every scope in full. Differences enter the journal as changes.
    async fn inventory(&self, context: &PassContext<'_>) -> Result<(), PassError> {
        let began_at = self.now();
        let head = context.journal.journal().await?.head;
        for number in context.journal.directory().scopes.keys() {
            self.compare_or_set_aside(context, *number).await?;
        }
        let changed = context.journal.journal().await?.head != head;
        metrics::counter!("polypost_inventories_total", "changed" => changed.to_string())
            .increment(1);
        context
            .journal
            .amend_record(|record| record.inventoried_at = Some(began_at))
            .await?;
        Ok(())
    }

    async fn compare_or_set_aside(
        &self,
        context: &PassContext<'_>,
        number: gateway_store::ScopeNumber,
    ) -> Result<(), PassError> {
        use email_provider::ErrorKind as Kind;
        match self.compare_scope(context, number).await {
            Err(PassError::Provider(error)) if error.kind == Kind::NotFound => {
                let set = |row: &mut gateway_store::ScopeRow| {
                    ScopeRecord::edit(row, |record| record.rescan = false)
                };
                context.journal.amend_scope(number, set).await?;
                Ok(())
            }
            Err(PassError::Provider(error))
                if !matches!(
                    error.kind,
                    Kind::Unavailable | Kind::RateLimited | Kind::Unauthenticated
                ) =>
            {
                self.quarantine(context.journal, number, self.now(), &error)
                    .await
            }
            other => other,
        }
    }
}
