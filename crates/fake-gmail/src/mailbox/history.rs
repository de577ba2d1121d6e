//! The log of changes.

use std::sync::Arc;

use rand::Rng;

use super::{Id, Labels, Mailbox, Stored};
use crate::content::Content;

/// One entry of the log.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub id: u64,
    pub at_ms: i64,
    pub changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Added,
    Deleted,
    LabelsAdded,
    LabelsRemoved,
}

impl ChangeKind {
    /// The value of `historyTypes`.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Added => "messageAdded",
            Self::Deleted => "messageDeleted",
            Self::LabelsAdded => "labelAdded",
            Self::LabelsRemoved => "labelRemoved",
        }
    }

    /// The field of a history record.
    pub fn field(self) -> &'static str {
        match self {
            Self::Added => "messagesAdded",
            Self::Deleted => "messagesDeleted",
            Self::LabelsAdded => "labelsAdded",
            Self::LabelsRemoved => "labelsRemoved",
        }
    }
}

/// What happened to one message.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub kind: ChangeKind,
    pub message: Id,
    pub thread: Id,
    /// The labels added or removed.
    pub delta: Vec<String>,
    /// The labels after the change, or before a deletion.
    pub labels: Labels,
    pub date: i64,
    pub content: Arc<Content>,
}

impl Change {
    pub fn of(stored: &Stored, kind: ChangeKind, delta: Vec<String>) -> Self {
        Self {
            kind,
            message: stored.id,
            thread: stored.thread,
            delta,
            labels: stored.labels.clone(),
            date: stored.date,
            content: Arc::clone(&stored.content),
        }
    }
}

impl Mailbox {
    /// The id that the next record gets: higher than all before it, with gaps.
    pub(super) fn next_history_id(&mut self) -> u64 {
        self.history_id += self.rng.random_range(1..60);
        self.history_id
    }

    /// Writes a record, under an id of [`Self::next_history_id`].
    pub(super) fn record(&mut self, id: u64, changes: Vec<Change>, now_ms: i64) {
        self.notify(id, &changes, now_ms);
        self.history.push_back(Record {
            id,
            at_ms: now_ms,
            changes,
        });
    }

    /// Forgets the log: histories must start at the present from now on.
    pub fn expire_history(&mut self) {
        // A new id, so that even the id of the newest record has expired.
        self.next_history_id();
        self.history_floor = self.history_id;
        self.history.clear();
    }

    /// The records after an id.
    pub fn records_after(&self, id: u64) -> impl Iterator<Item = &Record> {
        let start = self.history.partition_point(|record| record.id <= id);
        self.history.range(start..)
    }

    /// The newest id that a reader sees who is behind by some changes and some time.
    pub fn visible_id(&self, behind: usize, behind_ms: i64, now_ms: i64) -> u64 {
        let hidden_by_time = self
            .history
            .iter()
            .rev()
            .take_while(|record| behind_ms > 0 && record.at_ms > now_ms - behind_ms)
            .count();
        let hidden = behind.max(hidden_by_time).min(self.history.len());
        if hidden == 0 {
            return self.history_id;
        }
        match self.history.len().checked_sub(hidden + 1) {
            Some(last) => self.history[last].id,
            None => self.history_floor,
        }
    }
}
