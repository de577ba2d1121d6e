//! The truth about a user's mailbox, for tests to see and change beside the API.

use std::sync::Arc;

use crate::content::Content;
use crate::mailbox::{Id, Mailbox, SendAs, Stored};
use crate::payload::hex;
use crate::server::Inner;

/// A user's mailbox, seen and changed at once: without quota, faults and lag, but with history and notifications.
#[derive(Clone)]
pub struct User {
    pub(crate) inner: Arc<Inner>,
    pub(crate) email: String,
}

/// A message as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// In hexadecimal.
    pub id: String,
    /// In hexadecimal.
    pub thread_id: String,
    /// Label ids in order.
    pub labels: Vec<String>,
    /// Milliseconds of the Unix epoch.
    pub internal_date: i64,
    /// The draft that it stands under.
    pub draft_id: Option<String>,
    /// Its octets.
    pub raw: Vec<u8>,
}

impl User {
    fn with<T>(&self, act: impl FnOnce(&mut Mailbox, i64) -> T) -> T {
        let now_ms = self.inner.clock.now_ms();
        let mut world = self.inner.world();
        act(world.add_user(&self.email), now_ms)
    }

    /// The address.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Puts a message in, into the thread that it refers to, and gives its id.
    pub fn append(&self, raw: &[u8], labels: &[&str], internal_date: i64) -> String {
        self.with(|mailbox, now_ms| {
            let content = Content::new(raw.to_vec());
            let thread = mailbox.thread_for(&content);
            let labels = labels.iter().map(|&label| label.to_owned()).collect();
            hex(mailbox.add(content, labels, internal_date, thread, now_ms))
        })
    }

    /// A message of the chat service, which some mailboxes hold from times past.
    pub fn append_chat(&self, text: &str, internal_date: i64) -> String {
        let raw = format!(
            "From: {email}\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{text}",
            email = self.email
        );
        self.append(raw.as_bytes(), &["CHAT"], internal_date)
    }

    /// Adds and removes labels; false where there is no such message.
    pub fn modify(&self, id: &str, add: &[&str], remove: &[&str]) -> bool {
        let own = |labels: &[&str]| -> Vec<String> {
            labels.iter().map(|&label| label.to_owned()).collect()
        };
        self.change(id, |mailbox, id, now_ms| {
            mailbox.relabel(&[id], &own(add), &own(remove), now_ms);
        })
    }

    /// Moves to the trash; false where there is no such message.
    pub fn trash(&self, id: &str) -> bool {
        self.change(id, |mailbox, id, now_ms| mailbox.trash(&[id], now_ms))
    }

    /// Deletes for ever; false where there is no such message.
    pub fn delete(&self, id: &str) -> bool {
        self.change(id, |mailbox, id, now_ms| mailbox.delete(&[id], now_ms))
    }

    fn change(&self, id: &str, act: impl FnOnce(&mut Mailbox, Id, i64)) -> bool {
        let Ok(id) = Id::from_str_radix(id, 16) else {
            return false;
        };
        self.with(|mailbox, now_ms| {
            let known = mailbox.messages.contains_key(&id);
            if known {
                act(mailbox, id, now_ms);
            }
            known
        })
    }

    /// Makes a label and gives its id; none where the name is taken or not allowed.
    #[must_use]
    pub fn create_label(&self, name: &str) -> Option<String> {
        self.with(|mailbox, _| mailbox.create_label(name).ok())
    }

    /// Renames a label of the user's; false where that cannot be.
    pub fn rename_label(&self, id: &str, name: &str) -> bool {
        self.with(|mailbox, _| {
            mailbox.check_name(name, Some(id)).is_ok()
                && mailbox
                    .user_label(id)
                    .map(|label| label.name = name.to_owned())
                    .is_ok()
        })
    }

    /// Deletes a label of the user's and takes it off all messages; false where there is none.
    pub fn delete_label(&self, id: &str) -> bool {
        self.with(|mailbox, now_ms| mailbox.delete_label(id, now_ms).is_ok())
    }

    /// The user's own labels: ids and names.
    #[must_use]
    pub fn labels(&self) -> Vec<(String, String)> {
        self.with(|mailbox, _| {
            mailbox
                .labels
                .values()
                .filter(|label| label.user)
                .map(|label| (label.id.clone(), label.name.clone()))
                .collect()
        })
    }

    /// Makes a draft and gives its id.
    pub fn create_draft(&self, raw: &[u8]) -> String {
        self.with(|mailbox, now_ms| mailbox.create_draft(Content::new(raw.to_vec()), None, now_ms))
    }

    /// Replaces a draft's message, as every saving in the web mail does, and gives the new message's id.
    pub fn edit_draft(&self, draft_id: &str, raw: &[u8]) -> Option<String> {
        self.with(|mailbox, now_ms| {
            mailbox
                .replace_draft(draft_id, Content::new(raw.to_vec()), now_ms)
                .map(hex)
        })
    }

    /// Deletes a draft; false where there is none.
    pub fn delete_draft(&self, draft_id: &str) -> bool {
        self.with(|mailbox, now_ms| mailbox.delete_draft(draft_id, now_ms))
    }

    /// All messages, oldest id first.
    #[must_use]
    pub fn messages(&self) -> Vec<Truth> {
        self.with(|mailbox, _| {
            mailbox
                .messages
                .values()
                .map(|stored| truth(mailbox, stored))
                .collect()
        })
    }

    /// One message.
    #[must_use]
    pub fn message(&self, id: &str) -> Option<Truth> {
        let id = Id::from_str_radix(id, 16).ok()?;
        self.with(|mailbox, _| {
            let stored = mailbox.messages.get(&id)?;
            Some(truth(mailbox, stored))
        })
    }

    /// Forgets the history: every earlier `startHistoryId` is too old from now on.
    pub fn expire_history(&self) {
        self.with(|mailbox, _| mailbox.expire_history());
    }

    /// The newest history id.
    #[must_use]
    pub fn history_id(&self) -> u64 {
        self.with(|mailbox, _| mailbox.history_id)
    }

    /// Raises the history ids, beyond 2^53 say, without a change.
    pub fn raise_history_id(&self, to: u64) {
        self.with(|mailbox, _| mailbox.history_id = mailbox.history_id.max(to));
    }

    /// Adds an address to send as; those not verified cannot be used.
    pub fn add_send_as(&self, email: &str, name: &str, verified: bool) {
        self.with(|mailbox, _| {
            mailbox.send_as.push(SendAs {
                email: email.to_owned(),
                name: name.to_owned(),
                verified,
                primary: false,
            });
        });
    }

    /// The topic that is notified, while a watch is in effect.
    #[must_use]
    pub fn watched_topic(&self) -> Option<String> {
        self.with(|mailbox, now_ms| {
            let watch = mailbox.watch.as_ref()?;
            (watch.expires_ms > now_ms).then(|| watch.topic.clone())
        })
    }

    /// Quota units spent so far.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.inner.world().quota.user_total(&self.email)
    }
}

fn truth(mailbox: &Mailbox, stored: &Stored) -> Truth {
    let draft_id = mailbox
        .drafts
        .iter()
        .find(|(_, message)| **message == stored.id)
        .map(|(draft, _)| draft.clone());
    Truth {
        id: hex(stored.id),
        thread_id: hex(stored.thread),
        labels: stored.labels.iter().cloned().collect(),
        internal_date: stored.date,
        draft_id,
        raw: stored.content.raw.clone(),
    }
}
