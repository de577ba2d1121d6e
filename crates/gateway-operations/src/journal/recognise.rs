//! Which of the gateway's messages a provider's answer is about.

use std::collections::HashMap;

use email_model::{FolderId, FolderKey, MessageId, ScopeKey};
use email_provider::{Call, Entry, Fetched, MessageRef, ThreadHint};
use gateway_store::{
    Commit, EntryRow, JournalRecord, LoadRequest, MessageRow, ScopeNumber, ScopeRow, ScopeWrite,
};

use super::{
    Announce, JournalHandle, Observation, Page,
    apply::{Applied, ApplyError},
    directory::{Directory, folder_rows, has_renamed_label},
    threads::thread_fact,
};
use crate::{
    CacheMode, Gateway, OperationResult,
    mailboxes::OpenMailbox,
    sync::scope_state::{Covered, ScopeRecord},
};

impl Gateway {
    /// Gives each fetched message its id and row, in order; a message met for the first time gets
    /// them unannounced.
    pub(crate) async fn recognise(
        &self,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        call: Call,
        fetched: &[Fetched],
    ) -> OperationResult<Vec<(MessageId, MessageRow)>> {
        if fetched.is_empty() {
            return Ok(Vec::new());
        }
        let observations = self
            .observe_fetched(mailbox, journal, call, fetched)
            .await?;
        let page = Page {
            observations: &observations,
            vanished: &[],
            announce: Announce::No,
            scope: None,
        };
        let provider = mailbox.provider.as_ref();
        let Applied { placed, rows, .. } = journal.apply(provider, call, self.now(), &page).await?;
        Ok(placed
            .into_iter()
            .filter_map(|id| Some((id, rows.get(&id)?.clone())))
            .collect())
    }

    async fn observe_fetched(
        &self,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        call: Call,
        fetched: &[Fetched],
    ) -> OperationResult<Vec<Observation>> {
        self.know_scopes(journal, fetched.iter().map(|one| &one.at.scope))
            .await?;
        let folder_keys = fetched
            .iter()
            .filter_map(|one| one.state.as_ref())
            .flat_map(|state| &state.folders);
        self.know_folders(mailbox, journal, call, folder_keys)
            .await?;
        let mut observations = Vec::with_capacity(fetched.len());
        for one in fetched {
            let Some(scope) = journal
                .directory()
                .scope_by_key(&one.at.scope)
                .map(|row| row.number)
            else {
                continue;
            };
            let envelope = one
                .content
                .as_ref()
                .map(|content| &content.envelope)
                .or(one.envelope.as_ref());
            observations.push(self.observation(
                journal,
                scope,
                Entry {
                    key: one.at.key.clone(),
                    state: one.state.clone(),
                    received_at: envelope.and_then(|envelope| envelope.received_at),
                    identity: one.identity.clone(),
                    thread: one.thread.clone(),
                    envelope: envelope.cloned(),
                    revised: false,
                },
            ));
        }
        Ok(observations)
    }

    /// A provider's entry in the gateway's terms. Scope and folders are in the directory.
    pub(crate) fn observation(
        &self,
        journal: &JournalHandle,
        scope: ScopeNumber,
        entry: Entry,
    ) -> Observation {
        let directory = journal.directory();
        let hint = entry.thread.as_ref().unwrap_or(&ThreadHint::Derive);
        let thread = thread_fact(&journal.mailbox, hint, entry.envelope.as_ref());
        let folders = entry.state.as_ref().map(|state| {
            let known = |key: &FolderKey| directory.folder_by_key(key).map(|row| row.id);
            let mut folders: Vec<FolderId> = state.folders.iter().filter_map(known).collect();
            folders.sort_unstable();
            folders.dedup();
            folders
        });
        let message_id = entry
            .envelope
            .as_ref()
            .and_then(|envelope| envelope.message_id.clone());
        let received_at = entry.received_at.or_else(|| {
            entry
                .envelope
                .as_ref()
                .and_then(|envelope| envelope.received_at)
        });
        let envelope = match self.inner.config.cache {
            CacheMode::Envelopes => entry
                .envelope
                .as_ref()
                .and_then(|envelope| journal.seal_envelope(envelope)),
            CacheMode::Ids => None,
        };
        Observation {
            place: (scope, entry.key),
            identity: entry.identity,
            thread,
            received_at,
            labels: entry.state.map(|state| state.labels),
            folders,
            message_id,
            envelope,
            revised: entry.revised,
        }
    }

    /// Makes sure that the directory knows these scopes.
    pub(crate) async fn know_scopes<'a>(
        &self,
        journal: &JournalHandle,
        keys: impl Iterator<Item = &'a ScopeKey>,
    ) -> OperationResult<()> {
        let directory = journal.directory();
        let mut unknown: Vec<ScopeKey> = keys
            .filter(|key| directory.scope_by_key(key).is_none())
            .cloned()
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        journal.reload().await?;
        journal
            .amend(&LoadRequest::default(), |loaded, directory| {
                let mut record = loaded.journal.record.clone();
                record.last_scope = last_scope(&record, directory);
                let scopes: Vec<ScopeWrite> = unknown
                    .iter()
                    .filter(|key| directory.scope_by_key(key).is_none())
                    .map(|key| {
                        record.last_scope += 1;
                        ScopeWrite {
                            row: new_scope(ScopeNumber(record.last_scope), key.clone()),
                        }
                    })
                    .collect();
                let commit = Commit {
                    scopes,
                    record: Some(record),
                    ..Commit::default()
                };
                Ok((!commit.scopes.is_empty()).then_some((commit, ())))
            })
            .await?;
        Ok(())
    }

    /// Makes sure that the directory knows these folders: lists them where it does not.
    pub(crate) async fn know_folders<'a>(
        &self,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        call: Call,
        mut keys: impl Iterator<Item = &'a FolderKey>,
    ) -> OperationResult<()> {
        let directory = journal.directory();
        if keys.all(|key| directory.folder_by_key(key).is_some()) {
            return Ok(());
        }
        let folders = mailbox.provider.folders(call).await?;
        self.put_folders(journal, &folders).await
    }

    /// Keeps what the provider says of its folders, where it differs. The names of labels are the keywords of
    /// messages: where one has another name, no feed tells of them, and everything is compared.
    pub(crate) async fn put_folders(
        &self,
        journal: &JournalHandle,
        folders: &[email_provider::Folder],
    ) -> OperationResult<()> {
        let rows = folder_rows(&journal.mailbox, folders);
        if journal.directory().folders == rows {
            return Ok(());
        }
        journal
            .amend(&LoadRequest::default(), |_, directory| {
                let changed = directory.folders != rows;
                Ok(changed.then(|| {
                    let scopes = match has_renamed_label(&directory.folders, &rows) {
                        true => directory.scopes.values().map(to_compare).collect(),
                        false => Vec::new(),
                    };
                    (
                        Commit {
                            folders: Some(rows.clone()),
                            scopes,
                            ..Commit::default()
                        },
                        (),
                    )
                }))
            })
            .await?;
        Ok(())
    }
}

/// The scope, marked to be compared in full once it has been scanned.
fn to_compare(row: &ScopeRow) -> ScopeWrite {
    let mut row = row.clone();
    ScopeRecord::edit(&mut row, |record| {
        record.rescan |= record.covered != Covered::Nothing;
    });
    ScopeWrite { row }
}

/// The greatest number that a scope has or had: what still names one that is gone must not come to mean another.
pub(crate) fn last_scope(record: &JournalRecord, directory: &Directory) -> i32 {
    let last = directory.scopes.keys().next_back();
    last.map_or(0, |last| last.0).max(record.last_scope)
}

/// A scope of which nothing has been read.
pub(crate) fn new_scope(number: ScopeNumber, key: ScopeKey) -> ScopeRow {
    ScopeRow {
        number,
        key,
        cursor: None,
        version: 0,
        state: String::new(),
    }
}

impl JournalHandle {
    /// Where a message is now, as far as the journal knows.
    pub async fn places(
        &self,
        id: MessageId,
    ) -> Result<Option<(MessageRow, Vec<MessageRef>)>, ApplyError> {
        let Some((row, entries)) = self.store.message(self.account, id).await? else {
            return Ok(None);
        };
        let directory = self.directory();
        let refs = entries
            .into_iter()
            .filter_map(|entry| directory.reference(&(entry.scope, entry.key)))
            .collect();
        Ok(Some((row, refs)))
    }

    /// Where what a request finds is now.
    pub async fn entries_of(&self, request: &LoadRequest) -> Result<Vec<MessageRef>, ApplyError> {
        let loaded = self.store.load(self.account, request).await?;
        let directory = self.directory();
        let at = |entry: EntryRow| directory.reference(&(entry.scope, entry.key));
        Ok(loaded.entries.into_iter().filter_map(at).collect())
    }

    /// Where messages are now, by id; a message without a place is left out.
    pub async fn places_of(
        &self,
        ids: Vec<MessageId>,
    ) -> Result<HashMap<MessageId, MessageRef>, ApplyError> {
        let request = LoadRequest {
            ids,
            ..LoadRequest::default()
        };
        let loaded = self.store.load(self.account, &request).await?;
        let directory = self.directory();
        Ok(loaded
            .entries
            .into_iter()
            .filter_map(|entry| {
                Some((
                    entry.message,
                    directory.reference(&(entry.scope, entry.key))?,
                ))
            })
            .collect())
    }
}
