//! Messages that no scope holds any more, or only where a read has met them: moved, or gone.

use std::collections::{BTreeMap, HashSet};

use email_model::{EntryKey, MessageId, Timestamp};
use email_provider::{Detail, MessageRef};
use gateway_store::{Commit, EntryRow, LoadRequest, MessageRow, ScopeNumber, Seq};

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
        let mut after = None;
        loop {
            let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
            let rows = journal
                .store
                .orphans(journal.account, context.tick, after, limit)
                .await?;
            let Some(last) = rows.last() else {
                return Ok(journal.store.has_orphans(journal.account).await?);
            };
            after = Some(last.id);
            let now = self.now();
            let ids = rows.into_iter().map(|row| row.id).collect();
            let request = LoadRequest {
                ids,
                ..LoadRequest::default()
            };
            let unknown = self.look_into_places(context, &request).await?;
            journal
                .amend(&request, |loaded, _| {
                    let placed: HashSet<_> =
                        loaded.entries.iter().map(|entry| entry.message).collect();
                    let rows = loaded
                        .messages
                        .iter()
                        .filter(|row| row.orphaned.is_some_and(|tick| tick < context.tick))
                        .filter(|row| !unknown.contains(&row.id))
                        .map(|row| (placed.contains(&row.id), row.clone()));
                    Ok(Some((let_go(loaded.journal.head, now, rows), ())))
                })
                .await?;
        }
    }

    /// Asks for the places where a read has met messages that moved. A feed may be silent of what came and went
    /// between two of its answers. Returns the messages whose places cannot be asked for.
    async fn look_into_places(
        &self,
        context: &PassContext<'_>,
        orphans: &LoadRequest,
    ) -> Result<HashSet<MessageId>, PassError> {
        let journal = context.journal;
        let loaded = journal.store.load(journal.account, orphans).await?;
        let mut scopes: BTreeMap<ScopeNumber, Vec<EntryRow>> = BTreeMap::new();
        for entry in loaded.entries {
            scopes.entry(entry.scope).or_default().push(entry);
        }
        let mut unknown = HashSet::new();
        for entries in scopes.into_values() {
            match self.empty_places(context, &entries).await? {
                Some(empty) => {
                    self.commit_page(context, &[], &empty, Announce::Feed, None)
                        .await?;
                }
                None => unknown.extend(entries.iter().map(|entry| entry.message)),
            }
        }
        Ok(unknown)
    }

    /// Those of a scope's places at which nothing is any more. `None`: they cannot be asked for.
    async fn empty_places(
        &self,
        context: &PassContext<'_>,
        entries: &[EntryRow],
    ) -> Result<Option<Vec<Place>>, PassError> {
        let directory = context.journal.directory();
        let places: Vec<Place> = entries
            .iter()
            .map(|entry| (entry.scope, entry.key.clone()))
            .collect();
        let asked: Option<Vec<MessageRef>> = places
            .iter()
            .map(|place| directory.reference(place))
            .collect();
        let Some(asked) = asked else {
            return Ok(None);
        };
        let provider = context.mailbox.provider.as_ref();
        match provider.fetch(context.call, &asked, Detail::Exists).await {
            Ok(there) => {
                let there: HashSet<EntryKey> =
                    there.into_iter().map(|found| found.at.key).collect();
                let is_empty = |(_, key): &Place| !there.contains(key);
                Ok(Some(places.into_iter().filter(is_empty).collect()))
            }
            Err(error) if is_of_the_mailbox(error.kind) => Err(error.into()),
            Err(error) => {
                tracing::warn!(kind = ?error.kind, "places that a read has met cannot be asked for");
                Ok(None)
            }
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
