//! Which conversation a message joins.

use super::{Id, Mailbox};
use crate::content::Content;

/// A conversation of this many messages is full, and a new one begins.
const MESSAGES_A_THREAD: usize = 100;

impl Mailbox {
    /// The thread of mail that comes in: one that it refers to, if the subject is the same.
    pub fn thread_for(&self, content: &Content) -> Option<Id> {
        content
            .references
            .iter()
            .rev()
            .filter_map(|name| self.by_message_id.get(name))
            .flatten()
            .map(|id| &self.messages[id])
            .find(|parent| parent.content.base_subject == content.base_subject)
            .map(|parent| parent.thread)
            .filter(|thread| self.threads[thread].len() < MESSAGES_A_THREAD)
    }

    /// The thread that the API's caller asked for, if the message refers to it and has its subject.
    pub fn asked_thread(&self, asked: Id, content: &Content) -> Option<Id> {
        let members = self.threads.get(&asked)?;
        let fits = members.iter().map(|id| &self.messages[id]).any(|member| {
            let name = member.content.message_id.as_ref();
            name.is_some_and(|name| content.references.contains(name))
                && member.content.base_subject == content.base_subject
        });
        (fits && members.len() < MESSAGES_A_THREAD).then_some(asked)
    }

    pub fn has_thread(&self, id: Id) -> bool {
        self.threads.contains_key(&id)
    }
}
