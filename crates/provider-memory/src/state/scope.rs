use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use email_model::Timestamp;

use super::Record;

/// Records with a change feed of their own.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// Keys and cursors of another epoch mean nothing.
    pub epoch: u64,
    /// Number of the last change.
    pub change: u64,
    /// Changes up to this one are forgotten: a cursor before it is expired.
    pub forgotten: u64,
    pub records: BTreeMap<u64, Record>,
    /// The same by time of receipt.
    by_time: BTreeSet<(Timestamp, u64)>,
    /// Removals: the change, the record's last state.
    removals: VecDeque<(u64, Record)>,
    next_number: u64,
}

/// A change as the feed tells it.
pub(crate) enum Change<'a> {
    /// The record is new or changed.
    Here(&'a Record),
    /// It is gone, or marked as deleted.
    Gone(&'a Record),
}

impl Scope {
    /// Most removals remembered.
    const REMEMBERED: usize = 10_000;

    pub(crate) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            change: 0,
            forgotten: 0,
            records: BTreeMap::new(),
            by_time: BTreeSet::new(),
            removals: VecDeque::new(),
            next_number: 1,
        }
    }

    /// A number never given before in this epoch.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }

    /// Puts a record in, or a changed one back.
    pub(crate) fn put(&mut self, mut record: Record) {
        self.change += 1;
        record.change = self.change;
        // A message that came back is there: its removal is history, but a reader may know it from
        // before, so its next removal is no passage.
        let number = record.number;
        let known = self.records.get(&number).or_else(|| {
            let before = self.removals.iter().find(|(_, gone)| gone.number == number);
            before.map(|(_, gone)| gone)
        });
        record.born = known.map_or(self.change, |known| known.born);
        // A content that is new here may be known by its identity from another scope.
        record.revised = match known {
            Some(known) if Arc::ptr_eq(&known.message, &record.message) => known.revised,
            None if record.message.revision == 0 => 0,
            Some(_) | None => self.change,
        };
        self.removals.retain(|(_, gone)| gone.number != number);
        self.by_time
            .insert((record.message.received_at, record.number));
        self.records.insert(record.number, record);
    }

    /// Takes a record out.
    pub(crate) fn take(&mut self, number: u64) -> Option<Record> {
        let record = self.records.remove(&number)?;
        self.by_time.remove(&(record.message.received_at, number));
        self.change += 1;
        self.removals.push_back((self.change, record.clone()));
        if self.removals.len() > Self::REMEMBERED
            && let Some((change, _)) = self.removals.pop_front()
        {
            self.forgotten = self.forgotten.max(change);
        }
        Some(record)
    }

    /// Forgets all history: every cursor made until now is expired.
    pub(crate) fn forget(&mut self) {
        self.change += 1;
        self.forgotten = self.change;
        self.removals.clear();
    }

    /// A new epoch: keys and cursors of the old one mean nothing any more, numbers begin anew.
    pub(crate) fn renumber(&mut self, epoch: u64) {
        let records = std::mem::take(&mut self.records);
        *self = Self::new(epoch);
        for (_, mut record) in records {
            record.number = self.next_number();
            self.put(record);
        }
    }

    /// Records that are not marked as deleted, newest first, from below `after`.
    pub(crate) fn newest_first(
        &self,
        after: Option<(Timestamp, u64)>,
    ) -> impl Iterator<Item = &Record> {
        let end = after.unwrap_or((Timestamp::MAX_UTC, u64::MAX));
        self.by_time
            .range(..end)
            .rev()
            .filter_map(|(_, number)| self.records.get(number))
            .filter(|record| !record.deleted)
    }

    /// Records that are not marked as deleted.
    pub(crate) fn count(&self) -> usize {
        self.records
            .values()
            .filter(|record| !record.deleted)
            .count()
    }

    /// Changes after this one, oldest first.
    pub(crate) fn changes_since(&self, change: u64) -> BTreeMap<u64, Change<'_>> {
        let here = self.records.values().map(|record| match record.deleted {
            true => (record.change, Change::Gone(record)),
            false => (record.change, Change::Here(record)),
        });
        let gone = self
            .removals
            .iter()
            .map(|(change, record)| (*change, Change::Gone(record)));
        here.chain(gone).filter(|(at, _)| *at > change).collect()
    }
}
