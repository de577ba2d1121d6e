//! Drafts: a lasting id over messages that are replaced.

use rand::Rng;

use super::{Id, Labels, Mailbox};
use crate::content::Content;

impl Mailbox {
    pub fn create_draft(&mut self, content: Content, thread: Option<Id>, now_ms: i64) -> String {
        let message = self.add(content, draft_labels(), now_ms, thread, now_ms);
        let id = format!("r{}", self.rng.random_range(1_i64 << 60..i64::MAX));
        self.drafts.insert(id.clone(), message);
        id
    }

    /// Deletes the message under the draft and puts another in its place, with another id.
    pub fn replace_draft(&mut self, id: &str, content: Content, now_ms: i64) -> Option<Id> {
        let old = *self.drafts.get(id)?;
        let thread = self.messages.get(&old).map(|stored| stored.thread);
        self.drafts.remove(id);
        self.delete(&[old], now_ms);
        let new = self.add(content, draft_labels(), now_ms, thread, now_ms);
        self.drafts.insert(id.to_owned(), new);
        Some(new)
    }

    pub fn delete_draft(&mut self, id: &str, now_ms: i64) -> bool {
        let Some(message) = self.drafts.remove(id) else {
            return false;
        };
        self.delete(&[message], now_ms);
        true
    }
}

fn draft_labels() -> Labels {
    Labels::from(["DRAFT".to_owned()])
}
