//! Places that may be empty although no feed has told so: the provider is asked.

use std::collections::{HashMap, HashSet};

use email_model::MessageId;
use email_provider::{Call, Detail, EmailProvider, MessageRef};
use gateway_store::{Loaded, ScopeNumber};

use super::{JournalHandle, Observation, Page, Place, apply::ApplyError};

impl JournalHandle {
    /// Asks which of these places are empty, and notes the answers.
    pub(super) async fn look_up(
        &self,
        provider: &dyn EmailProvider,
        call: Call,
        doubtful: Vec<Place>,
        empty: &mut HashMap<Place, bool>,
    ) -> Result<(), ApplyError> {
        let mut directory = self.directory();
        if doubtful
            .iter()
            .any(|place| directory.reference(place).is_none())
        {
            // Another process has added the scope.
            directory = self.reload().await?;
        }
        let refs: Vec<(Place, Option<MessageRef>)> = doubtful
            .into_iter()
            .map(|place| {
                let at = directory.reference(&place);
                (place, at)
            })
            .collect();
        let asked: Vec<MessageRef> = refs.iter().filter_map(|(_, at)| at.clone()).collect();
        let there = provider.fetch(call, &asked, Detail::Exists).await?;
        let there: HashSet<MessageRef> = there.into_iter().map(|found| found.at).collect();
        for (place, at) in refs {
            // What cannot be asked for is not known to be empty.
            let is_empty = at.is_some_and(|at| !there.contains(&at));
            empty.insert(place, is_empty);
        }
        Ok(())
    }
}

/// Places of messages that a new entry may be: if they are empty the message has moved, else the
/// entry is another message. No feed can be trusted to have told so in time.
pub(super) fn doubtful(
    page: &Page<'_>,
    loaded: &Loaded,
    known: &HashMap<Place, bool>,
) -> Vec<Place> {
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
    // A draft that was edited in place has another Message-ID than before, and its key still.
    let keys: HashSet<&[u8]> = new.iter().map(|o| o.place.1.0.as_slice()).collect();
    let of_keys: HashSet<MessageId> = loaded
        .entries
        .iter()
        .filter(|entry| keys.contains(entry.key.0.as_slice()))
        .map(|entry| entry.message)
        .collect();
    let candidates: HashSet<MessageId> = loaded
        .messages
        .iter()
        .filter(|row| !row.gone)
        .filter(|row| {
            let is_alike = |id| message_ids.contains(id);
            row.message_id.as_deref().is_none_or(is_alike) || of_keys.contains(&row.id)
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
