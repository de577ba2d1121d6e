//! Messages that no scope holds any more: moved, or gone.

use std::collections::HashSet;

use email_model::Timestamp;
use gateway_store::{Commit, LoadRequest, MessageRow, Seq};

use super::{PAGE, PassContext, PassError};
use crate::{Gateway, sync::scope_state::ScopeRecord};

/// How long a scope that cannot be read delays the end of orphans.
const ORPHANS_WAIT: chrono::Duration = chrono::Duration::hours(1);

impl Gateway {
    /// Lets orphans of earlier rounds go, unless a scope that cannot be read may hold them.
    pub(super) async fn settle_orphans(&self, context: &PassContext<'_>) -> Result<(), PassError> {
        let journal = context.journal;
        if !journal.store.has_orphans(journal.account).await? {
            context.sync.orphans_settled();
            return Ok(());
        }
        let directory = journal.directory();
        let hides = directory
            .scopes
            .values()
            .any(|row| ScopeRecord::of(row).may_hide_moves(row));
        if hides && context.sync.orphans_wait(self.now()) < ORPHANS_WAIT {
            return Ok(());
        }
        loop {
            let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
            let rows = journal
                .store
                .orphans(journal.account, context.tick, None, limit)
                .await?;
            if rows.is_empty() {
                return Ok(());
            }
            let now = self.now();
            let ids = rows.into_iter().map(|row| row.id).collect();
            let request = LoadRequest {
                ids,
                ..LoadRequest::default()
            };
            journal
                .amend(&request, |loaded, _| {
                    let placed: HashSet<_> =
                        loaded.entries.iter().map(|entry| entry.message).collect();
                    let rows = loaded
                        .messages
                        .iter()
                        .filter(|row| row.orphaned.is_some_and(|tick| tick < context.tick))
                        .map(|row| (placed.contains(&row.id), row.clone()));
                    Ok(Some((let_go(loaded.journal.head, now, rows), ())))
                })
                .await?;
        }
    }
}

/// The commit by which orphans become tombstones; one that was never announced leaves none.
fn let_go(head: Seq, now: Timestamp, rows: impl Iterator<Item = (bool, MessageRow)>) -> Commit {
    let mut last = head.0;
    let mut commit = Commit::default();
    for (is_placed, mut row) in rows {
        if is_placed {
            row.orphaned = None;
            commit.messages.push(row);
            continue;
        }
        if !row.seq.is_announced() {
            commit.messages_removed.push(row.id);
            continue;
        }
        last = (last + 1).max(now.timestamp_micros());
        row.seq = Seq(last);
        row.gone = true;
        row.orphaned = None;
        row.envelope = None;
        commit.messages.push(row);
    }
    commit.head = (last > head.0).then_some(Seq(last));
    commit
}
