//! The rows of a page while they are being changed, and the commit that they become.

use std::collections::{HashMap, HashSet};

use email_model::MessageId;
use gateway_store::{Commit, EntryRow, ExpectedMessage, Loaded, MessageRow, Seq};

use super::{Outcome, Place, Question};

/// The rows as loaded, and what has become of them.
pub(super) struct State<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) messages: HashMap<MessageId, MessageRow>,
    /// Live entries by message: dead and vanished ones are left out.
    pub(super) live: HashMap<MessageId, HashSet<Place>>,
    pub(super) places: HashMap<Place, MessageId>,
    pub(super) by_message_id: HashMap<String, Vec<MessageId>>,
    /// Messages that turn up in a new place, by Message-ID.
    pub(super) expected: HashMap<String, MessageId>,
    /// Places of a message that are known to be empty.
    pub(super) dead: HashMap<MessageId, Vec<Place>>,
    /// Messages to write, in the order in which they were touched first.
    pub(super) touched: Vec<MessageId>,
    pub(super) is_touched: HashSet<MessageId>,
    pub(super) inserted: HashSet<MessageId>,
    /// Messages recognised by their Message-ID alone, of which the rest may differ.
    pub(super) adopted: HashSet<MessageId>,
    /// Messages that the gateway itself put into a new place: all of them may differ.
    pub(super) succeeded: HashSet<MessageId>,
    pub(super) changed: HashSet<MessageId>,
    pub(super) entries: Vec<EntryRow>,
    pub(super) entries_removed: Vec<Place>,
    pub(super) placed: Vec<MessageId>,
    pub(super) orphaned: usize,
    pub(super) head: i64,
    pub(super) discovered: i64,
    pub(super) revision: i64,
}

impl<'a> State<'a> {
    pub(super) fn new(question: &'a Question<'a>, loaded: &Loaded) -> Self {
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
        let is_awaited = |expected: &&ExpectedMessage| expected.until > question.now;
        let expected = loaded.journal.record.expected.iter().filter(is_awaited);
        let expected = expected
            .map(|expected| (expected.message_id.clone(), expected.id))
            .collect();
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
            expected,
            dead,
            touched: Vec::new(),
            is_touched: HashSet::new(),
            inserted: HashSet::new(),
            adopted: HashSet::new(),
            succeeded: HashSet::new(),
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

    pub(super) fn is_live(&self, id: MessageId) -> bool {
        self.live
            .get(&id)
            .is_some_and(|entries| !entries.is_empty())
    }

    /// A row that will be written.
    pub(super) fn edit(&mut self, id: MessageId, change: impl FnOnce(&mut MessageRow)) {
        if let Some(row) = self.messages.get_mut(&id) {
            change(row);
            if self.is_touched.insert(id) {
                self.touched.push(id);
            }
        }
    }

    pub(super) fn discover(&mut self, id: MessageId) {
        self.discovered += 1;
        let number = self.discovered;
        self.edit(id, |row| row.discovery = number);
    }

    pub(super) fn finish(mut self) -> Outcome {
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
