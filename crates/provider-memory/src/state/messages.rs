use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use email_model::{Envelope, FolderKey, Labels, Timestamp};
use email_provider::{MessageRef, ProviderResult, ScopeKey};

use super::{Message, Record, Scope, State};
use crate::{convert, error};

/// What a message comes from.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// The conversation that it is to be in, whatever it refers to.
    pub thread: Option<String>,
    /// How often its content has changed: it stands in the place of another message.
    pub revision: u64,
}

impl State {
    /// The record that a reference names. One marked as deleted is not there.
    pub(crate) fn find(&self, at: &MessageRef) -> ProviderResult<(&Scope, &Record)> {
        let scope = self.scopes.get(&at.scope).ok_or_else(error::no_message)?;
        let record = self
            .number(scope, &at.key)
            .and_then(|number| scope.records.get(&number));
        let record = record
            .filter(|record| !record.deleted)
            .ok_or_else(error::no_message)?;
        Ok((scope, record))
    }

    /// Stores a message.
    pub(crate) fn append(
        &mut self,
        folder: &FolderKey,
        raw: Bytes,
        received_at: Timestamp,
        labels: Labels,
    ) -> ProviderResult<MessageRef> {
        let message = self.message(raw, received_at, Origin::default());
        self.place(folder, message, labels)
    }

    /// A message that is in no folder yet.
    pub(crate) fn message(
        &mut self,
        raw: Bytes,
        received_at: Timestamp,
        origin: Origin,
    ) -> Arc<Message> {
        let number = self.next_number;
        self.next_number += 1;
        let content = convert::content(&raw, received_at);
        Arc::new(Message {
            number,
            id: format!("{}:{number}", self.epoch),
            thread: self.thread(&content.envelope, number, origin.thread),
            raw,
            received_at,
            content,
            revision: origin.revision,
        })
    }

    /// Gives a message another content under its key and id.
    pub(crate) fn revise(&mut self, at: &MessageRef, raw: Bytes) -> ProviderResult<()> {
        let mut record = self.find(at)?.1.clone();
        let old = &record.message;
        let content = convert::content(&raw, old.received_at);
        record.message = Arc::new(Message {
            number: old.number,
            id: old.id.clone(),
            thread: self.thread(&content.envelope, old.number, Some(old.thread.clone())),
            raw,
            received_at: old.received_at,
            content,
            revision: old.revision + 1,
        });
        if let Some(scope) = self.scopes.get_mut(&at.scope) {
            scope.put(record);
        }
        Ok(())
    }

    /// Puts a message into a folder, as a record of its own.
    pub(crate) fn place(
        &mut self,
        folder: &FolderKey,
        message: Arc<Message>,
        labels: Labels,
    ) -> ProviderResult<MessageRef> {
        if !self.folders.contains_key(folder) {
            return Err(error::no_folder());
        }
        let key = self.scope_of(folder);
        let native = self.shape.native_identity;
        let scope = self.scopes.get_mut(&key).ok_or_else(error::no_folder)?;
        let number = if native {
            message.number
        } else {
            scope.next_number()
        };
        let folders = BTreeSet::from([folder.clone()]);
        scope.put(Record {
            number,
            born: 0,
            change: 0,
            revised: 0,
            message,
            labels,
            folders,
            deleted: false,
        });
        self.reference(&key, number)
    }

    fn reference(&self, scope_key: &ScopeKey, number: u64) -> ProviderResult<MessageRef> {
        let scope = self.scopes.get(scope_key).ok_or_else(error::no_message)?;
        let record = scope.records.get(&number).ok_or_else(error::no_message)?;
        Ok(MessageRef {
            scope: scope_key.clone(),
            key: self.key(scope, record),
        })
    }

    /// Changes a record in its place, if that makes a difference.
    pub(crate) fn change(
        &mut self,
        at: &MessageRef,
        change: impl FnOnce(&mut Record),
    ) -> ProviderResult<()> {
        let (_, record) = self.find_any(at)?;
        let mut changed = record.clone();
        change(&mut changed);
        let same = changed.labels == record.labels
            && changed.folders == record.folders
            && changed.deleted == record.deleted;
        if !same && let Some(scope) = self.scopes.get_mut(&at.scope) {
            scope.put(changed);
        }
        Ok(())
    }

    /// Moves a message into another folder: out of one scope into the other. Where it is already
    /// there, nothing happens.
    pub(crate) fn move_to(
        &mut self,
        at: &MessageRef,
        folder: &FolderKey,
    ) -> ProviderResult<MessageRef> {
        let (_, record) = self.find(at)?;
        let (message, labels) = (record.message.clone(), record.labels.clone());
        if record.folders.contains(folder) {
            return Ok(at.clone());
        }
        if !self.folders.contains_key(folder) {
            return Err(error::no_folder());
        }
        self.expunge(at)?;
        self.place(folder, message, labels)
    }

    /// Copies a message into another folder: another message there, or another label here.
    pub(crate) fn copy_to(
        &mut self,
        at: &MessageRef,
        folder: &FolderKey,
    ) -> ProviderResult<MessageRef> {
        let (_, record) = self.find(at)?;
        if self.shape.labels {
            self.change(at, |record| {
                record.folders.insert(folder.clone());
            })?;
            return Ok(at.clone());
        }
        let (original, labels) = (record.message.clone(), record.labels.clone());
        self.append(folder, original.raw.clone(), original.received_at, labels)
    }

    /// Removes a record for good, marked as deleted or not.
    pub(crate) fn expunge(&mut self, at: &MessageRef) -> ProviderResult<()> {
        let number = self.find_any(at)?.1.number;
        if let Some(scope) = self.scopes.get_mut(&at.scope) {
            scope.take(number);
        }
        Ok(())
    }

    /// The record that a reference names, marked as deleted or not.
    fn find_any(&self, at: &MessageRef) -> ProviderResult<(&Scope, &Record)> {
        let scope = self.scopes.get(&at.scope).ok_or_else(error::no_message)?;
        let record = self
            .number(scope, &at.key)
            .and_then(|number| scope.records.get(&number));
        Ok((scope, record.ok_or_else(error::no_message)?))
    }

    /// Gives a scope a new epoch: its keys and cursors become meaningless. Not where keys are ids
    /// for life.
    pub(crate) fn renumber(&mut self, scope: &ScopeKey) -> ProviderResult<bool> {
        let number = self.next_number;
        self.next_number += 1;
        let epoch = self.epoch + number;
        let scope = self.scopes.get_mut(scope).ok_or_else(error::no_folder)?;
        if !self.shape.native_identity {
            scope.renumber(epoch);
        }
        Ok(!self.shape.native_identity)
    }

    /// The conversation of a message: the one joined, else that of the first message it refers to, else
    /// its own.
    fn thread(&mut self, envelope: &Envelope, number: u64, joined: Option<String>) -> String {
        let related = envelope.references.iter().chain(&envelope.in_reply_to);
        let ids: Vec<String> = related.chain(&envelope.message_id).cloned().collect();
        let known = || ids.iter().find_map(|id| self.threads.get(id).cloned());
        let thread = joined.or_else(known);
        let thread = thread.unwrap_or_else(|| format!("{}:t{number}", self.epoch));
        for id in ids {
            self.threads.entry(id).or_insert_with(|| thread.clone());
        }
        thread
    }
}
