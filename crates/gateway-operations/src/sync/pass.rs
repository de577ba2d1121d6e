//! A pass: one level check of the mailbox, and the changes of every scope that moved.

use std::collections::HashSet;

use email_model::{Cursor, EntryKey, Timestamp};
use email_provider::{
    Call, ChangeNext, Detail, Entry, ErrorKind, MessageRef, ProviderError, Removed, Survey,
};
use gateway_store::{
    Commit, LoadRequest, MessageRow, ScopeNumber, ScopeRow, ScopeWrite, Seq, StoreError,
};

use super::{
    scope_state::{Failure, ScopeRecord},
    supervisor::AccountSync,
};
use crate::{
    Gateway,
    journal::{Announce, ApplyError, JournalHandle, Page, Place, ScopeEdit, new_scope},
    mailboxes::OpenMailbox,
};

/// Entries in one commit.
pub(crate) const PAGE: usize = 500;
/// Rounds of one pass: a move seen from its origin first takes two, a third is for what moved meanwhile.
const ROUNDS: usize = 3;
/// How long a scope that cannot be read delays the end of orphans.
const ORPHANS_WAIT: chrono::Duration = chrono::Duration::hours(1);
/// Scopes read in part are committed; more pages than this in one pass are left to the next one.
const MOST_PAGES: usize = 10_000;

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
    pub(crate) async fn pass(
        &self,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        sync: &AccountSync,
        call: Call,
    ) -> Result<(), PassError> {
        for _ in 0..ROUNDS {
            let row = journal.journal().await?;
            let context = PassContext {
                mailbox,
                journal,
                sync,
                call,
                tick: row.tick + 1,
            };
            let orphaned = self.round(&context).await?;
            self.settle_orphans(&context).await?;
            if orphaned == 0 {
                break;
            }
        }
        Ok(())
    }

    /// One survey and what moved. Returns how many messages lost their last entry.
    async fn round(&self, context: &PassContext<'_>) -> Result<usize, PassError> {
        let survey = self.survey(context).await?;
        let mut orphaned = self.reconcile_scopes(context, &survey).await?;
        self.look_into_new_scopes(context).await?;
        for state in survey.scopes.iter().filter(|state| state.moved) {
            let directory = context.journal.directory();
            let Some(scope) = directory.scope_by_key(&state.key) else {
                continue;
            };
            let record = ScopeRecord::of(scope);
            if record
                .failure
                .as_ref()
                .is_some_and(|failure| failure.retry_at > self.now())
            {
                continue;
            }
            let number = scope.number;
            match self.walk_scope(context, number).await {
                Ok(count) => {
                    orphaned += count;
                    orphaned += self.compare_if_small(context, number).await?;
                    if record.failure.is_some() {
                        self.clear_failure(context.journal, number).await?;
                    }
                }
                Err(PassError::Provider(error)) => {
                    self.scope_failed(context, number, error).await?
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

    /// Makes the journal's scopes those of the survey.
    async fn reconcile_scopes(
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
                let mut next = directory.scopes.keys().next_back().map_or(0, |last| last.0);
                let announces = journal.record.surveyed_at.is_some();
                let mut scopes = Vec::new();
                for state in &survey.scopes {
                    let mut row = match directory.scope_by_key(&state.key) {
                        Some(row) if is_known(row) => continue,
                        Some(row) => row.clone(),
                        None => {
                            next += 1;
                            new_scope(ScopeNumber(next), state.key.clone())
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

    /// Reads a scope's changes until the provider has no more.
    async fn walk_scope(
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
        let observations: Vec<_> = entries
            .into_iter()
            .map(|entry| self.observation(context.journal, number, entry))
            .collect();
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

    /// Reads what the feed did not tell of entries that are new: identity and envelope. Those that
    /// are gone again go to `vanished`.
    pub(crate) async fn complete(
        &self,
        context: &PassContext<'_>,
        scope: &ScopeRow,
        entries: Vec<Entry>,
        vanished: &mut Vec<EntryKey>,
    ) -> Result<Vec<Entry>, PassError> {
        let mut known = HashSet::new();
        for chunk in entries.chunks(1000) {
            let keys = chunk
                .iter()
                .map(|entry| (scope.number, entry.key.clone()))
                .collect();
            let request = LoadRequest {
                keys,
                ..LoadRequest::default()
            };
            let loaded = context
                .journal
                .store
                .load(context.journal.account, &request)
                .await?;
            known.extend(
                loaded
                    .entries
                    .into_iter()
                    .filter(|entry| entry.scope == scope.number)
                    .map(|entry| entry.key),
            );
        }
        let is_incomplete = |entry: &Entry| {
            entry.identity.is_none() || entry.envelope.is_none() || entry.state.is_none()
        };
        let missing: Vec<MessageRef> = entries
            .iter()
            .filter(|entry| {
                entry.state.is_none() || (!known.contains(&entry.key) && is_incomplete(entry))
            })
            .map(|entry| MessageRef {
                scope: scope.key.clone(),
                key: entry.key.clone(),
            })
            .collect();
        if missing.is_empty() {
            return Ok(entries);
        }
        let mut read = std::collections::HashMap::new();
        for chunk in missing.chunks(PAGE) {
            let provider = context.mailbox.provider.as_ref();
            for fetched in provider
                .fetch(context.call, chunk, Detail::Envelope)
                .await?
            {
                read.insert(fetched.at.key.clone(), fetched);
            }
        }
        let asked: HashSet<EntryKey> = missing.into_iter().map(|at| at.key).collect();
        let mut complete = Vec::with_capacity(entries.len());
        for mut entry in entries {
            match read.get(&entry.key) {
                Some(fetched) => {
                    entry.state = fetched.state.clone().or(entry.state);
                    entry.identity = fetched.identity.clone().or(entry.identity);
                    entry.thread = fetched.thread.clone().or(entry.thread);
                    entry.envelope = fetched.envelope.clone().or(entry.envelope);
                    complete.push(entry);
                }
                None if asked.contains(&entry.key) => vanished.push(entry.key),
                None => complete.push(entry),
            }
        }
        Ok(complete)
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

    /// Lets orphans of earlier rounds go, unless a scope that cannot be read may hold them.
    async fn settle_orphans(&self, context: &PassContext<'_>) -> Result<(), PassError> {
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

    /// A scope that has to be compared anew and is small is compared at once, so that nobody waits
    /// for what its messages became.
    async fn compare_if_small(
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

    async fn want_rescan(
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

    /// A failure of one scope is that scope's alone, if the mailbox itself still answers.
    async fn scope_failed(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
        error: ProviderError,
    ) -> Result<(), PassError> {
        match error.kind {
            // It went away between the survey and now: the next survey says so.
            ErrorKind::NotFound => Ok(()),
            ErrorKind::Unavailable | ErrorKind::RateLimited | ErrorKind::Unauthenticated => {
                Err(error.into())
            }
            _ => {
                let now = self.now();
                tracing::warn!(kind = ?error.kind, "a folder cannot be read and is set aside");
                self.quarantine(context.journal, number, now, &error).await
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
                    record.announces |= record.covered == super::scope_state::Covered::Nothing;
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

/// A failed pass as the failed operation that it is for a client.
pub(crate) fn as_operation(error: PassError) -> crate::OperationError {
    match error {
        PassError::Provider(error) => error.into(),
        PassError::Store(error) => error.into(),
        PassError::Operation(error) => error,
    }
}
