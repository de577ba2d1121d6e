//! The tasks of a synchronised account: passes and the watch in one, scans in another.

mod lease;
mod scans;
mod watching;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use email_provider::Priority;
use futures::{StreamExt, stream::BoxStream};
use gateway_store::{Account, AccountId};
use tokio::time::Instant;

use self::{lease::LEASE, watching::Watching};
use super::{
    pass::{Level, PassError, as_operation},
    supervisor::AccountSync,
};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult, mailboxes::OpenMailbox};

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
            self.inner.grants.may_have_changed(account);
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
        let mut watching = Watching::default();
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
                hint = hint => if hint.is_none() {
                    watch = None;
                    watching.ended(Instant::now());
                },
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
                    let watch_at = watching.due_at(Instant::now());
                    if watch.is_none() && self.inner.config.push && watch_at.is_none() {
                        watch = Box::pin(self.watch(&mailbox)).await;
                        // Without a watch the next try is on the clock; with one, what changed
                        // before it began is looked for.
                        match &watch {
                            Some(_) => {
                                watching.began(Instant::now());
                                sync.wake.notify_one();
                            }
                            None if mailbox.provider.notifier().is_some() => {
                                retry_at = Some(Instant::now() + RETRY.1);
                            }
                            None => {}
                        }
                    }
                    retry_at = retry_at.or(watch_at);
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
        let level = match self.pass(&mailbox, &journal, sync, call).await {
            Ok(level) => level,
            Err(PassError::Provider(error)) => {
                return Err(self.note_failure(&account, error).await);
            }
            Err(error) => return Err(as_operation(error)),
        };
        sync.passed(began);
        let record = journal.journal().await?.record;
        if level == Level::Reached {
            sync.verified(began_at);
            self.write_verified(sync, &journal, &record, began_at)
                .await?;
        }
        self.note_success(&account).await?;
        if !record.owed.is_empty() {
            self.start_repaying(sync, &account, &mailbox, &journal);
        }
        self.start_scans(sync, account, &mailbox, &journal, &record)
            .await?;
        Ok(Some(mailbox))
    }
}
