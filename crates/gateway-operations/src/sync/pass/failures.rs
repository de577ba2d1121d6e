//! Scopes that cannot be read, or not from where they were left.

use email_model::Timestamp;
use email_provider::{ErrorKind, ProviderError};
use gateway_store::{ScopeNumber, ScopeRow};

use super::{PAGE, PassContext, PassError};
use crate::{
    Gateway,
    journal::JournalHandle,
    sync::scope_state::{Covered, Failure, ScopeRecord},
};

impl Gateway {
    /// A failure of one scope is that scope's alone, if the mailbox itself still answers. Returns how many rounds
    /// have to follow for its sake.
    pub(super) async fn scope_failed(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
        error: ProviderError,
    ) -> Result<usize, PassError> {
        match error.kind {
            // It went away between the survey and now: the next round's survey says so.
            ErrorKind::NotFound => Ok(1),
            kind if is_of_the_mailbox(kind) => Err(error.into()),
            _ => {
                let now = self.now();
                tracing::warn!(kind = ?error.kind, "a folder cannot be read and is set aside");
                self.quarantine(context.journal, number, now, &error)
                    .await?;
                Ok(0)
            }
        }
    }

    pub(crate) async fn quarantine(
        &self,
        journal: &JournalHandle,
        number: ScopeNumber,
        now: Timestamp,
        error: &ProviderError,
    ) -> Result<(), PassError> {
        journal
            .amend_scope(number, |row| {
                ScopeRecord::edit(row, |record| {
                    let since = record.failure.as_ref().map_or(now, |failure| failure.since);
                    let wait = ((now - since) / 2)
                        .clamp(chrono::Duration::seconds(5), chrono::Duration::minutes(15));
                    record.announces |= record.covered == Covered::Nothing;
                    record.failure = Some(Failure {
                        since,
                        retry_at: now + wait,
                        reason: error.message.clone(),
                    });
                });
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn clear_failure(
        &self,
        journal: &JournalHandle,
        number: ScopeNumber,
    ) -> Result<(), PassError> {
        journal
            .amend_scope(number, |row| {
                ScopeRecord::edit(row, |record| record.failure = None)
            })
            .await?;
        Ok(())
    }

    pub(super) async fn want_rescan(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
    ) -> Result<(), PassError> {
        context
            .journal
            .amend_scope(number, |row| {
                ScopeRecord::edit(row, |record| record.rescan = true)
            })
            .await?;
        context.sync.want_scan();
        Ok(())
    }

    /// A scope that has to be compared anew and is small is compared at once, so that nobody waits
    /// for what its messages became.
    pub(super) async fn compare_if_small(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
    ) -> Result<usize, PassError> {
        let journal = context.journal;
        let is_lost = |row: &ScopeRow| ScopeRecord::of(row).rescan;
        if !journal.directory().scopes.get(&number).is_some_and(is_lost) {
            return Ok(0);
        }
        let count = journal.store.count_entries(journal.account, number).await?;
        if count > PAGE as u64 {
            return Ok(0);
        }
        self.compare_scope(context, number).await?;
        // Another round ends what the comparison found gone.
        Ok(1)
    }
}

/// Whether a failure is the whole mailbox's and not that of one folder.
pub(super) fn is_of_the_mailbox(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unavailable | ErrorKind::RateLimited | ErrorKind::Unauthenticated
    )
}
