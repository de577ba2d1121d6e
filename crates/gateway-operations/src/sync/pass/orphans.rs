//! Messages that no scope holds any more, or only where a read has met them: moved, or gone.

use std::collections::HashSet;

use email_model::Timestamp;
use email_provider::{Detail, MessageRef};
use gateway_store::{Commit, LoadRequest, MessageRow, Seq};

use super::{PAGE, PassContext, PassError, failures::is_of_the_mailbox, is_behind};
use crate::{
    Gateway,
    journal::{Announce, Place},
};

/// How long a scope that cannot be read delays the end of orphans.
const ORPHANS_WAIT: chrono::Duration = chrono::Duration::hours(1);

impl Gateway {
    /// Lets orphans of earlier rounds go, unless a scope that cannot be read may hold them. Returns whether there
    /// are others.
    pub(super) async fn settle_orphans(
        &self,
        context: &PassContext<'_>,
    ) -> Result<bool, PassError> {
        let journal = context.journal;
        if !journal.store.has_orphans(journal.account).await? {
            context.sync.orphans_settled();
            return Ok(false);
        }
        if is_behind(journal) && context.sync.orphans_wait(self.now()) < ORPHANS_WAIT {
            return Ok(true);
        }
        loop {
            let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
            let rows = journal
                .store
                .orphans(journal.account, context.tick, None, limit)
                .await?;
            if rows.is_empty() {
                return Ok(journal.store.has_orphans(journal.account).await?);
            }
            let now = self.now();
            let ids = rows.into_iter().map(|row| row.id).collect();
            let request = LoadRequest {
                ids,
                ..LoadRequest::default()
            };
            self.look_into_places(context, &request).await?;
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

impl Gateway {
    /// Asks for the places where a read has met messages that moved. A feed may be silent of what came and went
    /// between two of its answers.
    async fn look_into_places(
        &self,
        context: &PassContext<'_>,
        orphans: &LoadRequest,
    ) -> Result<(), PassError> {
        let journal = context.journal;
        let loaded = journal.store.load(journal.account, orphans).await?;
        let directory = journal.directory();
        let places: Vec<(Place, MessageRef)> = loaded
            .entries
            .into_iter()
            .map(|entry| (entry.scope, entry.key))
            .filter_map(|place| Some((place.clone(), directory.reference(&place)?)))
            .collect();
        if places.is_empty() {
            return Ok(());
        }
        let asked: Vec<MessageRef> = places.iter().map(|(_, at)| at.clone()).collect();
        let provider = context.mailbox.provider.as_ref();
        let there = match provider.fetch(context.call, &asked, Detail::Exists).await {
            Ok(there) => there,
            Err(error) if is_of_the_mailbox(error.kind) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(kind = ?error.kind, "places that a read has met cannot be asked for");
                return Ok(());
            }
        };
        let there: HashSet<MessageRef> = there.into_iter().map(|found| found.at).collect();
        let empty: Vec<Place> = places
            .into_iter()
            .filter(|(_, at)| !there.contains(at))
            .map(|(place, _)| place)
            .collect();
        self.commit_page(context, &[], &empty, Announce::Feed, None)
            .await?;
        Ok(())
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
