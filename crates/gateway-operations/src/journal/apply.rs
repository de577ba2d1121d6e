//! From observations to a commit: load, ask the provider about places that may be empty, compute,
//! write; again from the beginning when somebody else was faster.

use std::collections::{HashMap, HashSet};

use email_model::{FolderId, FolderRole, MessageId, Timestamp};
use email_provider::{Call, EmailProvider, ProviderError};
use gateway_store::{
    Commit, FolderRow, LoadRequest, MessageRow, ScopeNumber, ScopeRow, ScopeWrite, StoreError,
};

use super::{
    Directory, JournalHandle,
    amend::is_empty,
    bounds::check_cursor,
    doubt::doubtful,
    identity::message_digest,
    page::{Answer, ORDINALS, Observation, Outcome, Place, Question, ThreadFact, compute},
    threads::provisional_thread_of_replies,
};

/// How often a commit is tried before the load on this journal is an error.
pub(super) const ATTEMPTS: usize = 50;
/// True duplicates of one message that are told apart.
const MOST_ORDINALS: u32 = 4096;

/// Whether clients are told of what a page brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announce {
    /// Met by a list, search or read: it gets its id, the feed will tell of it.
    No,
    /// Found by the mailbox's first scan.
    FirstScan,
    /// Told by a change feed, a rescan, or the first scan of a later folder.
    Feed,
}

/// A change to a scope's row, applied to the row as it is when the page is committed.
pub(crate) type ScopeEdit<'a> = (ScopeNumber, &'a (dyn Fn(&mut ScopeRow) + Send + Sync));

/// What is to be written.
pub(crate) struct Page<'a> {
    pub observations: &'a [Observation],
    pub vanished: &'a [Place],
    pub announce: Announce,
    pub scope: Option<ScopeEdit<'a>>,
}

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Which message is at each observed place, in the order of the observations.
    pub placed: Vec<MessageId>,
    /// Messages that lost their last entry.
    pub orphaned: usize,
    /// Rows of the placed messages.
    pub rows: HashMap<MessageId, MessageRow>,
}

/// Why a page was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl From<ApplyError> for crate::OperationError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Store(error) => error.into(),
            ApplyError::Provider(error) => error.into(),
        }
    }
}

impl JournalHandle {
    /// Writes a page. `Fenced` where another process has advanced the scope.
    pub async fn apply(
        &self,
        provider: &dyn EmailProvider,
        call: Call,
        now: Timestamp,
        page: &Page<'_>,
    ) -> Result<Applied, ApplyError> {
        let mut ordinals = ORDINALS;
        let mut empty: HashMap<Place, bool> = HashMap::new();
        for _ in 0..ATTEMPTS {
            let lock = self.committing.lock().await;
            let loaded = self
                .store
                .load(self.account, &self.request(page, ordinals))
                .await?;
            let doubtful = doubtful(page, &loaded, &empty);
            if !doubtful.is_empty() {
                drop(lock);
                self.look_up(provider, call, doubtful, &mut empty).await?;
                continue;
            }
            let dead: HashSet<Place> = empty
                .iter()
                .filter(|(_, empty)| **empty)
                .map(|(place, _)| place.clone())
                .collect();
            let directory = self.directory();
            let is_own =
                |row: &&FolderRow| matches!(row.role, Some(FolderRole::Drafts | FolderRole::Sent));
            let own = directory.folders.iter().filter(is_own);
            let own: HashSet<FolderId> = own.map(|row| row.id).collect();
            let question = Question {
                mailbox: &self.mailbox,
                observations: page.observations,
                vanished: page.vanished,
                dead: &dead,
                announce: page.announce,
                own: &own,
                now,
                // Later than any pass that is under way: none of them ends these orphans.
                tick: loaded.journal.tick + 1,
            };
            let outcome = match compute(&question, &loaded, ordinals) {
                Answer::Commit(outcome) => *outcome,
                Answer::MoreOrdinals if ordinals < MOST_ORDINALS => {
                    ordinals *= 4;
                    continue;
                }
                Answer::MoreOrdinals => {
                    return Err(StoreError::Damaged(
                        "an entry without identity, or too many duplicates".into(),
                    )
                    .into());
                }
            };
            let loaded_tick = loaded.journal.tick;
            let rows = rows_of(&outcome, loaded.messages);
            let Outcome {
                mut commit,
                placed,
                orphaned,
            } = outcome;
            commit.tick = (orphaned > 0).then_some(loaded_tick + 1);
            match self.write(commit, page.scope).await {
                Ok(()) => {
                    return Ok(Applied {
                        placed,
                        orphaned,
                        rows,
                    });
                }
                Err(ApplyError::Store(StoreError::Conflict)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict.into())
    }

    fn request(&self, page: &Page<'_>, ordinals: u32) -> LoadRequest {
        let mut request = LoadRequest::default();
        for observation in page.observations {
            request.keys.push(observation.place.clone());
            if let Some(identity) = &observation.identity {
                request.ids.extend(
                    (0..ordinals)
                        .map(|n| MessageId(message_digest(&self.mailbox, identity, n).short())),
                );
            }
            if let Some(id) = &observation.message_id {
                request.message_ids.push(id.clone());
                request
                    .provisional_threads
                    .extend(provisional_thread_of_replies(&self.mailbox, id));
            }
            if let Some(ThreadFact::OfParent { parent, .. }) = &observation.thread {
                request.message_ids.push(parent.clone());
            }
        }
        request.keys.extend(page.vanished.iter().cloned());
        request.message_ids.sort_unstable();
        request.message_ids.dedup();
        request
    }

    /// Writes a commit computed from the journal's present revision; the caller holds `committing`.
    async fn write(
        &self,
        mut commit: Commit,
        scope: Option<ScopeEdit<'_>>,
    ) -> Result<(), ApplyError> {
        let mut written = None;
        if let Some((number, edit)) = scope {
            let directory = self.directory();
            let mut row = directory
                .scopes
                .get(&number)
                .cloned()
                .ok_or(StoreError::Fenced)?;
            edit(&mut row);
            row.cursor.as_ref().map_or(Ok(()), check_cursor)?;
            commit.scopes.push(ScopeWrite { row: row.clone() });
            row.version += 1;
            written = Some(row);
        }
        if is_empty(&commit) {
            return Ok(());
        }
        match self.store.commit(self.account, &commit).await {
            Ok(_) => {}
            Err(error) => {
                if matches!(error, StoreError::Fenced) {
                    self.reload_while_committing().await?;
                }
                return Err(error.into());
            }
        }
        if let Some(row) = written {
            let mut directory = Directory::clone(&self.directory());
            directory.put_scope(row);
            self.set_directory(directory);
        }
        Ok(())
    }
}

fn rows_of(outcome: &Outcome, loaded: Vec<MessageRow>) -> HashMap<MessageId, MessageRow> {
    let placed: HashSet<MessageId> = outcome.placed.iter().copied().collect();
    let mut rows: HashMap<MessageId, MessageRow> = loaded
        .into_iter()
        .filter(|row| placed.contains(&row.id))
        .map(|row| (row.id, row))
        .collect();
    for row in &outcome.commit.messages {
        if placed.contains(&row.id) {
            rows.insert(row.id, row.clone());
        }
    }
    rows
}
