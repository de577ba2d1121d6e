//! Changes of messages, each logged for the deltas and told to the subscriptions.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Change, FolderKey, Kind, Mailbox, Number, Stored};
use crate::content::Content;

/// What a change sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edit {
    pub read: Option<bool>,
    pub flag: Option<Value>,
    pub categories: Option<Vec<String>>,
    pub importance: Option<String>,
    pub inference: Option<&'static str>,
    pub receipt_requested: Option<bool>,
    pub content: Option<Content>,
    pub extended: Vec<(String, Value)>,
}

impl Mailbox {
    /// Puts a message into a folder.
    pub fn add(
        &mut self,
        content: Content,
        folder: FolderKey,
        received_ms: i64,
        draft: bool,
        now_ms: i64,
    ) -> Number {
        self.last_number += 1;
        let number = self.last_number;
        let conversation = self.conversation_of(&content);
        let stored = Stored {
            number,
            id: self.ids.mutable(),
            immutable_id: self.ids.immutable(),
            folder,
            read: draft,
            flag: json!({"flagStatus": "notFlagged"}),
            categories: Vec::new(),
            importance: content.importance.to_owned(),
            inference: "focused",
            draft,
            receipt_requested: content.receipt_requested,
            received_ms,
            created_ms: now_ms,
            modified_ms: now_ms,
            version: 0,
            conversation,
            extended: Default::default(),
            chat: false,
            sending_since: None,
            content: Arc::new(content),
        };
        self.index(stored);
        self.log_change(number, folder, Kind::Created, false, now_ms);
        self.notify("created", number, now_ms);
        number
    }

    /// Changes a message; nothing is logged where nothing changes.
    pub fn edit(&mut self, number: Number, edit: Edit, now_ms: i64) {
        let Some(stored) = self.messages.get_mut(&number) else {
            return;
        };
        let before = stored.clone();
        let read_before = stored.read;
        if let Some(read) = edit.read {
            stored.read = read;
        }
        let mut other = false;
        let mut set = |changed: bool| other |= changed;
        if let Some(flag) = edit.flag {
            set(stored.flag != flag);
            stored.flag = flag;
        }
        if let Some(categories) = edit.categories {
            set(stored.categories != categories);
            stored.categories = categories;
        }
        if let Some(importance) = edit.importance {
            set(stored.importance != importance);
            stored.importance = importance;
        }
        if let Some(inference) = edit.inference {
            set(stored.inference != inference);
            stored.inference = inference;
        }
        if let Some(requested) = edit.receipt_requested {
            set(stored.receipt_requested != requested);
            stored.receipt_requested = requested;
        }
        for (id, value) in edit.extended {
            set(true);
            stored.extended.insert(id, value);
        }
        if let Some(content) = edit.content {
            set(true);
            stored.content = Arc::new(content);
            let stored = stored.clone();
            self.messages.insert(number, before.clone());
            self.unindex(number);
            self.index(stored);
        }
        let Some(stored) = self.messages.get(&number) else {
            return;
        };
        let (read, folder) = (stored.read != read_before, stored.folder);
        if !other && !read {
            return;
        }
        let kind = if other { Kind::Updated } else { Kind::ReadFlag };
        self.log_change(number, folder, kind, false, now_ms);
        self.notify("updated", number, now_ms);
    }

    /// Moves a message: the same number, another id. `silent`: its arrival is not reported with immutable ids.
    pub fn move_message(&mut self, number: Number, to: FolderKey, silent: bool, now_ms: i64) {
        let Some(stored) = self.messages.get(&number) else {
            return;
        };
        let (from, received_ms) = (stored.folder, stored.received_ms);
        if from == to {
            return;
        }
        self.log_change(number, from, Kind::Removed, false, now_ms);
        self.notify("deleted", number, now_ms);
        let id = self.ids.mutable();
        self.unplace(from, received_ms, number);
        self.place(to, received_ms, number);
        if let Some(stored) = self.messages.get_mut(&number) {
            self.by_id.remove(&stored.id);
            self.by_id.insert(Arc::clone(&id), number);
            stored.id = id;
            stored.folder = to;
        }
        self.log_change(number, to, Kind::Arrived, silent, now_ms);
        self.notify("created", number, now_ms);
    }

    /// A new message like this one, in a folder.
    pub fn copy_message(&mut self, number: Number, to: FolderKey, now_ms: i64) -> Option<Number> {
        let original = self.messages.get(&number)?.clone();
        self.last_number += 1;
        let copy = Stored {
            number: self.last_number,
            id: self.ids.mutable(),
            immutable_id: self.ids.immutable(),
            folder: to,
            created_ms: now_ms,
            ..original
        };
        let number = copy.number;
        self.index(copy);
        self.log_change(number, to, Kind::Created, false, now_ms);
        self.notify("created", number, now_ms);
        Some(number)
    }

    /// Into Deleted Items, or from there out of the user's sight.
    pub fn delete(&mut self, number: Number, keep: bool, silent: bool, now_ms: i64) {
        let Some(stored) = self.messages.get(&number) else {
            return;
        };
        let bin = self.well_known("deleteditems").unwrap_or_default();
        let deleted = stored.folder == bin || self.is_under(stored.folder, bin);
        if !deleted {
            self.move_message(number, bin, silent, now_ms);
        } else if keep && let Some(end) = self.well_known("recoverableitemsdeletions") {
            self.move_message(number, end, true, now_ms);
        } else {
            self.purge(number, now_ms);
        }
    }

    /// Deletes a message for ever.
    pub fn purge(&mut self, number: Number, now_ms: i64) {
        let Some(folder) = self.messages.get(&number).map(|stored| stored.folder) else {
            return;
        };
        self.log_change(number, folder, Kind::Removed, false, now_ms);
        self.notify("deleted", number, now_ms);
        self.unindex(number);
    }

    /// Every id is another from now on, and every delta token is void, as after a mailbox was restored elsewhere.
    pub fn change_all_ids(&mut self) {
        let numbers: Vec<Number> = self.messages.keys().copied().collect();
        for number in numbers {
            let Some(mut stored) = self.unindex(number) else {
                continue;
            };
            stored.id = self.ids.mutable();
            stored.immutable_id = self.ids.immutable();
            self.index(stored);
        }
        self.epoch += 1;
    }

    fn log_change(
        &mut self,
        number: Number,
        folder: FolderKey,
        kind: Kind,
        silent: bool,
        now_ms: i64,
    ) {
        let seq = self.log.next(now_ms);
        let Some(stored) = self.messages.get_mut(&number) else {
            return;
        };
        stored.version = seq;
        stored.modified_ms = now_ms;
        let change = Change {
            seq,
            number,
            id: Arc::clone(&stored.id),
            immutable_id: Arc::clone(&stored.immutable_id),
            kind,
            silent,
        };
        self.log.message(folder, change);
        if kind != Kind::Updated {
            self.log_counts(folder);
        }
    }
}
