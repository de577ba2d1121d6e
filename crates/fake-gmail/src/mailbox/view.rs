//! The messages as a reader sees them who may be behind.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ChangeKind, Id, Labels, Mailbox};
use crate::content::Content;

/// A message in a list.
#[derive(Clone)]
pub(crate) struct Entry<'a> {
    pub id: Id,
    pub thread: Id,
    pub labels: Cow<'a, Labels>,
    pub date: i64,
    pub content: &'a Arc<Content>,
}

impl Mailbox {
    /// The messages as of a history id, newest first, after a place in that order.
    pub fn entries(
        &self,
        as_of: u64,
        after: Option<(i64, Id)>,
    ) -> Box<dyn Iterator<Item = Entry<'_>> + '_> {
        use std::ops::Bound::{Excluded, Unbounded};
        let start = after.map_or(Unbounded, |(date, id)| {
            Excluded((Reverse(date), Reverse(id)))
        });
        if as_of >= self.history_id {
            let newest_first = self.order.range((start, Unbounded));
            return Box::new(newest_first.map(|(_, Reverse(id))| self.entry(*id)));
        }
        let mut past: Vec<Entry<'_>> = self.past(as_of).into_values().collect();
        past.sort_unstable_by_key(|entry| (Reverse(entry.date), Reverse(entry.id)));
        let rest = past.into_iter().filter(move |entry| {
            after.is_none_or(|(date, id)| {
                (Reverse(entry.date), Reverse(entry.id)) > (Reverse(date), Reverse(id))
            })
        });
        Box::new(rest)
    }

    fn entry(&self, id: Id) -> Entry<'_> {
        let stored = &self.messages[&id];
        Entry {
            id,
            thread: stored.thread,
            labels: Cow::Borrowed(&stored.labels),
            date: stored.date,
            content: &stored.content,
        }
    }

    /// Undoes the changes after a history id.
    fn past(&self, as_of: u64) -> BTreeMap<Id, Entry<'_>> {
        let mut entries: BTreeMap<Id, Entry<'_>> = self
            .messages
            .keys()
            .map(|id| (*id, self.entry(*id)))
            .collect();
        let hidden: Vec<_> = self.records_after(as_of).collect();
        for change in hidden
            .iter()
            .rev()
            .flat_map(|record| record.changes.iter().rev())
        {
            match change.kind {
                ChangeKind::Added => {
                    entries.remove(&change.message);
                }
                ChangeKind::Deleted => {
                    let entry = Entry {
                        id: change.message,
                        thread: change.thread,
                        labels: Cow::Owned(change.labels.clone()),
                        date: change.date,
                        content: &change.content,
                    };
                    entries.insert(change.message, entry);
                }
                ChangeKind::LabelsAdded => {
                    if let Some(entry) = entries.get_mut(&change.message) {
                        let labels = entry.labels.to_mut();
                        change.delta.iter().for_each(|label| {
                            labels.remove(label);
                        });
                    }
                }
                ChangeKind::LabelsRemoved => {
                    if let Some(entry) = entries.get_mut(&change.message) {
                        entry.labels.to_mut().extend(change.delta.iter().cloned());
                    }
                }
            }
        }
        entries
    }
}
