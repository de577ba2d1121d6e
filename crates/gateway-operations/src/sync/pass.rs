//! A pass: one level check of the mailbox, and the changes of every scope that moved.

mod changes;
mod complete;
mod counts;
mod failures;
mod orphans;
mod scopes;

use email_provider::{Call, ProviderError, Survey};
use gateway_store::StoreError;

use super::{scope_state::ScopeRecord, supervisor::AccountSync};
use crate::{
    Gateway,
    journal::{ApplyError, JournalHandle},
    mailboxes::OpenMailbox,
};

/// Entries in one commit.
pub(crate) const PAGE: usize = 500;
/// Rounds of one pass: a move seen from its origin first takes two, a third is for what moved meanwhile.
const ROUNDS: usize = 3;

/// Why a pass ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassError {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Operation(#[from] crate::OperationError),
}

impl From<ApplyError> for PassError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Provider(error) => Self::Provider(error),
            ApplyError::Store(error) => Self::Store(error),
        }
    }
}

/// How far a pass came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// All that changed before the pass began is in the journal.
    Reached,
    /// A folder that is still being read may hold what changed.
    Behind,
}

/// What a pass works with.
pub(crate) struct PassContext<'a> {
    pub mailbox: &'a OpenMailbox,
    pub journal: &'a JournalHandle,
    pub sync: &'a AccountSync,
    pub call: Call,
    pub tick: i64,
}

impl Gateway {
    /// Brings the journal to the level of the mailbox at some moment after this call.
    ///
    /// Scans, reads and writes go on meanwhile and take messages from their places too. A round ends only what was
    /// taken before it began, so that one that leaves an orphan, or saw the end of a comparison, is followed by another.
    pub(crate) async fn pass(
        &self,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        sync: &AccountSync,
        call: Call,
    ) -> Result<Level, PassError> {
        let mut level = Level::Behind;
        for round in 0..ROUNDS {
            let was_behind = is_behind(journal);
            let row = journal.journal().await?;
            let context = PassContext {
                mailbox,
                journal,
                sync,
                call,
                tick: row.tick + 1,
            };
            let orphaned = self.round(&context).await?;
            let is_settled = !self.settle_orphans(&context).await? && orphaned == 0;
            let is_behind = is_behind(journal);
            level = if was_behind || is_behind || !(is_settled || round > 0) {
                Level::Behind
            } else {
                Level::Reached
            };
            let ends = match level {
                Level::Reached => is_settled,
                Level::Behind => is_behind && orphaned == 0,
            };
            if ends {
                break;
            }
        }
        Ok(level)
    }

    /// One survey and what moved. Returns how many messages lost their last entry.
    async fn round(&self, context: &PassContext<'_>) -> Result<usize, PassError> {
        let survey = self.survey(context).await?;
        let mut orphaned = self.reconcile_scopes(context, &survey).await?;
        self.look_into_new_scopes(context).await?;
        for state in &survey.scopes {
            let directory = context.journal.directory();
            let Some(scope) = directory.scope_by_key(&state.key) else {
                continue;
            };
            let record = ScopeRecord::of(scope);
            let number = scope.number;
            let is_due =
                state.moved || record.rescan || self.count_differs(context, scope, state).await?;
            if !is_due {
                continue;
            }
            if record
                .failure
                .as_ref()
                .is_some_and(|failure| failure.retry_at > self.now())
            {
                continue;
            }
            match self.walk_scope(context, number).await {
                Ok(count) => {
                    orphaned += count;
                    orphaned += self.compare_if_small(context, number).await?;
                    if record.failure.is_some() {
                        self.clear_failure(context.journal, number).await?;
                    }
                }
                Err(PassError::Provider(error)) => {
                    orphaned += self.scope_failed(context, number, error).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(orphaned)
    }

    async fn survey(&self, context: &PassContext<'_>) -> Result<Survey, PassError> {
        let directory = context.journal.directory();
        let known: Vec<_> = directory
            .scopes
            .values()
            .filter_map(|row| Some((row.key.clone(), row.cursor.clone()?)))
            .collect();
        let survey = context
            .mailbox
            .provider
            .survey(context.call, &known)
            .await?;
        self.put_folders(context.journal, &survey.folders).await?;
        Ok(survey)
    }
}

/// Whether a folder is still being read for the first time, or anew, or cannot be read.
fn is_behind(journal: &JournalHandle) -> bool {
    let directory = journal.directory();
    let mut scopes = directory.scopes.values();
    scopes.any(|row| ScopeRecord::of(row).may_hide_moves(row))
}

/// A failed pass as the failed operation that it is for a client.
pub(crate) fn as_operation(error: PassError) -> crate::OperationError {
    match error {
        PassError::Provider(error) => error.into(),
        PassError::Store(error) => error.into(),
        PassError::Operation(error) => error,
    }
}
