//! What an observation changes about its message.

use email_model::MessageId;
use gateway_store::Seq;

use super::{Observation, State, places::is_draft};
use crate::journal::Announce;

impl State<'_> {
    pub(super) fn observe(&mut self, id: MessageId, observation: &Observation) {
        let announce = self.question.announce;
        let Some(row) = self.messages.get(&id) else {
            return;
        };
        let was_gone = row.gone;
        if was_gone && announce == Announce::No {
            return;
        }
        let mut next = row.clone();
        if was_gone {
            next.gone = false;
            next.labels = None;
            next.folders.clear();
        }
        if self.adopted.remove(&id) {
            // It is the same message with another date, size or order of header fields.
            next.received_at = observation.received_at.or(next.received_at);
            if observation.envelope.is_some() {
                next.envelope = None;
            }
        }
        let succeeded = self.succeeded.remove(&id);
        let revised = observation.revised && announce == Announce::Feed;
        // A draft that is none any more was sent, and has another date since then.
        let labels = observation.labels.as_ref();
        let was_sent = announce == Announce::Feed
            && is_draft(next.labels.as_ref())
            && labels.is_some_and(|labels| !is_draft(Some(labels)));
        if succeeded || revised || was_sent {
            next.received_at = observation.received_at.or(next.received_at);
            next.message_id = observation.message_id.clone().or(next.message_id);
            next.envelope = None;
        }
        if succeeded {
            next.labels = observation.labels.clone().or(next.labels);
            next.folders = observation.folders.clone().unwrap_or(next.folders);
        }
        if announce != Announce::No {
            next.orphaned = None;
        }
        fill(&mut next.received_at, &observation.received_at);
        fill(&mut next.message_id, &observation.message_id);
        fill(&mut next.envelope, &observation.envelope);
        let mut changed = was_gone || succeeded || revised;
        if let Some(labels) = &observation.labels {
            let differs = next.labels.as_ref() != Some(labels);
            if differs && (announce != Announce::No || next.labels.is_none()) {
                changed |= next.labels.is_some() || announce == Announce::Feed;
                next.labels = Some(labels.clone());
            }
        }
        if let Some(folders) = &observation.folders
            && next.folders != *folders
            && (announce != Announce::No || next.folders.is_empty())
        {
            changed |= !next.folders.is_empty() || announce == Announce::Feed;
            next.folders = folders.clone();
        }
        let announced_now = !next.seq.is_announced() && announce != Announce::No;
        if announced_now && announce == Announce::FirstScan {
            next.seq = Seq::FIRST_SCAN;
        }
        let old_thread = next.thread;
        self.thread_of(&mut next, observation);
        changed |= old_thread.is_some() && old_thread != next.thread;
        let found_thread = old_thread != next.thread;
        if self.messages.get(&id) != Some(&next) || changed || announced_now {
            self.edit(id, |row| row.clone_from(&next));
        }
        if announced_now && announce == Announce::FirstScan && !self.inserted.contains(&id) {
            // A walk may have passed its number while it was not announced.
            self.discover(id);
        }
        if (changed && next.seq.is_announced()) || (announced_now && announce == Announce::Feed) {
            self.changed.insert(id);
        }
        if found_thread {
            self.adopt_replies(&next);
        }
    }
}

fn fill<T: Clone>(field: &mut Option<T>, value: &Option<T>) {
    if field.is_none() {
        field.clone_from(value);
    }
}
