//! What a page of observations means: a pure computation from the loaded rows to one commit.

use std::collections::{HashMap, HashSet};

use email_model::{EntryKey, FolderId, Labels, MessageId, ThreadId, Timestamp};
use email_provider::Identity;
use gateway_store::{Commit, EntryRow, Loaded, MessageRow, ScopeNumber, Seq};

use super::{Announce, identity::message_digest, threads::provisional_thread_of_replies};

/// A place in the provider, by number.
pub(crate) type Place = (ScopeNumber, EntryKey);

/// An entry as the provider tells of it, in the gateway's terms. `None` is "not told".
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    pub place: Place,
    /// Needed for a place that is not known yet.
    pub identity: Option<Identity>,
    pub thread: Option<ThreadFact>,
    pub received_at: Option<Timestamp>,
    pub labels: Option<Labels>,
    pub folders: Option<Vec<FolderId>>,
    pub message_id: Option<String>,
    /// The sealed envelope.
    pub envelope: Option<Vec<u8>>,
}

/// What is known of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ThreadFact {
    /// For good.
    Known(ThreadId),
    /// The parent's, once that is there.
    OfParent {
        /// Message-ID of the parent, with angle brackets.
        parent: String,
        /// Until then.
        otherwise: ThreadId,
    },
}

/// How many ordinals of an identity are looked at in one go.
pub(crate) const ORDINALS: u32 = 2;

/// What [`compute`] needs besides the rows.
pub(crate) struct Question<'a> {
    pub mailbox: &'a str,
    pub observations: &'a [Observation],
    pub vanished: &'a [Place],
    /// Places known to be empty although no feed has told so yet.
    pub dead: &'a HashSet<Place>,
    pub announce: Announce,
    pub now: Timestamp,
    pub tick: i64,
}

/// What [`compute`] found.
pub(crate) enum Answer {
    /// To be committed.
    Commit(Box<Outcome>),
    /// More ordinals of these identities have to be loaded: all those looked at are taken.
    MoreOrdinals,
}

/// A computed change.
pub(crate) struct Outcome {
    pub commit: Commit,
    /// Which message is at each observed place, in the order of the observations.
    pub placed: Vec<MessageId>,
    /// Messages that lost their last entry.
    pub orphaned: usize,
}

/// Computes what a page changes. `ordinals` is how many ordinals of each identity were loaded.
pub(crate) fn compute(question: &Question<'_>, loaded: &Loaded, ordinals: u32) -> Answer {
    let mut state = State::new(question, loaded);
    let new_by_message_id = count_new(question, &state);
    for observation in question.observations {
        let known = state.places.get(&observation.place).copied();
        let id = match known {
            Some(id) => id,
            None => match state.settle_new(observation, ordinals, &new_by_message_id) {
                Some(id) => id,
                None => return Answer::MoreOrdinals,
            },
        };
        state.placed.push(id);
        state.observe(id, observation);
    }
    for place in question.vanished {
        state.vanish(place);
    }
    Answer::Commit(Box::new(state.finish()))
}

/// How many new entries of the page carry each Message-ID.
fn count_new<'a>(question: &Question<'a>, state: &State<'_>) -> HashMap<&'a str, usize> {
    let mut counts = HashMap::new();
    for observation in question.observations {
        if let Some(id) = observation.message_id.as_deref()
            && !state.places.contains_key(&observation.place)
        {
            *counts.entry(id).or_insert(0) += 1;
        }
    }
    counts
}

struct State<'a> {
    question: &'a Question<'a>,
    messages: HashMap<MessageId, MessageRow>,
    /// Live entries by message: dead and vanished ones are left out.
    live: HashMap<MessageId, HashSet<Place>>,
    places: HashMap<Place, MessageId>,
    by_message_id: HashMap<String, Vec<MessageId>>,
    /// Places of a message that are known to be empty.
    dead: HashMap<MessageId, Vec<Place>>,
    /// Messages to write, in the order in which they were touched first.
    touched: Vec<MessageId>,
    is_touched: HashSet<MessageId>,
    inserted: HashSet<MessageId>,
    changed: HashSet<MessageId>,
    entries: Vec<EntryRow>,
    entries_removed: Vec<Place>,
    placed: Vec<MessageId>,
    orphaned: usize,
    head: i64,
    discovered: i64,
    revision: i64,
}

impl<'a> State<'a> {
    fn new(question: &'a Question<'a>, loaded: &Loaded) -> Self {
        let vanished: HashSet<&Place> = question.vanished.iter().collect();
        let mut live: HashMap<MessageId, HashSet<Place>> = HashMap::new();
        let mut dead: HashMap<MessageId, Vec<Place>> = HashMap::new();
        let mut places = HashMap::new();
        for entry in &loaded.entries {
            let place = (entry.scope, entry.key.clone());
            if question.dead.contains(&place) {
                dead.entry(entry.message).or_default().push(place.clone());
            } else if !vanished.contains(&place) {
                live.entry(entry.message).or_default().insert(place.clone());
            }
            places.insert(place, entry.message);
        }
        let mut by_message_id: HashMap<String, Vec<MessageId>> = HashMap::new();
        for row in loaded.messages.iter().filter(|row| !row.gone) {
            if let Some(id) = &row.message_id {
                by_message_id.entry(id.clone()).or_default().push(row.id);
            }
        }
        Self {
            question,
            messages: loaded
                .messages
                .iter()
                .map(|row| (row.id, row.clone()))
                .collect(),
            live,
            places,
            by_message_id,
            dead,
            touched: Vec::new(),
            is_touched: HashSet::new(),
            inserted: HashSet::new(),
            changed: HashSet::new(),
            entries: Vec::new(),
            entries_removed: Vec::new(),
            placed: Vec::new(),
            orphaned: 0,
            head: loaded.journal.head.0,
            discovered: loaded.journal.discovered,
            revision: loaded.journal.revision,
        }
    }

    fn is_live(&self, id: MessageId) -> bool {
        self.live
            .get(&id)
            .is_some_and(|entries| !entries.is_empty())
    }

    /// Says which message a place never seen before holds. `None`: more ordinals are needed.
    fn settle_new(
        &mut self,
        observation: &Observation,
        ordinals: u32,
        new_by_message_id: &HashMap<&str, usize>,
    ) -> Option<MessageId> {
        let identity = observation.identity.as_ref()?;
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
                Some(id) => id,
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

    /// The one message without a living entry that has this Message-ID, if the page has one new
    /// entry with it.
    fn orphan_like(
        &self,
        observation: &Observation,
        new: &HashMap<&str, usize>,
    ) -> Option<MessageId> {
        let message_id = observation.message_id.as_deref()?;
        if new.get(message_id) != Some(&1) {
            return None;
        }
        let mut orphans = self
            .by_message_id
            .get(message_id)
            .into_iter()
            .flatten()
            .filter(|id| !self.is_live(**id) && self.messages.get(id).is_some_and(|row| !row.gone));
        match (orphans.next(), orphans.next()) {
            (Some(only), None) => Some(*only),
            _ => None,
        }
    }

    fn insert(&mut self, id: MessageId, digest: email_model::Digest128, observation: &Observation) {
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

    fn discover(&mut self, id: MessageId) {
        self.discovered += 1;
        let number = self.discovered;
        self.edit(id, |row| row.discovery = number);
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
        if self
            .messages
            .get(&id)
            .is_some_and(|row| row.orphaned.is_some())
        {
            self.edit(id, |row| row.orphaned = None);
        }
    }

    /// A row that will be written.
    fn edit(&mut self, id: MessageId, change: impl FnOnce(&mut MessageRow)) {
        if let Some(row) = self.messages.get_mut(&id) {
            change(row);
            if self.is_touched.insert(id) {
                self.touched.push(id);
            }
        }
    }

    fn observe(&mut self, id: MessageId, observation: &Observation) {
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
        fill(&mut next.received_at, &observation.received_at);
        fill(&mut next.message_id, &observation.message_id);
        fill(&mut next.envelope, &observation.envelope);
        let mut changed = was_gone;
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

    fn thread_of(&self, row: &mut MessageRow, observation: &Observation) {
        if row.thread.is_some() && !row.thread_provisional {
            return;
        }
        match &observation.thread {
            Some(ThreadFact::Known(thread)) => {
                row.thread = Some(*thread);
                row.thread_provisional = false;
            }
            Some(ThreadFact::OfParent { parent, otherwise }) => {
                let parent = self
                    .by_message_id
                    .get(parent)
                    .into_iter()
                    .flatten()
                    .filter(|id| **id != row.id)
                    .filter_map(|id| self.messages.get(id))
                    .find(|parent| parent.thread.is_some());
                row.thread = parent.map_or(Some(*otherwise), |parent| parent.thread);
                row.thread_provisional = parent.is_none_or(|parent| parent.thread_provisional);
            }
            None => {}
        }
    }

    /// Replies that had to make do with the id of their parent take its conversation.
    fn adopt_replies(&mut self, parent: &MessageRow) {
        let Some(message_id) = &parent.message_id else {
            return;
        };
        let waiting = provisional_thread_of_replies(self.question.mailbox, message_id);
        let (Some(waiting), Some(thread)) = (waiting, parent.thread) else {
            return;
        };
        if waiting == thread && parent.thread_provisional {
            return;
        }
        let replies: Vec<MessageId> = self
            .messages
            .values()
            .filter(|row| {
                row.thread_provisional
                    && row.thread == Some(waiting)
                    && row.id != parent.id
                    && !row.gone
            })
            .map(|row| row.id)
            .collect();
        for id in replies {
            self.edit(id, |row| {
                row.thread = Some(thread);
                row.thread_provisional = parent.thread_provisional;
            });
            if thread != waiting
                && self
                    .messages
                    .get(&id)
                    .is_some_and(|row| row.seq.is_announced())
            {
                self.changed.insert(id);
            }
        }
    }

    fn vanish(&mut self, place: &Place) {
        let Some(id) = self.places.remove(place) else {
            return;
        };
        self.entries_removed.push(place.clone());
        if self.is_live(id) {
            return;
        }
        // A tombstone may hold an entry that only a read has seen.
        if self
            .messages
            .get(&id)
            .is_some_and(|row| !row.gone && row.orphaned.is_none())
        {
            let tick = self.question.tick;
            self.edit(id, |row| row.orphaned = Some(tick));
            self.orphaned += 1;
        }
    }

    fn finish(mut self) -> Outcome {
        let now = self.question.now.timestamp_micros();
        let mut head = self.head;
        for id in &self.touched {
            if !self.changed.contains(id) {
                continue;
            }
            head = (head + 1).max(now);
            if let Some(row) = self.messages.get_mut(id) {
                if !row.seq.is_announced() {
                    row.born = Seq(head);
                }
                row.seq = Seq(head);
            }
        }
        let messages = self
            .touched
            .iter()
            .filter_map(|id| self.messages.remove(id))
            .collect();
        let commit = Commit {
            revision: self.revision,
            head: (head > self.head).then_some(Seq(head)),
            discovered: Some(self.discovered),
            messages,
            entries: self.entries,
            entries_removed: self.entries_removed,
            ..Commit::default()
        };
        Outcome {
            commit,
            placed: self.placed,
            orphaned: self.orphaned,
        }
    }
}

fn fill<T: Clone>(field: &mut Option<T>, value: &Option<T>) {
    if field.is_none() {
        field.clone_from(value);
    }
}
