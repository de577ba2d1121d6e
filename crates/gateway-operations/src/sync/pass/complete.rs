//! What a feed leaves out of a new entry, and entries in the gateway's terms.

use std::collections::{HashMap, HashSet};

use email_model::{EntryKey, FolderKey};
use email_provider::{Detail, Entry, EntryState, MessageRef, Priority};
use gateway_store::{LoadRequest, ScopeNumber, ScopeRow};

use super::{PAGE, PassContext, PassError};
use crate::{Gateway, journal::Observation};

/// Messages that are read as if somebody waited for each of them, as a client of the feed does. More are
/// background work, which must not keep others from reading.
const FEW: usize = 50;

impl Gateway {
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
        let mut call = context.call;
        if missing.len() > FEW {
            call.priority = Priority::Background;
        }
        let mut read = HashMap::new();
        for chunk in missing.chunks(PAGE) {
            let provider = context.mailbox.provider.as_ref();
            for fetched in provider.fetch(call, chunk, Detail::Envelope).await? {
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

    /// Entries in the gateway's terms.
    pub(crate) async fn observations(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
        entries: Vec<Entry>,
    ) -> Result<Vec<Observation>, PassError> {
        let states = entries.iter().filter_map(|entry| entry.state.as_ref());
        self.learn_folders(context, states).await?;
        let observations = entries
            .into_iter()
            .map(|entry| self.observation(context.journal, number, entry));
        Ok(observations.collect())
    }

    /// Makes sure that the directory knows the folders of these states, also those made since the survey: a
    /// place that is not known would be left out for good.
    pub(crate) async fn learn_folders<'a>(
        &self,
        context: &PassContext<'_>,
        states: impl Iterator<Item = &'a EntryState>,
    ) -> Result<(), PassError> {
        let directory = context.journal.directory();
        let known: HashSet<&FolderKey> = directory.folders.iter().map(|row| &row.key).collect();
        if states
            .flat_map(|state| &state.folders)
            .all(|key| known.contains(key))
        {
            return Ok(());
        }
        let folders = context.mailbox.provider.folders(context.call).await?;
        self.put_folders(context.journal, &folders).await?;
        Ok(())
    }
}
