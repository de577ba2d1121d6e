//! Forgetting removals that are older than is promised to tell of.

use std::collections::HashSet;

use email_model::{MessageId, Timestamp};
use gateway_store::{Commit, LoadRequest, Loaded, Seq, StoreResult, Stream};

use super::JournalHandle;

/// Removals forgotten in one commit.
const AT_ONCE: u32 = 500;

impl JournalHandle {
    /// Whether any removal is kept that was noticed at this time or before.
    pub async fn has_removals_until(&self, until: Timestamp) -> StoreResult<bool> {
        Ok(!self.removals_until(until, 1).await?.is_empty())
    }

    /// Forgets the oldest removals that were noticed at this time or before, a bounded number, and
    /// raises the horizon to the last of them. False: there was none.
    pub async fn forget_removals(&self, until: Timestamp) -> StoreResult<bool> {
        let ids = self.removals_until(until, AT_ONCE).await?;
        if ids.is_empty() {
            return Ok(false);
        }
        let request = LoadRequest {
            ids,
            ..LoadRequest::default()
        };
        self.amend(&request, |loaded, _| {
            Ok(forgetting(loaded, until).map(|commit| (commit, ())))
        })
        .await?;
        Ok(true)
    }

    async fn removals_until(&self, until: Timestamp, limit: u32) -> StoreResult<Vec<MessageId>> {
        let rows = self
            .store
            .changes(self.account, Stream::Deleted, Seq(0), latest(until), limit)
            .await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }
}

/// The last `seq` that was surely given at this time or before: a `seq` is the time in microseconds or
/// later.
fn latest(until: Timestamp) -> Seq {
    Seq(until.timestamp_micros())
}

/// The commit that forgets those of the loaded messages that are removals of this time or before:
/// some may have come back since they were listed.
fn forgetting(loaded: &Loaded, until: Timestamp) -> Option<Commit> {
    let is_old = |row: &&gateway_store::MessageRow| row.gone && row.seq <= latest(until);
    let old = || loaded.messages.iter().filter(is_old);
    let horizon = old().map(|row| row.seq).max()?;
    let forgotten: HashSet<MessageId> = old().map(|row| row.id).collect();
    // What a read found under a removed message's id, and no feed has told of, is met anew.
    let entries_removed = loaded
        .entries
        .iter()
        .filter(|entry| forgotten.contains(&entry.message))
        .map(|entry| (entry.scope, entry.key.clone()))
        .collect();
    Some(Commit {
        horizon: Some(horizon),
        messages_removed: forgotten.into_iter().collect(),
        entries_removed,
        ..Commit::default()
    })
}
