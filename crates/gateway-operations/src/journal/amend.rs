//! Changes of a journal that no page brings: of its record, of a scope, of rows by id.

use email_model::Timestamp;
use gateway_store::{
    Commit, ExpectedMessage, JournalRecord, LoadRequest, Loaded, ScopeNumber, ScopeRow, ScopeWrite,
    StoreError,
};

use super::{
    Directory, JournalHandle,
    apply::{ATTEMPTS, ApplyError},
    bounds::check_cursor,
};

impl JournalHandle {
    /// Computes a commit from loaded rows and writes it; again when somebody else was faster.
    /// `compute` returns `None` where there is nothing to write.
    pub async fn amend<T>(
        &self,
        request: &LoadRequest,
        mut compute: impl FnMut(&Loaded, &Directory) -> Result<Option<(Commit, T)>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        for _ in 0..ATTEMPTS {
            let _lock = self.committing.lock().await;
            let loaded = self.store.load(self.account, request).await?;
            let Some((mut commit, value)) = compute(&loaded, &self.directory())? else {
                return Ok(None);
            };
            commit.revision = loaded.journal.revision;
            if is_empty(&commit) {
                return Ok(Some(value));
            }
            let reload = !commit.scopes.is_empty()
                || !commit.scopes_removed.is_empty()
                || commit.folders.is_some();
            match self.store.commit(self.account, &commit).await {
                Ok(_) => {
                    if reload {
                        self.reload_while_committing().await?;
                    }
                    return Ok(Some(value));
                }
                Err(StoreError::Conflict) => {}
                Err(StoreError::Fenced) => {
                    self.reload_while_committing().await?;
                    return Err(StoreError::Fenced);
                }
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    /// Changes the journal's record.
    pub async fn amend_record(&self, edit: impl Fn(&mut JournalRecord)) -> Result<(), StoreError> {
        self.amend(&LoadRequest::default(), |loaded, _| {
            let mut record = loaded.journal.record.clone();
            edit(&mut record);
            let changed = record != loaded.journal.record;
            Ok(changed.then(|| {
                (
                    Commit {
                        record: Some(record),
                        ..Commit::default()
                    },
                    (),
                )
            }))
        })
        .await?;
        Ok(())
    }

    /// Has the message recognised wherever it turns up with this Message-ID until then.
    pub async fn expect(
        &self,
        expected: &ExpectedMessage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.amend_record(|record| {
            let is_other = |other: &ExpectedMessage| other.message_id != expected.message_id;
            record
                .expected
                .retain(|other| other.until > now && is_other(other));
            record.expected.push(expected.clone());
        })
        .await
    }

    /// Ends [`Self::expect`].
    pub async fn found(&self, message_id: &str) -> Result<(), StoreError> {
        self.amend_record(|record| {
            record
                .expected
                .retain(|expected| expected.message_id != message_id);
        })
        .await
    }

    /// Changes one scope's row.
    pub async fn amend_scope(
        &self,
        number: ScopeNumber,
        edit: impl Fn(&mut ScopeRow),
    ) -> Result<(), ApplyError> {
        let mut refused = None;
        self.amend(&LoadRequest::default(), |_, directory| {
            let Some(row) = directory.scopes.get(&number) else {
                return Err(StoreError::Fenced);
            };
            let mut edited = row.clone();
            edit(&mut edited);
            refused = edited
                .cursor
                .as_ref()
                .and_then(|cursor| check_cursor(cursor).err());
            let is_written = edited != *row && refused.is_none();
            Ok(is_written.then(|| {
                (
                    Commit {
                        scopes: vec![ScopeWrite { row: edited }],
                        ..Commit::default()
                    },
                    (),
                )
            }))
        })
        .await?;
        refused.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Whether there is nothing to write: a tick or a discovery number of nothing is none.
pub(super) fn is_empty(commit: &Commit) -> bool {
    commit.head.is_none()
        && commit.horizon.is_none()
        && commit.record.is_none()
        && commit.scopes.is_empty()
        && commit.scopes_removed.is_empty()
        && commit.folders.is_none()
        && commit.messages.is_empty()
        && commit.messages_removed.is_empty()
        && commit.entries.is_empty()
        && commit.entries_removed.is_empty()
}
