//! The scopes of the journal and those of the mailbox.

use std::collections::HashSet;

use email_provider::{ErrorKind, Survey};
use gateway_store::{Commit, LoadRequest, ScopeNumber, ScopeRow, ScopeWrite};

use super::{PAGE, PassContext, PassError};
use crate::{
    Gateway,
    journal::{Announce, Place, last_scope, new_scope},
    sync::scope_state::ScopeRecord,
};

impl Gateway {
    /// Makes the journal's scopes those of the survey.
    pub(super) async fn reconcile_scopes(
        &self,
        context: &PassContext<'_>,
        survey: &Survey,
    ) -> Result<usize, PassError> {
        self.add_scopes(context, survey).await?;
        let named: HashSet<_> = survey.scopes.iter().map(|state| &state.key).collect();
        let directory = context.journal.directory();
        let mut orphaned = 0;
        for row in directory
            .scopes
            .values()
            .filter(|row| !named.contains(&row.key))
        {
            // One answer that leaves a folder out proves nothing: the folder itself is asked for.
            let is_gone = match context.mailbox.provider.begin(context.call, &row.key).await {
                Err(error) if error.kind == ErrorKind::NotFound => true,
                Ok(_) => false,
                Err(error) => return Err(error.into()),
            };
            if is_gone {
                orphaned += self.remove_scope(context, row.number).await?;
            }
        }
        Ok(orphaned)
    }

    async fn add_scopes(
        &self,
        context: &PassContext<'_>,
        survey: &Survey,
    ) -> Result<(), PassError> {
        let directory = context.journal.directory();
        let is_known = |row: &ScopeRow| ScopeRecord::of(row).surveyed;
        let all_known = survey
            .scopes
            .iter()
            .all(|state| directory.scope_by_key(&state.key).is_some_and(is_known));
        if all_known {
            return Ok(());
        }
        let now = self.now();
        context
            .journal
            .amend(&LoadRequest::default(), |loaded, directory| {
                let journal = &loaded.journal;
                let mut last = last_scope(&journal.record, directory);
                let announces = journal.record.surveyed_at.is_some();
                let mut scopes = Vec::new();
                for state in &survey.scopes {
                    let mut row = match directory.scope_by_key(&state.key) {
                        Some(row) if is_known(row) => continue,
                        Some(row) => row.clone(),
                        None => {
                            last += 1;
                            new_scope(ScopeNumber(last), state.key.clone())
                        }
                    };
                    ScopeRecord {
                        surveyed: true,
                        announces,
                        ..ScopeRecord::default()
                    }
                    .put(&mut row);
                    scopes.push(ScopeWrite { row });
                }
                let mut record = journal.record.clone();
                record.surveyed_at.get_or_insert(now);
                record.last_scope = last;
                Ok(Some((
                    Commit {
                        scopes,
                        record: Some(record),
                        ..Commit::default()
                    },
                    (),
                )))
            })
            .await?;
        context.sync.want_scan();
        Ok(())
    }

    /// Removes a scope that is no longer there, page by page.
    async fn remove_scope(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
    ) -> Result<usize, PassError> {
        let journal = context.journal;
        journal
            .amend_scope(number, |row| {
                ScopeRecord::edit(row, |record| record.removed = true)
            })
            .await?;
        let mut orphaned = 0;
        loop {
            let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
            let entries = journal
                .store
                .scope_entries(journal.account, number, None, limit)
                .await?;
            if entries.is_empty() {
                break;
            }
            let vanished: Vec<Place> = entries
                .into_iter()
                .map(|entry| (entry.scope, entry.key))
                .collect();
            orphaned += self
                .commit_page(context, &[], &vanished, Announce::Feed, None)
                .await?;
        }
        journal
            .amend(&LoadRequest::default(), |_, _| {
                Ok(Some((
                    Commit {
                        scopes_removed: vec![number],
                        ..Commit::default()
                    },
                    (),
                )))
            })
            .await?;
        Ok(orphaned)
    }
}
