//! Adding, labelling and deleting messages.

use std::sync::Arc;

use super::{Change, ChangeKind, Id, Labels, Mailbox, Stored};
use crate::content::Content;

/// A history record holds the changes of a few messages at most.
const MESSAGES_A_RECORD: usize = 10;

impl Mailbox {
    /// Puts a message in, into a given thread or a new one.
    pub fn add(
        &mut self,
        content: Content,
        labels: Labels,
        date: i64,
        thread: Option<Id>,
        now_ms: i64,
    ) -> Id {
        let id = self.next_id(now_ms);
        let history_id = self.next_history_id();
        let stored = Stored {
            id,
            thread: thread.unwrap_or(id),
            labels,
            date,
            history_id,
            content: Arc::new(content),
        };
        let change = Change::of(&stored, ChangeKind::Added, Vec::new());
        self.index(stored);
        self.record(history_id, vec![change], now_ms);
        id
    }

    /// Adds and removes labels; messages that are unknown or stay as they are take no part.
    pub fn relabel(&mut self, ids: &[Id], add: &[String], remove: &[String], now_ms: i64) {
        for chunk in ids.chunks(MESSAGES_A_RECORD) {
            let next = self.next_history_id();
            let mut changes = Vec::new();
            for id in chunk {
                let Some(stored) = self.messages.get_mut(id) else {
                    continue;
                };
                let added: Vec<String> = add
                    .iter()
                    .filter(|label| stored.labels.insert((*label).clone()))
                    .cloned()
                    .collect();
                let removed: Vec<String> = remove
                    .iter()
                    .filter(|label| stored.labels.remove(*label))
                    .cloned()
                    .collect();
                for (kind, delta) in [
                    (ChangeKind::LabelsAdded, added),
                    (ChangeKind::LabelsRemoved, removed),
                ] {
                    if !delta.is_empty() {
                        stored.history_id = next;
                        changes.push(Change::of(stored, kind, delta));
                    }
                }
            }
            if !changes.is_empty() {
                self.record(next, changes, now_ms);
            }
        }
    }

    /// Deletes for ever; drafts of these messages go with them.
    pub fn delete(&mut self, ids: &[Id], now_ms: i64) {
        for chunk in ids.chunks(MESSAGES_A_RECORD) {
            let changes: Vec<Change> = chunk
                .iter()
                .filter_map(|id| self.unindex(*id))
                .map(|stored| Change::of(&stored, ChangeKind::Deleted, Vec::new()))
                .collect();
            if !changes.is_empty() {
                let next = self.next_history_id();
                self.record(next, changes, now_ms);
            }
        }
        self.drafts.retain(|_, message| !ids.contains(message));
    }

    pub fn trash(&mut self, ids: &[Id], now_ms: i64) {
        self.relabel(
            ids,
            &["TRASH".to_owned()],
            &["INBOX".to_owned(), "SPAM".to_owned()],
            now_ms,
        );
    }

    pub fn untrash(&mut self, ids: &[Id], now_ms: i64) {
        self.relabel(ids, &[], &["TRASH".to_owned()], now_ms);
    }
}
