//! The scanning task of an account: first scans, rescans, inventories.

use std::sync::{Arc, atomic::Ordering};

use email_model::Timestamp;
use gateway_store::{Account, JournalRecord};

use super::RETRY;
use crate::{
    Gateway, OperationError, OperationResult,
    journal::JournalHandle,
    mailboxes::OpenMailbox,
    sync::{
        pass::{PassContext, PassError},
        scan::next_scan,
        scope_state::ScopeRecord,
        supervisor::AccountSync,
    },
};

impl Gateway {
    /// Starts the account's scanning task if there is anything to scan and it does not run.
    pub(super) async fn start_scans(
        &self,
        sync: &Arc<AccountSync>,
        account: Account,
        mailbox: &OpenMailbox,
        journal: &Arc<JournalHandle>,
        record: &JournalRecord,
    ) -> OperationResult<()> {
        let directory = journal.directory();
        let now = self.now();
        let is_open = |row| {
            let state = ScopeRecord::of(row);
            state.rescan && !state.removed
        };
        let wanted = sync.take_scan_wanted()
            || next_scan(&directory, record, now).is_some()
            || directory.scopes.values().any(is_open)
            || self.is_inventory_due(record, now)
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

    fn is_inventory_due(&self, record: &JournalRecord, now: Timestamp) -> bool {
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
