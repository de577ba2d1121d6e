//! The changes of one scope, read from the provider and committed with the cursor behind them.

use std::collections::HashSet;

use email_model::{Cursor, EntryKey};
use email_provider::{ChangeNext, Entry, ErrorKind, Removed};
use gateway_store::{ScopeNumber, ScopeRow};

use super::{PAGE, PassContext, PassError};
use crate::{
    Gateway,
    journal::{Announce, JournalHandle, Page, Place, ScopeEdit},
};

/// Scopes read in part are committed; more pages than this in one pass are left to the next one.
const MOST_PAGES: usize = 10_000;

impl Gateway {
    /// Reads a scope's changes until the provider has no more.
    pub(super) async fn walk_scope(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
    ) -> Result<usize, PassError> {
        let gate = context.sync.gate(number);
        let _gate = gate.lock().await;
        let mut orphaned = 0;
        for _ in 0..MOST_PAGES {
            let directory = context.journal.directory();
            let Some(scope) = directory.scopes.get(&number) else {
                break;
            };
            let Some(cursor) = &scope.cursor else { break };
            let provider = context.mailbox.provider.as_ref();
            let page = match provider
                .changes(context.call, &scope.key, cursor, PAGE)
                .await
            {
                Ok(page) => page,
                Err(error) if error.kind == ErrorKind::CursorExpired => {
                    self.want_rescan(context, number).await?;
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            let (next, is_last) = match page.next {
                ChangeNext::More(cursor) => (cursor, false),
                ChangeNext::CaughtUp(cursor) => (cursor, true),
            };
            let mut vanished = match page.removed {
                Removed::Vanished(keys) => keys,
                Removed::Listing(keys) => self.absent_from(context.journal, number, &keys).await?,
            };
            let entries = self
                .complete(context, scope, page.entries, &mut vanished)
                .await?;
            context.sync.note_vanished(number, &vanished);
            let vanished: Vec<Place> = vanished.into_iter().map(|key| (number, key)).collect();
            orphaned += self
                .commit_changes(context, number, entries, &vanished, &next)
                .await?;
            if is_last {
                break;
            }
        }
        Ok(orphaned)
    }

    /// Commits a page of changes with its cursor; a page larger than a commit in parts, the cursor
    /// with the last: reading it again is harmless.
    async fn commit_changes(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
        entries: Vec<Entry>,
        vanished: &[Place],
        next: &Cursor,
    ) -> Result<usize, PassError> {
        let observations = self.observations(context, number, entries).await?;
        let mut observations = observations.as_slice();
        let mut vanished = vanished;
        let mut orphaned = 0;
        loop {
            let (gone, more_gone) = vanished.split_at(vanished.len().min(PAGE));
            let room = PAGE - gone.len();
            let (seen, more_seen) = observations.split_at(observations.len().min(room));
            let is_last = more_gone.is_empty() && more_seen.is_empty();
            let advance = |row: &mut ScopeRow| row.cursor = Some(next.clone());
            let moves = context
                .journal
                .directory()
                .scopes
                .get(&number)
                .and_then(|row| row.cursor.clone());
            let edit: Option<ScopeEdit<'_>> =
                (is_last && moves.as_ref() != Some(next)).then_some((number, &advance));
            orphaned += self
                .commit_page(context, seen, gone, Announce::Feed, edit)
                .await?;
            if is_last {
                return Ok(orphaned);
            }
            (observations, vanished) = (more_seen, more_gone);
        }
    }

    pub(crate) async fn commit_page(
        &self,
        context: &PassContext<'_>,
        observations: &[crate::journal::Observation],
        vanished: &[Place],
        announce: Announce,
        scope: Option<ScopeEdit<'_>>,
    ) -> Result<usize, PassError> {
        if observations.is_empty() && vanished.is_empty() && scope.is_none() {
            return Ok(0);
        }
        let page = Page {
            observations,
            vanished,
            announce,
            scope,
        };
        let provider = context.mailbox.provider.as_ref();
        let applied = context
            .journal
            .apply(provider, context.call, self.now(), &page)
            .await?;
        Ok(applied.orphaned)
    }

    /// Keys that the journal has of a scope and a complete listing has not.
    async fn absent_from(
        &self,
        journal: &JournalHandle,
        number: ScopeNumber,
        listing: &[EntryKey],
    ) -> Result<Vec<EntryKey>, PassError> {
        let there: HashSet<&EntryKey> = listing.iter().collect();
        let mut absent = Vec::new();
        let mut after: Option<EntryKey> = None;
        loop {
            let page = journal
                .store
                .scope_entries(journal.account, number, after.as_ref(), 2000)
                .await?;
            let Some(last) = page.last() else {
                return Ok(absent);
            };
            after = Some(last.key.clone());
            absent.extend(
                page.into_iter()
                    .map(|entry| entry.key)
                    .filter(|key| !there.contains(key)),
            );
        }
    }
}
