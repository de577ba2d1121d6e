//! One user's mailbox: messages with labels, threads, drafts, and the history of their changes.

mod change;
mod draft;
mod history;
mod label;
mod thread;
mod view;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::content::Content;
use crate::push::{Push, Watch};

pub(crate) use history::{Change, ChangeKind, Record};
pub(crate) use label::Label;
pub(crate) use view::Entry;

/// A message's or thread's number, shown in hexadecimal.
pub(crate) type Id = u64;
pub(crate) type Labels = BTreeSet<String>;

/// A message in the mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub id: Id,
    pub thread: Id,
    pub labels: Labels,
    /// Milliseconds of the Unix epoch.
    pub date: i64,
    /// The last history record that changed it.
    pub history_id: u64,
    pub content: Arc<Content>,
}

/// An address that the user may send as.
#[derive(Clone, Debug)]
pub(crate) struct SendAs {
    pub email: String,
    pub name: String,
    pub verified: bool,
    pub primary: bool,
}

pub(crate) struct Mailbox {
    pub email: String,
    pub messages: BTreeMap<Id, Stored>,
    /// Newest first.
    order: BTreeSet<(Reverse<i64>, Reverse<Id>)>,
    by_message_id: HashMap<String, Vec<Id>>,
    threads: BTreeMap<Id, BTreeSet<Id>>,
    pub labels: BTreeMap<String, Label>,
    next_label: u32,
    /// Draft ids and their messages.
    pub drafts: BTreeMap<String, Id>,
    pub history: VecDeque<Record>,
    /// The newest record's id.
    pub history_id: u64,
    /// Histories that start before it are gone.
    pub history_floor: u64,
    pub send_as: Vec<SendAs>,
    pub watch: Option<Watch>,
    pub pushes: Vec<Push>,
    pub push_count: u64,
    pub last_push_ms: i64,
    last_id: Id,
    rng: ChaCha8Rng,
}

impl Mailbox {
    pub fn new(email: &str, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let history_id = rng.random_range(1_000_000..9_000_000);
        let primary = SendAs {
            email: email.to_owned(),
            name: String::new(),
            verified: true,
            primary: true,
        };
        Self {
            email: email.to_owned(),
            messages: BTreeMap::new(),
            order: BTreeSet::new(),
            by_message_id: HashMap::new(),
            threads: BTreeMap::new(),
            labels: label::system(),
            next_label: 1,
            drafts: BTreeMap::new(),
            history: VecDeque::new(),
            history_id,
            history_floor: history_id,
            send_as: vec![primary],
            watch: None,
            pushes: Vec::new(),
            push_count: 0,
            last_push_ms: 0,
            last_id: 0,
            rng,
        }
    }

    /// A new message's id, in the form of this vendor's: the time, then chance.
    fn next_id(&mut self, now_ms: i64) -> Id {
        let time = u64::try_from(now_ms).unwrap_or_default() << 20;
        let id = time + self.rng.random_range(0..1_u64 << 20);
        self.last_id = id.max(self.last_id + 1);
        self.last_id
    }

    fn index(&mut self, stored: Stored) {
        self.order
            .insert((Reverse(stored.date), Reverse(stored.id)));
        self.threads
            .entry(stored.thread)
            .or_default()
            .insert(stored.id);
        if let Some(name) = &stored.content.message_id {
            self.by_message_id
                .entry(name.clone())
                .or_default()
                .push(stored.id);
        }
        self.messages.insert(stored.id, stored);
    }

    fn unindex(&mut self, id: Id) -> Option<Stored> {
        let stored = self.messages.remove(&id)?;
        self.order.remove(&(Reverse(stored.date), Reverse(id)));
        if let Some(members) = self.threads.get_mut(&stored.thread) {
            members.remove(&id);
            if members.is_empty() {
                self.threads.remove(&stored.thread);
            }
        }
        if let Some(name) = &stored.content.message_id
            && let Some(ids) = self.by_message_id.get_mut(name)
        {
            ids.retain(|known| *known != id);
        }
        Some(stored)
    }

    /// The messages of a thread, oldest first; none for an unknown thread.
    pub fn thread(&self, id: Id) -> Vec<Id> {
        let mut members: Vec<(i64, Id)> = self
            .threads
            .get(&id)
            .into_iter()
            .flatten()
            .map(|id| (self.messages[id].date, *id))
            .collect();
        members.sort_unstable();
        members.into_iter().map(|(_, id)| id).collect()
    }

    pub fn thread_count(&self) -> usize {
        self.threads.len()
    }
}
