//! A draft on its way to Sent Items.

use super::{Edit, Mailbox, Number};
use crate::content::Content;

impl Mailbox {
    /// A draft is handed over: it is found no more until it is settled.
    pub fn hand_over(&mut self, number: Number, content: Content, save: bool, now_ms: i64) {
        let edit = Edit {
            content: Some(content),
            ..Edit::default()
        };
        self.edit(number, edit, now_ms);
        let outbox = self.well_known("outbox").unwrap_or_default();
        self.move_message(number, outbox, false, now_ms);
        if let Some(stored) = self.messages.get_mut(&number) {
            stored.sending_since = Some(now_ms);
        }
        if save {
            self.sending.push(number);
        } else {
            self.purge(number, now_ms);
        }
    }

    /// What was sent is in Sent Items: the same message, read and no longer a draft.
    pub fn settle(&mut self, number: Number, now_ms: i64) {
        self.sending.retain(|waiting| *waiting != number);
        let Some(stored) = self.messages.get_mut(&number) else {
            return;
        };
        stored.sending_since = None;
        stored.draft = false;
        stored.read = true;
        let sent = self.well_known("sentitems").unwrap_or_default();
        self.move_message(number, sent, false, now_ms);
    }
}
