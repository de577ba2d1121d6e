//! The truth about a user's mailbox, for tests to see and change beside the API.

mod folders;

use std::sync::Arc;

use serde_json::json;

use crate::content::{Attachment, AttachmentBody, Content};
use crate::mailbox::{Edit, FolderKey, Mailbox, Number, Stored};
use crate::server::Inner;
use crate::world::World;

pub use folders::TrueFolder;

/// A user's mailbox, seen and changed at once: without limits, errors and lag, but with deltas and notifications.
///
/// Messages go by either of their ids, folders by their id or well-known name.
#[derive(Clone)]
pub struct User {
    pub(crate) inner: Arc<Inner>,
    pub(crate) email: String,
}

/// A message as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// The immutable id.
    pub id: String,
    /// The id that holds until the next move.
    pub mutable_id: String,
    /// The id of the folder that it is in.
    pub folder: String,
    /// `isRead`.
    pub read: bool,
    /// `flag.flagStatus` is `flagged`.
    pub flagged: bool,
    /// In order.
    pub categories: Vec<String>,
    /// `isDraft`.
    pub draft: bool,
    /// Milliseconds of the Unix epoch; the API gives whole seconds.
    pub received_ms: i64,
    /// `conversationId`.
    pub conversation: String,
    /// It is of the chat service.
    pub chat: bool,
    /// Its octets.
    pub raw: Vec<u8>,
}

impl User {
    fn with<T>(&self, act: impl FnOnce(&mut Mailbox, i64) -> T) -> T {
        let now_ms = self.inner.clock.now_ms();
        let mut world = self.inner.world();
        act(world.add_user(&self.email), now_ms)
    }

    fn change(&self, id: &str, act: impl FnOnce(&mut Mailbox, Number, i64)) -> bool {
        self.with(|mailbox, now_ms| {
            let found = mailbox.number(id);
            if let Some(number) = found {
                act(mailbox, number, now_ms);
            }
            found.is_some()
        })
    }

    /// The address.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Puts a message that was not read into a folder, as if it had come at that time, and gives its immutable id. In
    /// the drafts folder it is a draft.
    ///
    /// # Panics
    /// Where there is no such folder.
    pub fn append(&self, raw: &[u8], folder: &str, received_ms: i64) -> String {
        self.with(|mailbox, now_ms| {
            let folder = key(mailbox, folder).expect("the test names a folder that is there");
            let draft = mailbox.well_known("drafts") == Some(folder);
            let number = mailbox.add(
                Content::parse(raw.to_vec()),
                folder,
                received_ms,
                draft,
                now_ms,
            );
            immutable(mailbox, number)
        })
    }

    /// A message comes into the inbox now; its immutable id.
    pub fn deliver(&self, raw: &[u8]) -> String {
        let now_ms = self.inner.clock.now_ms();
        self.append(raw, "inbox", now_ms)
    }

    /// A message of the chat service, in a hidden folder of its own, which `/me/messages` nevertheless lists.
    pub fn append_chat(&self, text: &str, received_ms: i64) -> String {
        let raw = format!(
            "From: {email}\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{text}",
            email = self.email
        );
        self.with(|mailbox, now_ms| {
            let root = mailbox
                .well_known("recoverableitemsroot")
                .unwrap_or_default();
            let name = "TeamsMessagesData";
            let known = mailbox
                .children(root)
                .iter()
                .find(|folder| folder.name == name)
                .map(|folder| folder.key);
            let folder = known
                .or_else(|| mailbox.create_folder(name, root, true, now_ms).ok())
                .unwrap_or_default();
            let content = Content::parse(raw.into_bytes());
            let number = mailbox.add(content, folder, received_ms, false, now_ms);
            if let Some(stored) = mailbox.messages.get_mut(&number) {
                stored.chat = true;
            }
            immutable(mailbox, number)
        })
    }

    /// Sets the read flag; false where there is no such message.
    pub fn set_read(&self, id: &str, read: bool) -> bool {
        self.edit(
            id,
            Edit {
                read: Some(read),
                ..Edit::default()
            },
        )
    }

    /// Sets or takes away the follow-up flag; false where there is no such message.
    pub fn set_flag(&self, id: &str, flagged: bool) -> bool {
        let status = if flagged { "flagged" } else { "notFlagged" };
        let flag = Some(json!({"flagStatus": status}));
        self.edit(
            id,
            Edit {
                flag,
                ..Edit::default()
            },
        )
    }

    /// Sets the categories; false where there is no such message.
    pub fn set_categories(&self, id: &str, categories: &[&str]) -> bool {
        let categories = categories.iter().map(|&name| name.to_owned()).collect();
        self.edit(
            id,
            Edit {
                categories: Some(categories),
                ..Edit::default()
            },
        )
    }

    /// Replaces what a draft says, as every saving in Outlook does; the ids stay.
    pub fn edit_draft(&self, id: &str, raw: &[u8]) -> bool {
        let content = Some(Content::parse(raw.to_vec()));
        self.edit(
            id,
            Edit {
                content,
                ..Edit::default()
            },
        )
    }

    fn edit(&self, id: &str, edit: Edit) -> bool {
        self.change(id, |mailbox, number, now_ms| {
            mailbox.edit(number, edit, now_ms)
        })
    }

    /// Moves a message; false where there is no such message or folder.
    pub fn move_to(&self, id: &str, folder: &str) -> bool {
        let now_ms = self.inner.clock.now_ms();
        let mut world = self.inner.world();
        world.add_user(&self.email);
        let World {
            users, faults, rng, ..
        } = &mut *world;
        let Some(mailbox) = users.get_mut(&self.email.to_lowercase()) else {
            return false;
        };
        let (Some(number), Some(folder)) = (mailbox.number(id), key(mailbox, folder)) else {
            return false;
        };
        let silent = faults.unreported_arrivals.strikes(rng);
        mailbox.move_message(number, folder, silent, now_ms);
        true
    }

    /// Copies a message and gives the copy's immutable id.
    #[must_use]
    pub fn copy_to(&self, id: &str, folder: &str) -> Option<String> {
        self.with(|mailbox, now_ms| {
            let folder = key(mailbox, folder)?;
            let copy = mailbox.copy_message(mailbox.number(id)?, folder, now_ms)?;
            Some(immutable(mailbox, copy))
        })
    }

    /// Deletes a message as the user does: into Deleted Items, or from there for ever; false where there is none.
    pub fn delete(&self, id: &str) -> bool {
        let keep = self.inner.world().settings.readable_after_deletion;
        self.change(id, |mailbox, number, now_ms| {
            mailbox.delete(number, keep, false, now_ms)
        })
    }

    /// Deletes a message for ever; false where there is none.
    pub fn delete_permanently(&self, id: &str) -> bool {
        self.change(id, Mailbox::purge)
    }

    /// Attaches something in the cloud.
    pub fn attach_reference(&self, id: &str, name: &str, url: &str) -> bool {
        self.change(id, |mailbox, number, now_ms| {
            let Some(stored) = mailbox.messages.get(&number) else {
                return;
            };
            let mut content = Content::clone(&stored.content);
            content.attachments.push(Attachment {
                number: content.next_attachment(),
                name: name.to_owned(),
                content_type: None,
                inline: false,
                content_id: None,
                body: AttachmentBody::Reference(url.to_owned()),
            });
            let edit = Edit {
                content: Some(content),
                ..Edit::default()
            };
            mailbox.edit(number, edit, now_ms);
        })
    }

    /// All messages in folders that the user sees, oldest first as they came to be.
    #[must_use]
    pub fn messages(&self) -> Vec<Truth> {
        self.with(|mailbox, _| {
            mailbox
                .messages
                .values()
                .filter(|stored| mailbox.in_tree(stored.folder))
                .map(|stored| truth(mailbox, stored))
                .collect()
        })
    }

    /// One message.
    #[must_use]
    pub fn message(&self, id: &str) -> Option<Truth> {
        self.with(|mailbox, _| mailbox.find(id).map(|stored| truth(mailbox, stored)))
    }

    /// Every delta token so far is void.
    pub fn expire_deltas(&self) {
        self.with(|mailbox, _| mailbox.epoch += 1);
    }

    /// Every message gets other ids, immutable ones too, and every delta token is void: as after an archived mailbox was
    /// put back.
    pub fn change_all_ids(&self) {
        self.with(|mailbox, _| mailbox.change_all_ids());
    }

    /// An address besides its own that the user may send as.
    pub fn add_alias(&self, email: &str) {
        self.with(|mailbox, _| mailbox.aliases.push(email.to_owned()));
    }

    /// The ids of the subscriptions in effect.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<String> {
        self.with(|mailbox, now_ms| {
            let live = mailbox
                .subscriptions
                .values()
                .filter(|subscription| subscription.expires_ms > now_ms);
            live.map(|subscription| subscription.id.clone()).collect()
        })
    }
}

fn key(mailbox: &Mailbox, folder: &str) -> Option<FolderKey> {
    mailbox.folder(folder).ok().map(|folder| folder.key)
}

fn immutable(mailbox: &Mailbox, number: Number) -> String {
    mailbox
        .messages
        .get(&number)
        .map(|stored| stored.immutable_id.to_string())
        .unwrap_or_default()
}

fn truth(mailbox: &Mailbox, stored: &Stored) -> Truth {
    Truth {
        id: stored.immutable_id.to_string(),
        mutable_id: stored.id.to_string(),
        folder: mailbox
            .folders
            .get(&stored.folder)
            .map(|folder| folder.id.clone())
            .unwrap_or_default(),
        read: stored.read,
        flagged: stored.flag["flagStatus"] == "flagged",
        categories: stored.categories.clone(),
        draft: stored.draft,
        received_ms: stored.received_ms,
        conversation: crate::encoding::conversation_id(stored.conversation),
        chat: stored.chat,
        raw: stored.content.octets(),
    }
}
