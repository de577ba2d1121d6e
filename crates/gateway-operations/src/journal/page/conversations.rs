//! Which conversation a message belongs to, where that hangs on other messages.

use email_model::MessageId;
use gateway_store::MessageRow;

use super::{Observation, State, ThreadFact};
use crate::journal::threads::provisional_thread_of_replies;

impl State<'_> {
    pub(super) fn thread_of(&self, row: &mut MessageRow, observation: &Observation) {
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
    pub(super) fn adopt_replies(&mut self, parent: &MessageRow) {
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
}
