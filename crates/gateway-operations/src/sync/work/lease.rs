//! Which process works for an account, and what it tells the others.

use std::time::Duration;

use email_model::Timestamp;
use gateway_store::{JournalRecord, LeaseRequest};
use tokio::time::Instant;

use crate::{
    Gateway, OperationResult,
    journal::JournalHandle,
    sync::{
        pass::{PassContext, PassError},
        supervisor::AccountSync,
    },
};

/// How long a lease lasts; it is prolonged when a third of it is gone.
/// A process that was killed keeps an account from the others for no longer than this.
pub(super) const LEASE: Duration = Duration::from_secs(10);
/// How often the work of the process that holds the lease is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How old the `verifiedAt` in the store may become while nothing else is written.
const VERIFIED_WRITTEN_EVERY: chrono::Duration = chrono::Duration::seconds(60);

impl Gateway {
    pub(super) async fn has_lease(&self, sync: &AccountSync) -> OperationResult<bool> {
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
    pub(in crate::sync) async fn keep_lease(
        &self,
        context: &PassContext<'_>,
    ) -> Result<(), PassError> {
        if self.inner.stopping.is_cancelled() || !self.has_lease(context.sync).await? {
            return Err(gateway_store::StoreError::Fenced.into());
        }
        Ok(())
    }

    /// Asks the process that holds the lease for a pass and waits for it. True: the lease has become
    /// free meanwhile and is this process's.
    pub(super) async fn ask_holder(&self, sync: &AccountSync) -> OperationResult<bool> {
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

    pub(super) async fn write_verified(
        &self,
        sync: &AccountSync,
        journal: &JournalHandle,
        record: &JournalRecord,
        at: Timestamp,
    ) -> OperationResult<()> {
        let others_wait = sync.take_tell_others();
        if others_wait
            || record
                .verified_at
                .is_none_or(|written| at - written > VERIFIED_WRITTEN_EVERY)
        {
            journal
                .amend_record(|record| record.verified_at = record.verified_at.max(Some(at)))
                .await?;
        }
        Ok(())
    }
}
