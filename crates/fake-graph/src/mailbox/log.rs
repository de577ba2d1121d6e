//! What changed, in order: the source of the deltas.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{FolderKey, Number};

/// A change of a message, in one folder.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub seq: u64,
    pub number: Number,
    /// What it was called in the folder then.
    pub id: Arc<str>,
    pub immutable_id: Arc<str>,
    pub kind: Kind,
    /// Deltas with immutable ids do not report it.
    pub silent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is new in the mailbox.
    Created,
    /// It came from another folder.
    Arrived,
    Updated,
    /// Only the read flag changed.
    ReadFlag,
    /// It is no longer in this folder.
    Removed,
}

/// A change of a folder.
#[derive(Clone, Debug)]
pub(crate) struct FolderChange {
    pub seq: u64,
    pub key: FolderKey,
    pub id: String,
    pub removed: bool,
    /// Only the counts changed.
    pub counts: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    /// The newest change's number.
    pub seq: u64,
    messages: BTreeMap<FolderKey, Vec<Change>>,
    folders: Vec<FolderChange>,
    /// When the changes were made, in order.
    times: Vec<(u64, i64)>,
}

impl Log {
    pub fn next(&mut self, at_ms: i64) -> u64 {
        self.seq += 1;
        self.times.push((self.seq, at_ms));
        self.seq
    }

    pub fn message(&mut self, folder: FolderKey, change: Change) {
        self.messages.entry(folder).or_default().push(change);
    }

    pub fn folder(&mut self, change: FolderChange) {
        self.folders.push(change);
    }

    /// The changes of a folder's messages after one and up to another.
    pub fn messages(&self, folder: FolderKey, after: u64, until: u64) -> &[Change] {
        let changes = self.messages.get(&folder).map_or(&[][..], Vec::as_slice);
        let start = changes.partition_point(|change| change.seq <= after);
        let end = changes.partition_point(|change| change.seq <= until);
        changes.get(start..end).unwrap_or_default()
    }

    pub fn folders(&self, after: u64, until: u64) -> &[FolderChange] {
        let start = self.folders.partition_point(|change| change.seq <= after);
        let end = self.folders.partition_point(|change| change.seq <= until);
        self.folders.get(start..end).unwrap_or_default()
    }

    /// The newest change that a reader sees who is so far behind.
    pub fn visible(&self, changes: usize, younger_ms: i64, now_ms: i64) -> u64 {
        let by_count = self.times.len().saturating_sub(changes);
        let by_time = if younger_ms > 0 {
            self.times
                .partition_point(|(_, at_ms)| *at_ms <= now_ms - younger_ms)
        } else {
            self.times.len()
        };
        match by_count.min(by_time) {
            0 => 0,
            seen => self.times[seen - 1].0,
        }
    }
}
