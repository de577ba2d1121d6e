//! What happens to a mailbox behind the gateway's back.

use bytes::Bytes;
use email_model::{Flags, FolderKey, FolderRole, Labels, Timestamp};
use email_provider::{MessageRef, ProviderResult, ScopeKey};

use crate::MemoryMailbox;

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// RFC 5322 bytes.
    pub raw: Bytes,
    /// When the mailbox gets it.
    pub received_at: Timestamp,
    /// Its flags.
    pub flags: Flags,
    /// Its keywords.
    pub keywords: Vec<String>,
}

/// A message as the mailbox holds it: the truth to compare copies with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Paths of the folders it is in.
    pub folders: Vec<String>,
    /// RFC 5322 bytes.
    pub raw: Bytes,
    /// When the mailbox got it.
    pub received_at: Timestamp,
    /// Its flags.
    pub flags: Flags,
    /// Its keywords.
    pub keywords: Vec<String>,
}

/// Every method fails with `NotFound` where the message or folder does not exist.
impl MemoryMailbox {
    /// The folder with this role.
    pub fn folder(&self, role: FolderRole) -> Option<FolderKey> {
        self.state().role(role)
    }

    /// Stores a message.
    pub fn deliver(&self, folder: &FolderKey, mail: NewMail) -> ProviderResult<MessageRef> {
        let labels = Labels::new(mail.flags, mail.keywords);
        self.change(|state| state.append(folder, mail.raw, mail.received_at, labels))
    }

    /// Finds a message by its `Message-ID`, with angle brackets, marked as deleted or not.
    pub fn find(&self, folder: &FolderKey, message_id: &str) -> Option<MessageRef> {
        let state = self.state();
        let key = state.scope_of(folder);
        let scope = state.scopes.get(&key)?;
        let record = scope.records.values().find(|record| {
            record.folders.contains(folder)
                && record.message.content.envelope.message_id.as_deref() == Some(message_id)
        })?;
        Some(MessageRef {
            key: state.key(scope, record),
            scope: key,
        })
    }

    /// What is in a folder, oldest arrival first, with flags and keywords.
    pub fn contents(&self, folder: &FolderKey) -> Vec<(MessageRef, Labels)> {
        let state = self.state();
        let key = state.scope_of(folder);
        let Some(scope) = state.scopes.get(&key) else {
            return Vec::new();
        };
        let records = scope
            .records
            .values()
            .filter(|record| !record.deleted && record.folders.contains(folder));
        records
            .map(|record| {
                let at = MessageRef {
                    scope: key.clone(),
                    key: state.key(scope, record),
                };
                (at, record.labels.clone())
            })
            .collect()
    }

    /// Sets flags and keywords, all of them.
    pub fn set_labels(
        &self,
        at: &MessageRef,
        flags: Flags,
        keywords: Vec<String>,
    ) -> ProviderResult<()> {
        let labels = Labels::new(flags, keywords);
        self.change(|state| state.change(at, |record| record.labels = labels))
    }

    /// Moves a message to another folder. On label mailboxes: out of `from`, into `to`.
    pub fn move_message(
        &self,
        at: &MessageRef,
        from: &FolderKey,
        to: &FolderKey,
    ) -> ProviderResult<MessageRef> {
        self.change(|state| {
            if !state.shape.labels {
                return state.move_to(at, to);
            }
            state.change(at, |record| {
                record.folders.remove(from);
                record.folders.insert(to.clone());
            })?;
            Ok(at.clone())
        })
    }

    /// Copies a message into another folder. On label mailboxes: adds the label.
    pub fn copy_message(&self, at: &MessageRef, to: &FolderKey) -> ProviderResult<MessageRef> {
        self.change(|state| state.copy_to(at, to))
    }

    /// Marks a message as deleted, or takes the mark away; it stays until it is expunged.
    pub fn mark_deleted(&self, at: &MessageRef, deleted: bool) -> ProviderResult<()> {
        self.change(|state| state.change(at, |record| record.deleted = deleted))
    }

    /// Removes a message for good.
    pub fn expunge(&self, at: &MessageRef) -> ProviderResult<()> {
        self.change(|state| state.expunge(at))
    }

    /// Makes a folder.
    pub fn create_folder(
        &self,
        name: &str,
        parent: Option<&FolderKey>,
    ) -> ProviderResult<FolderKey> {
        self.change(|state| state.create_folder(name, parent))
    }

    /// Deletes a folder with all that is in it and below it.
    pub fn delete_folder(&self, folder: &FolderKey) -> ProviderResult<()> {
        self.change(|state| state.delete_folder(folder))
    }

    /// Gives a folder another name; returns its key from now on.
    pub fn rename_folder(&self, folder: &FolderKey, name: &str) -> ProviderResult<FolderKey> {
        self.change(|state| state.rename_folder(folder, name))
    }

    /// Forgets the history of every scope: all cursors are expired.
    pub fn forget_cursors(&self) {
        self.change(|state| {
            state
                .scopes
                .values_mut()
                .for_each(crate::state::Scope::forget)
        });
    }

    /// Numbers the messages of a folder anew under a new epoch, as an IMAP server does that lost its
    /// numbers. False where keys are ids for life.
    pub fn reset_keys(&self, folder: &FolderKey) -> ProviderResult<bool> {
        self.change(|state| {
            let scope: ScopeKey = state.scope_of(folder);
            state.renumber(&scope)
        })
    }

    /// All messages that are there, those marked as deleted left out.
    pub fn dump(&self) -> Vec<Stored> {
        let state = self.state();
        let records = state
            .scopes
            .values()
            .flat_map(|scope| scope.records.values());
        records
            .filter(|record| !record.deleted)
            .map(|record| Stored {
                folders: record
                    .folders
                    .iter()
                    .map(|key| state.full_name(key))
                    .collect(),
                raw: record.message.raw.clone(),
                received_at: record.message.received_at,
                flags: record.labels.flags,
                keywords: record.labels.keywords.clone(),
            })
            .collect()
    }
}
