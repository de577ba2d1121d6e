//! From observations to a commit: load, ask the provider about places that may be empty, compute,
//! write; again from the beginning when somebody else was faster.

use std::collections::{HashMap, HashSet};

use email_model::{MessageId, Timestamp};
use email_provider::{Call, Detail, EmailProvider, MessageRef, ProviderError};
use gateway_store::{
    Commit, JournalRecord, LoadRequest, Loaded, MessageRow, ScopeNumber, ScopeRow, ScopeWrite,
    StoreError,
};

use super::{
    Directory, JournalHandle,
    bounds::check_cursor,
    identity::message_digest,
    page::{Answer, ORDINALS, Observation, Outcome, Place, Question, ThreadFact, compute},
    threads::provisional_thread_of_replies,
};

/// How often a commit is tried before the load on this journal is an error.
const ATTEMPTS: usize = 50;
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
            let question = Question {
                mailbox: &self.mailbox,
                observations: page.observations,
                vanished: page.vanished,
                dead: &dead,
                announce: page.announce,
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

    async fn look_up(
        &self,
        provider: &dyn EmailProvider,
        call: Call,
        doubtful: Vec<Place>,
        empty: &mut HashMap<Place, bool>,
    ) -> Result<(), ProviderError> {
        let directory = self.directory();
        let refs: Vec<(Place, Option<MessageRef>)> = doubtful
            .into_iter()
            .map(|place| {
                let at = reference(&directory, &place);
                (place, at)
            })
            .collect();
        let asked: Vec<MessageRef> = refs.iter().filter_map(|(_, at)| at.clone()).collect();
        let there = provider.fetch(call, &asked, Detail::Exists).await?;
        let there: HashSet<MessageRef> = there.into_iter().map(|found| found.at).collect();
        for (place, at) in refs {
            let is_there = at.is_some_and(|at| there.contains(&at));
            empty.insert(place, !is_there);
        }
        Ok(())
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
                    self.reload().await?;
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
                        self.reload().await?;
                    }
                    return Ok(Some(value));
                }
                Err(StoreError::Conflict) => {}
                Err(StoreError::Fenced) => {
                    self.reload().await?;
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

/// The provider's reference of a place.
pub(crate) fn reference(directory: &Directory, place: &Place) -> Option<MessageRef> {
    let scope = directory.scopes.get(&place.0)?;
    Some(MessageRef {
        scope: scope.key.clone(),
        key: place.1.clone(),
    })
}

fn is_empty(commit: &Commit) -> bool {
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

/// Places of messages that a new entry may be: if they are empty the message has moved, else the
/// entry is another message. No feed can be trusted to have told so in time.
fn doubtful(page: &Page<'_>, loaded: &Loaded, known: &HashMap<Place, bool>) -> Vec<Place> {
    let places: HashSet<(ScopeNumber, &[u8])> = loaded
        .entries
        .iter()
        .map(|entry| (entry.scope, entry.key.0.as_slice()))
        .collect();
    let is_new = |observation: &&Observation| {
        !places.contains(&(observation.place.0, observation.place.1.0.as_slice()))
    };
    let new: Vec<&Observation> = page.observations.iter().filter(is_new).collect();
    if new.is_empty() || loaded.entries.is_empty() {
        return Vec::new();
    }
    let observed: HashSet<&Place> = page
        .observations
        .iter()
        .map(|o| &o.place)
        .chain(page.vanished)
        .collect();
    // Rows that were loaded for a parent's or a reply's sake are no candidates.
    let message_ids: HashSet<&str> = new.iter().filter_map(|o| o.message_id.as_deref()).collect();
    let candidates: HashSet<MessageId> = loaded
        .messages
        .iter()
        .filter(|row| !row.gone)
        .filter(|row| {
            row.message_id
                .as_deref()
                .is_none_or(|id| message_ids.contains(id))
        })
        .map(|row| row.id)
        .collect();
    loaded
        .entries
        .iter()
        .filter(|entry| candidates.contains(&entry.message))
        .map(|entry| (entry.scope, entry.key.clone()))
        .filter(|place| !observed.contains(place) && !known.contains_key(place))
        .collect()
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
