//! Which message is at a place never seen before, and what a place that is empty means.

use std::collections::HashMap;

use email_model::{Digest128, Flags, Labels, MessageId};
use gateway_store::{EntryRow, MessageRow, Seq};

use super::{Observation, Place, State};
use crate::journal::{Announce, identity::message_digest};

impl State<'_> {
    /// Says which message a place never seen before holds. `None`: more ordinals are needed.
    pub(super) fn settle_new(
        &mut self,
        observation: &Observation,
        ordinals: u32,
        new_by_message_id: &HashMap<&str, usize>,
    ) -> Option<MessageId> {
        let identity = observation.identity.as_ref()?;
        if let Some(id) = self.expected_there(observation) {
            self.succeeded.insert(id);
            self.attach(id, observation.place.clone());
            return Some(id);
        }
        let mut gone = None;
        let mut free = None;
        let mut orphan = None;
        for ordinal in 0..ordinals {
            let digest = message_digest(self.question.mailbox, identity, ordinal);
            let id = MessageId(digest.short());
            match self.messages.get(&id) {
                // The digest's 64 bits are another message's: its id is taken for life.
                Some(row) if row.digest != digest => {}
                Some(row) if row.gone => gone = gone.or(Some(id)),
                Some(_) if !self.is_live(id) => {
                    orphan = Some(id);
                    break;
                }
                Some(_) => {}
                // Not the end of them: one whose removal was forgotten leaves a gap.
                None => free = free.or(Some((id, digest))),
            }
        }
        let id = match (orphan, free) {
            (Some(id), _) => id,
            (None, None) if gone.is_none() => return None,
            (None, free) => match self.orphan_like(observation, new_by_message_id) {
                Some(id) => {
                    self.adopted.insert(id);
                    id
                }
                None => match (gone, free) {
                    (Some(id), _) => id,
                    (None, Some((id, digest))) => {
                        self.insert(id, digest, observation);
                        id
                    }
                    (None, None) => return None,
                },
            },
        };
        self.attach(id, observation.place.clone());
        Some(id)
    }

    /// The message that the gateway itself has put there.
    fn expected_there(&self, observation: &Observation) -> Option<MessageId> {
        let id = *self.expected.get(observation.message_id.as_deref()?)?;
        // A copy that was sent to the sender has the same Message-ID, and is another message.
        let mut folders = observation.folders.iter().flatten();
        if !folders.any(|folder| self.question.own.contains(folder)) {
            return None;
        }
        self.messages
            .get(&id)
            .is_some_and(|row| !row.gone)
            .then_some(id)
    }

    /// The one message without a living entry that has this Message-ID, if the page has one new
    /// entry with it. A draft keeps its Message-ID from revision to revision while its bytes change: where the
    /// mailbox makes another message of each, so does the gateway.
    fn orphan_like(
        &self,
        observation: &Observation,
        new: &HashMap<&str, usize>,
    ) -> Option<MessageId> {
        let message_id = observation.message_id.as_deref()?;
        if new.get(message_id) != Some(&1) || is_draft(observation.labels.as_ref()) {
            return None;
        }
        let mut orphans = self
            .by_message_id
            .get(message_id)
            .into_iter()
            .flatten()
            .filter(|id| {
                let is_lost = |row: &MessageRow| !row.gone && !is_draft(row.labels.as_ref());
                !self.is_live(**id) && self.messages.get(id).is_some_and(is_lost)
            });
        match (orphans.next(), orphans.next()) {
            (Some(only), None) => Some(*only),
            _ => None,
        }
    }

    fn insert(&mut self, id: MessageId, digest: Digest128, observation: &Observation) {
        let row = MessageRow {
            id,
            digest,
            thread: None,
            thread_provisional: false,
            received_at: None,
            labels: None,
            folders: Vec::new(),
            message_id: observation.message_id.clone(),
            seq: Seq::UNANNOUNCED,
            born: Seq(0),
            discovery: 0,
            orphaned: None,
            gone: false,
            envelope: None,
        };
        self.messages.insert(id, row);
        self.inserted.insert(id);
        if let Some(message_id) = &observation.message_id {
            self.by_message_id
                .entry(message_id.clone())
                .or_default()
                .push(id);
        }
        self.discover(id);
    }

    fn attach(&mut self, id: MessageId, place: Place) {
        // The places that turned out to be empty are removed now: on a folder backend a message is
        // in one place, and the feed that reports them later finds nothing to do.
        for old in self.dead.remove(&id).unwrap_or_default() {
            self.places.remove(&old);
            self.entries_removed.push(old);
        }
        self.entries.push(EntryRow {
            scope: place.0,
            key: place.1.clone(),
            message: id,
        });
        self.live.entry(id).or_default().insert(place.clone());
        self.places.insert(place, id);
        let Some(row) = self.messages.get(&id) else {
            return;
        };
        if self.question.announce != Announce::No {
            if row.orphaned.is_some() {
                self.edit(id, |row| row.orphaned = None);
            }
        } else if row.seq.is_announced() && !row.gone {
            // Whoever leaves this place before the feed has told of it leaves it without a word.
            self.orphan(id);
        }
    }

    /// The end of a later pass looks for the message.
    fn orphan(&mut self, id: MessageId) {
        let tick = self.question.tick;
        self.edit(id, |row| row.orphaned = Some(tick));
        self.orphaned += 1;
    }

    pub(super) fn vanish(&mut self, place: &Place) {
        let Some(id) = self.places.remove(place) else {
            return;
        };
        self.entries_removed.push(place.clone());
        if self.is_live(id) {
            return;
        }
        // A tombstone may hold an entry that only a read has seen. A mark of before says nothing: whole rounds are
        // counted from the loss of the last place.
        if self.messages.get(&id).is_some_and(|row| !row.gone) {
            self.orphan(id);
        }
    }
}

pub(super) fn is_draft(labels: Option<&Labels>) -> bool {
    labels.is_some_and(|labels| labels.flags.contains(Flags::DRAFT))
}
