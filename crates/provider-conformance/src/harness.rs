use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use email_model::{Flags, FolderKey, Timestamp};
use email_provider::EmailProvider;

/// A mailbox of its own for one test, with at least an inbox and without messages, and a way to
/// change it at the server behind the provider's back.
///
/// Messages are named by folder and `Message-ID` (with angle brackets): the suite never has two of
/// one `Message-ID` in one folder. A method panics where the server refuses. What it did may become
/// visible to the provider a little later, within [`HarnessFacts::patience`].
#[async_trait]
pub trait Harness: Send + Sync {
    /// What this backend can be put through.
    fn facts(&self) -> HarnessFacts {
        HarnessFacts::default()
    }

    /// Opens the mailbox: a provider of its own at each call, all of the same mailbox.
    async fn provider(&self) -> Arc<dyn EmailProvider>;

    /// Stores a message.
    async fn append(&self, folder: &FolderKey, mail: NewMail);

    /// Sets flags and keywords, all of them.
    async fn set_flags(
        &self,
        folder: &FolderKey,
        message_id: &str,
        flags: Flags,
        keywords: &[String],
    );

    /// Moves a message. On label mailboxes: takes one label and gives the other.
    async fn move_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey);

    /// Copies a message. Only called where [`HarnessFacts::copies`].
    async fn copy_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey);

    /// Marks a message as deleted or takes the mark away. Only called where
    /// [`HarnessFacts::deleted_mark`].
    async fn mark_deleted(&self, folder: &FolderKey, message_id: &str, deleted: bool);

    /// Removes a message for good, and no other.
    async fn expunge(&self, folder: &FolderKey, message_id: &str);

    /// Makes a folder; returns its key as the provider names it.
    async fn create_folder(&self, name: &str, parent: Option<&FolderKey>) -> FolderKey;

    /// Gives a folder another name; returns its key from now on.
    async fn rename_folder(&self, folder: &FolderKey, name: &str) -> FolderKey;

    /// Deletes a folder, which is empty.
    async fn delete_folder(&self, folder: &FolderKey);

    /// Makes the server forget its history, so that every cursor is expired. False where that cannot
    /// be brought about.
    async fn forget_cursors(&self) -> bool {
        false
    }

    /// Cuts the provider's connections, once now or in the middle of what comes next. False where
    /// that cannot be brought about.
    async fn sever(&self) -> bool {
        false
    }

    /// Makes the server give new keys to the messages of a folder (a new UIDVALIDITY), old numbers
    /// to other messages. False where that cannot be brought about.
    async fn reset_keys(&self, _folder: &FolderKey) -> bool {
        false
    }

    /// Who writes to whom. Others may be asked for where the backend insists on real mailboxes.
    fn correspondents(&self) -> Correspondents {
        Correspondents::default()
    }

    /// What was delivered of the message with this `Message-ID`, to whomever, until now. Only called
    /// where [`HarnessFacts::sends`], and then needed.
    async fn delivered(&self, message_id: &str) -> Vec<Delivered> {
        unreachable!("the harness of a mailbox that sends tells what was delivered of {message_id}")
    }

    /// Stores a draft in the folder of drafts as another program does.
    async fn keep_draft(&self, folder: &FolderKey, mail: NewMail) {
        self.append(folder, mail).await;
    }

    /// Gives a draft another content as another program does; `mail` has the same `Message-ID`. False
    /// where that cannot be brought about.
    async fn edit_draft(&self, folder: &FolderKey, message_id: &str, mail: NewMail) -> bool {
        self.expunge(folder, message_id).await;
        self.keep_draft(folder, mail).await;
        true
    }
}

/// What a backend can be put through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HarnessFacts {
    /// A message can be marked as deleted and still be there.
    pub deleted_mark: bool,
    /// A message can be copied into another folder. Not on label mailboxes, where that is one more
    /// label.
    pub copies: bool,
    /// A keyword is a folder too, and a folder a keyword: what the suite makes as the one is shown as
    /// both.
    pub keywords_are_folders: bool,
    /// The server itself ends the last line of a message that is stored without its end.
    pub ends_last_line: bool,
    /// It sends: the provider has a submitter, and the harness tells what was delivered.
    pub sends: bool,
    /// It keeps drafts: the provider has that facet.
    pub drafts: bool,
    /// Recipients get the octets that were handed over, with nothing but trace fields put before them.
    /// Otherwise the server writes the message anew, and it says the same.
    pub keeps_octets: bool,
    /// How long the server may take to show what was done.
    pub patience: Duration,
    /// Changes in each random history.
    pub history: usize,
}

impl Default for HarnessFacts {
    fn default() -> Self {
        Self {
            deleted_mark: true,
            copies: true,
            keywords_are_folders: false,
            ends_last_line: false,
            sends: false,
            drafts: false,
            keeps_octets: true,
            patience: Duration::from_secs(15),
            history: 60,
        }
    }
}

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// RFC 5322 bytes.
    pub raw: Vec<u8>,
    /// When the mailbox is to have got it; whole seconds.
    pub received_at: Timestamp,
    /// Its flags.
    pub flags: Flags,
    /// Its keywords; none where the mailbox stores none.
    pub keywords: Vec<String>,
}

/// Addresses for messages that are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correspondents {
    /// The mailbox's own.
    pub sender: String,
    /// Recipients that the server takes.
    pub accepted: [String; 3],
    /// A recipient that the server refuses at once while it takes others, if it refuses any.
    pub refused: Option<String>,
}

impl Default for Correspondents {
    fn default() -> Self {
        Self {
            sender: "ann@sender.example".to_owned(),
            accepted: ["bob", "cleo", "dora"].map(|name| format!("{name}@reader.example")),
            refused: None,
        }
    }
}

/// A message that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Who got it with these octets.
    pub recipients: Vec<String>,
    /// RFC 5322 bytes.
    pub octets: Vec<u8>,
}
