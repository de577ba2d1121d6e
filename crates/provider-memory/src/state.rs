//! What the mailbox holds. Plain data behind one lock; nothing here waits.

mod folders;
mod messages;
mod outbox;
mod scope;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use email_model::{Content, FolderKey, FolderRole, Labels, Timestamp};
use email_provider::{EntryKey, ScopeKey};
pub(crate) use messages::Origin;
pub(crate) use outbox::Outbox;
pub(crate) use scope::{Change, Scope};

use crate::shape::Shape;

/// The mailbox.
#[derive(Debug)]
pub(crate) struct State {
    pub shape: Shape,
    /// Part of every key, so that no key of another run of the process is taken for one of this.
    pub epoch: u64,
    pub folders: BTreeMap<FolderKey, FolderRecord>,
    pub scopes: BTreeMap<ScopeKey, Scope>,
    pub outbox: Outbox,
    /// Conversations by the Message-IDs that belong to them.
    threads: HashMap<String, String>,
    next_number: u64,
}

/// A folder or label.
#[derive(Clone, Debug)]
pub(crate) struct FolderRecord {
    pub name: String,
    pub parent: Option<FolderKey>,
    pub role: Option<FolderRole>,
}

/// What never changes about a message, drafts that are changed in place aside: those get another one.
#[derive(Debug)]
pub(crate) struct Message {
    /// Its number in the mailbox.
    pub number: u64,
    /// Its id for life.
    pub id: String,
    /// Its conversation.
    pub thread: String,
    pub raw: Bytes,
    pub received_at: Timestamp,
    pub content: Content,
    /// How often the content has been changed, in its place or by putting this message in the place of
    /// another.
    pub revision: u64,
}

/// A message in a scope.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Its number in the scope, never used twice for different messages.
    pub number: u64,
    /// Number of the change that first brought it here, as far back as is remembered.
    pub born: u64,
    /// Number of the last change to it.
    pub change: u64,
    /// Number of the last change to its content: 0 where that never changed.
    pub revised: u64,
    pub message: std::sync::Arc<Message>,
    pub labels: Labels,
    pub folders: BTreeSet<FolderKey>,
    /// Marked as deleted, not yet expunged: to the gateway it is not there.
    pub deleted: bool,
}

impl State {
    /// Name of the only scope of a label mailbox.
    const WHOLE: &'static str = "mailbox";

    /// A mailbox with the usual folders.
    pub(crate) fn new(shape: Shape, epoch: u64) -> Self {
        let mut state = Self {
            shape,
            epoch,
            folders: BTreeMap::new(),
            scopes: BTreeMap::new(),
            outbox: Outbox::new(shape),
            threads: HashMap::new(),
            next_number: 1,
        };
        if shape.labels {
            let whole = ScopeKey(Self::WHOLE.to_owned());
            state.scopes.insert(whole, Scope::new(epoch));
        }
        for (name, role) in [
            ("Inbox", FolderRole::Inbox),
            ("Sent", FolderRole::Sent),
            ("Drafts", FolderRole::Drafts),
            ("Trash", FolderRole::Trash),
            ("Junk", FolderRole::Junk),
            ("Archive", FolderRole::Archive),
        ] {
            // A label mailbox archives by taking the inbox away.
            if !(shape.labels && role == FolderRole::Archive) {
                state.insert_folder(name, None, Some(role));
            }
        }
        state
    }

    /// The scope that holds what is in this folder.
    pub(crate) fn scope_of(&self, folder: &FolderKey) -> ScopeKey {
        match self.shape.labels {
            true => ScopeKey(Self::WHOLE.to_owned()),
            false => ScopeKey(folder.0.clone()),
        }
    }

    /// A record's key in its scope.
    pub(crate) fn key(&self, scope: &Scope, record: &Record) -> EntryKey {
        EntryKey(match self.shape.native_identity {
            true => record.message.id.clone().into_bytes(),
            false => format!("{}:{}", scope.epoch, record.number).into_bytes(),
        })
    }

    /// The number that a key names in the scope, if it is of its epoch.
    pub(crate) fn number(&self, scope: &Scope, key: &EntryKey) -> Option<u64> {
        let text = std::str::from_utf8(&key.0).ok()?;
        let (epoch, number) = text.split_once(':')?;
        let expected = if self.shape.native_identity {
            self.epoch
        } else {
            scope.epoch
        };
        (epoch.parse() == Ok(expected)).then_some(())?;
        number.parse().ok()
    }
}
