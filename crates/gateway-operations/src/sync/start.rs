//! `POST /email/sync`: begins a sync, or asks how far it is.

use chrono::Duration;
use email_model::Timestamp;
use gateway_store::{Account, Journal, Stream};

use super::{
    StartSync, SyncStarted,
    scope_state::{Covered, ScopeRecord},
    tokens::{SyncToken, Walk, stretch},
};
use crate::{
    Gateway, OperationResult, SyncProgress,
    accounts::QuarantinedFolder,
    journal::{Directory, JournalHandle},
};

/// Longest window that is one: more days are everything.
const MOST_DAYS: u32 = 365 * 200;

impl Gateway {
    /// Begins to synchronise an account, or widens the window of one that is, and gives fresh tokens.
    pub async fn start_sync(
        &self,
        account: &Account,
        request: StartSync,
    ) -> OperationResult<SyncStarted> {
        refuse_inactive(account)?;
        let journal = self
            .journal_named(account.id, &account.mailbox.as_str().into())
            .await?;
        let now = self.now();
        let since = request
            .days_within
            .filter(|days| *days <= MOST_DAYS)
            .map(|days| now - Duration::days(i64::from(days)));
        journal
            .amend_record(|record| {
                record.started_at.get_or_insert(now);
                record.window = Some(match record.window {
                    Some(Some(window)) => since.map(|since| since.min(window)),
                    Some(None) => None,
                    None => since,
                });
            })
            .await?;
        // Refused credentials are told at once; a mailbox that is down is scanned when it is back.
        self.mailbox(account)
            .await
            .map(drop)
            .or_else(pass_over_outage)?;
        self.synchronise(account.id).await;
        if request.await_ready {
            self.wait_until_ready(account, since).await;
        }
        let row = journal.journal().await?;
        let ready = is_ready_anywhere(&journal, &row, since).await?;
        let token = |stream, walk| SyncToken {
            stream,
            is_page: false,
            walk,
            body_type: request.body_type,
            window: Some(since),
            verified_at: None,
            stretch: stretch(&row),
        };
        let present = Walk::Present {
            after: 0,
            upto: row.head,
            since,
        };
        let removals = Walk::Changes {
            after: row.head,
            upto: None,
        };
        Ok(SyncStarted {
            ready,
            updated_token: token(Stream::Updated, present).write(&journal)?,
            deleted_token: token(Stream::Deleted, removals).write(&journal)?,
        })
    }

    async fn wait_until_ready(&self, account: &Account, since: Option<Timestamp>) {
        let ready = async {
            loop {
                let mut changed = self.sync_of(account.id).progress();
                if let Ok(journal) = self
                    .journal_named(account.id, &account.mailbox.as_str().into())
                    .await
                    && let Ok(row) = journal.journal().await
                    && is_ready_anywhere(&journal, &row, since)
                        .await
                        .unwrap_or(false)
                {
                    return;
                }
                // Another process may do the scanning: look again without being told, too.
                let look_again = std::time::Duration::from_millis(500);
                let _ = tokio::time::timeout(look_again, changed.changed()).await;
            }
        };
        let _ = tokio::time::timeout(self.inner.config.ready_wait, ready).await;
    }

    /// How far an account is synchronised; `None` if no sync was asked for.
    pub(crate) async fn sync_progress(
        &self,
        account: &Account,
    ) -> OperationResult<Option<SyncProgress>> {
        let Some(row) = self.inner.store.journal(account.id).await? else {
            return Ok(None);
        };
        if row.record.started_at.is_none() {
            return Ok(None);
        }
        let journal = self
            .journal_named(account.id, &account.mailbox.as_str().into())
            .await?;
        let ready = is_ready_anywhere(&journal, &row, row.record.window.flatten()).await?;
        let directory = journal.directory();
        let mut progress = SyncProgress {
            ready,
            messages: u64::try_from(row.discovered).unwrap_or(0),
            verified_at: self.verified_at(account.id, &row),
            inventoried_at: row.record.inventoried_at,
            ..SyncProgress::default()
        };
        let mut total = Some(0);
        for scope in directory.scopes.values() {
            let record = ScopeRecord::of(scope);
            if let Some(scan) = &record.scan {
                total = total
                    .zip(scan.total)
                    .map(|(sum, one): (u64, u64)| sum + one.saturating_sub(scan.found));
            } else if record.covered == Covered::Nothing && !record.removed {
                total = None;
            }
            if let Some(failure) = record.failure {
                let folder = directory
                    .folders
                    .iter()
                    .find(|row| row.key.0 == scope.key.0);
                progress.quarantined.push(QuarantinedFolder {
                    folder: folder.map_or_else(|| scope.key.0.clone(), |row| row.full_name.clone()),
                    since: failure.since,
                    reason: failure.reason,
                });
            }
        }
        progress.total = total.map(|open| open + progress.messages);
        Ok(Some(progress))
    }
}

/// Whether the window has been scanned in every scope that can be read, after the first survey.
fn is_ready(directory: &Directory, since: Option<Timestamp>) -> bool {
    directory.scopes.values().all(|row| {
        let record = ScopeRecord::of(row);
        record.removed
            || record.announces
            || record.failure.is_some()
            || record.covered.reaches(since)
    })
}

/// The same, where another process may have done the scanning, or the survey: a directory that is older
/// than the survey lacks the scopes that are yet to be scanned.
pub(crate) async fn is_ready_anywhere(
    handle: &JournalHandle,
    journal: &Journal,
    since: Option<Timestamp>,
) -> OperationResult<bool> {
    if journal.record.surveyed_at.is_none() {
        return Ok(false);
    }
    let directory = handle.directory();
    // The first survey's scopes were written all at once.
    let is_surveyed = |row| ScopeRecord::of(row).surveyed;
    if directory.scopes.values().any(is_surveyed) && is_ready(&directory, since) {
        return Ok(true);
    }
    Ok(is_ready(&*handle.reload().await?, since))
}

/// An account that is switched off answers no mail calls.
pub(crate) fn refuse_inactive(account: &Account) -> OperationResult<()> {
    if account.active {
        return Ok(());
    }
    let message = "this account is not active";
    Err(crate::OperationError::new(
        crate::OperationErrorKind::Forbidden,
        message,
    ))
}

fn pass_over_outage(error: crate::OperationError) -> OperationResult<()> {
    use crate::OperationErrorKind as Kind;
    match error.kind {
        Kind::ProviderUnavailable
        | Kind::RateLimited
        | Kind::Provider
        | Kind::SendUnconfirmed
        | Kind::MailboxUnavailable => Ok(()),
        _ => Err(error),
    }
}
