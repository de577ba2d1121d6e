//! What a feed leaves out of a new entry.

use std::collections::{HashMap, HashSet};

use email_model::EntryKey;
use email_provider::{Detail, Entry, MessageRef};
use gateway_store::{LoadRequest, ScopeRow};

use super::{PAGE, PassContext, PassError};
use crate::Gateway;

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
        let mut read = HashMap::new();
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
}
