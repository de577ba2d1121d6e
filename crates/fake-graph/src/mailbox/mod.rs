//! One user's mailbox: folders, messages that are in one folder each, and the log of their changes.

mod change;
mod folder;
mod ids;
mod log;
mod sending;
mod subscription;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::content::Content;
use crate::notify::Notification;

pub(crate) use change::Edit;
pub(crate) use folder::{Folder, FolderKey, Search};
pub(crate) use ids::IdMaker;
pub(crate) use log::{Change, FolderChange, Kind};
pub(crate) use subscription::Subscription;

/// A message's number, which it keeps for its life.
pub(crate) type Number = u64;

/// By time of reception and then by number.
type Order = BTreeSet<(Reverse<i64>, Reverse<Number>)>;

/// A message in the mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub number: Number,
    /// Good until the next move.
    pub id: Arc<str>,
    pub immutable_id: Arc<str>,
    pub folder: FolderKey,
    pub content: Arc<Content>,
    pub read: bool,
    /// A `followupFlag`.
    pub flag: Value,
    pub categories: Vec<String>,
    pub importance: String,
    pub inference: &'static str,
    pub draft: bool,
    pub receipt_requested: bool,
    /// Milliseconds of the Unix epoch, like the others.
    pub received_ms: i64,
    pub created_ms: i64,
    pub modified_ms: i64,
    /// Makes the change key.
    pub version: u64,
    pub conversation: u64,
    /// Extended properties that were set, by id.
    pub extended: BTreeMap<String, Value>,
    /// It is of the chat service.
    pub chat: bool,
    /// It was handed over at this time and is not in Sent Items yet.
    pub sending_since: Option<i64>,
}

pub(crate) struct Mailbox {
    pub email: String,
    /// The user's.
    pub object_id: String,
    pub folders: BTreeMap<FolderKey, Folder>,
    pub messages: BTreeMap<Number, Stored>,
    /// Messages that were said to be missing when they were last asked for, although they are there.
    pub missed: BTreeSet<Number>,
    /// Both ids of every message, and those of the messages that `readable_after_deletion` keeps.
    by_id: HashMap<Arc<str>, Number>,
    by_message_id: HashMap<String, Vec<Number>>,
    /// Newest first, by folder.
    order: BTreeMap<FolderKey, Order>,
    pub log: log::Log,
    pub categories: Vec<Value>,
    pub subscriptions: BTreeMap<String, Subscription>,
    pub notifications: Vec<Notification>,
    /// Addresses besides the mailbox's own that it may send as.
    pub aliases: Vec<String>,
    /// What was handed over and is not in Sent Items yet.
    pub sending: Vec<Number>,
    /// The number that the tokens of deltas must carry; raised to end them all.
    pub epoch: u64,
    last_number: Number,
    last_folder: FolderKey,
    last_conversation: u64,
    pub ids: IdMaker,
}

impl Mailbox {
    pub fn new(email: &str, seed: u64) -> Self {
        let mut mailbox = Self {
            email: email.to_owned(),
            object_id: String::new(),
            folders: BTreeMap::new(),
            messages: BTreeMap::new(),
            missed: BTreeSet::new(),
            by_id: HashMap::new(),
            by_message_id: HashMap::new(),
            order: BTreeMap::new(),
            log: log::Log::default(),
            categories: Vec::new(),
            subscriptions: BTreeMap::new(),
            notifications: Vec::new(),
            aliases: Vec::new(),
            sending: Vec::new(),
            epoch: 0,
            last_number: 0,
            last_folder: 0,
            last_conversation: 0,
            ids: IdMaker::new(seed),
        };
        mailbox.make_system_folders();
        mailbox
    }

    /// The message with this id of either kind, which is case-sensitive.
    pub fn find(&self, id: &str) -> Option<&Stored> {
        self.messages.get(self.by_id.get(id)?)
    }

    pub fn number(&self, id: &str) -> Option<Number> {
        let number = self.by_id.get(id)?;
        self.messages.contains_key(number).then_some(*number)
    }

    /// The messages of a folder, newest first.
    pub fn in_folder(&self, folder: FolderKey) -> impl Iterator<Item = &Stored> {
        self.order
            .get(&folder)
            .into_iter()
            .flatten()
            .filter_map(|(_, Reverse(number))| self.messages.get(number))
    }

    pub fn total(&self, folder: FolderKey) -> usize {
        self.order.get(&folder).map_or(0, BTreeSet::len)
    }

    pub fn unread(&self, folder: FolderKey) -> usize {
        self.in_folder(folder).filter(|stored| !stored.read).count()
    }

    fn index(&mut self, stored: Stored) {
        let number = stored.number;
        self.by_id.insert(Arc::clone(&stored.id), number);
        self.by_id.insert(Arc::clone(&stored.immutable_id), number);
        self.place(stored.folder, stored.received_ms, number);
        if let Some(name) = &stored.content.message_id {
            self.by_message_id
                .entry(name.clone())
                .or_default()
                .push(number);
        }
        self.messages.insert(number, stored);
    }

    fn place(&mut self, folder: FolderKey, received_ms: i64, number: Number) {
        self.order
            .entry(folder)
            .or_default()
            .insert((Reverse(received_ms), Reverse(number)));
    }

    fn unplace(&mut self, folder: FolderKey, received_ms: i64, number: Number) {
        if let Some(order) = self.order.get_mut(&folder) {
            order.remove(&(Reverse(received_ms), Reverse(number)));
        }
    }

    fn unindex(&mut self, number: Number) -> Option<Stored> {
        let stored = self.messages.remove(&number)?;
        self.by_id.remove(&stored.id);
        self.by_id.remove(&stored.immutable_id);
        self.unplace(stored.folder, stored.received_ms, number);
        if let Some(name) = &stored.content.message_id
            && let Some(numbers) = self.by_message_id.get_mut(name)
        {
            numbers.retain(|known| *known != number);
        }
        Some(stored)
    }

    /// The conversation of what this refers to, or a new one.
    fn conversation_of(&mut self, content: &Content) -> u64 {
        let known = content
            .references
            .iter()
            .chain(content.message_id.iter())
            .filter_map(|name| self.by_message_id.get(name)?.first())
            .find_map(|number| self.messages.get(number))
            .filter(|other| other.content.topic == content.topic)
            .map(|other| other.conversation);
        known.unwrap_or_else(|| {
            self.last_conversation += 1;
            self.last_conversation
        })
    }
}
