//! Comparing a scope in full: after a lost cursor, and once a day.
//!
//! The listing is held in memory as keys, not stamped on the rows: comparing a mailbox that did not
//! change writes nothing. What differs is read again, and what is absent is asked for by key, under
//! the gate that also guards the scope's change feed, so that neither undoes the other's work.

use std::collections::{HashMap, HashSet};

use email_model::EntryKey;
use email_provider::{
    Detail, Entry, EntryState, MessageRef, ScanDetail, ScanNext, ScanRequest, ScanWindow,
};
use gateway_store::{Commit, LoadRequest, ScopeNumber, ScopeRow, ScopeWrite};

use super::{
    pass::{PAGE, PassContext, PassError},
    scope_state::ScopeRecord,
};
use crate::{
    Gateway,
    journal::{Announce, Directory, Place, has_renamed_label},
};

/// More absent entries than this, or than [`SHARE`] of the scope, are believed only after a second
/// listing.
const MANY: usize = 200;
/// One in so many.
const SHARE: usize = 50;

/// A complete listing.
struct Listing {
    entries: HashMap<EntryKey, Option<EntryState>>,
    proof: bool,
}

impl Gateway {
    /// Compares a scope with the provider. A lost cursor is replaced first, so that what changes
    /// meanwhile is told by the feed.
    pub(crate) async fn compare_scope(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
    ) -> Result<(), PassError> {
        let directory = context.journal.directory();
        let Some(row) = directory.scopes.get(&number) else {
            return Ok(());
        };
        let provider = context.mailbox.provider.as_ref();
        if ScopeRecord::of(row).rescan
            && let Some(cursor) = provider.begin(self.background(), &row.key).await?
        {
            context
                .journal
                .amend_scope(number, |row| row.cursor = Some(cursor.clone()))
                .await?;
        }
        let listing = self.list_scope(context, row, true).await?;
        self.compare_listed(context, row, &listing).await?;
        self.compare_absent(context, row, listing).await?;
        self.end_comparison(context, number, &directory).await
    }

    /// The scope need not be compared any more, unless a label got another name meanwhile: the listing may
    /// have had the old one.
    async fn end_comparison(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
        before: &Directory,
    ) -> Result<(), PassError> {
        let request = LoadRequest::default();
        let amended = context.journal.amend(&request, |_, directory| {
            let row = directory.scopes.get(&number);
            let is_open = |row: &&ScopeRow| ScopeRecord::of(row).rescan;
            let Some(mut row) = row.filter(is_open).cloned() else {
                return Ok(None);
            };
            if has_renamed_label(&before.folders, &directory.folders) {
                return Ok(None);
            }
            ScopeRecord::edit(&mut row, |record| record.rescan = false);
            let commit = Commit {
                scopes: vec![ScopeWrite { row }],
                ..Commit::default()
            };
            Ok(Some((commit, ())))
        });
        amended.await?;
        Ok(())
    }

    /// Lists a scope. `begins`: where only the end of a listing yields a cursor, a lost one is replaced by it. What a
    /// later listing shows is not compared, so that its cursor would leave out what changed before it.
    async fn list_scope(
        &self,
        context: &PassContext<'_>,
        row: &ScopeRow,
        begins: bool,
    ) -> Result<Listing, PassError> {
        let mut listing = Listing {
            entries: HashMap::new(),
            proof: false,
        };
        let mut position = None;
        let mut pages = 0_u32;
        loop {
            let request = ScanRequest {
                window: ScanWindow::default(),
                detail: ScanDetail::Keys,
                position: position.as_ref(),
                limit: PAGE,
            };
            let page = context
                .mailbox
                .provider
                .scan(self.background(), &row.key, request)
                .await?;
            pages += 1;
            listing.entries.extend(
                page.entries
                    .into_iter()
                    .map(|entry| (entry.key, entry.state)),
            );
            match page.next {
                ScanNext::More(next) => position = Some(next),
                ScanNext::Done { proof, cursor } => {
                    listing.proof = proof && pages == 1;
                    if let Some(cursor) = cursor
                        && begins
                        && ScopeRecord::of(row).rescan
                    {
                        context
                            .journal
                            .amend_scope(row.number, |row| row.cursor = Some(cursor.clone()))
                            .await?;
                    }
                    return Ok(listing);
                }
            }
        }
    }

    /// What is listed: new entries and those whose state differs are read and written.
    async fn compare_listed(
        &self,
        context: &PassContext<'_>,
        row: &ScopeRow,
        listing: &Listing,
    ) -> Result<(), PassError> {
        let states = listing.entries.values().flatten();
        self.learn_folders(context, states).await?;
        let keys: Vec<&EntryKey> = listing.entries.keys().collect();
        for chunk in keys.chunks(PAGE) {
            let differing = self.differing(context, row, listing, chunk).await?;
            if differing.is_empty() {
                continue;
            }
            let gate = context.sync.gate(row.number);
            let _gate = gate.lock().await;
            self.write_entries(context, row, differing).await?;
            self.keep_lease(context).await?;
        }
        Ok(())
    }

    async fn differing(
        &self,
        context: &PassContext<'_>,
        row: &ScopeRow,
        listing: &Listing,
        keys: &[&EntryKey],
    ) -> Result<Vec<EntryKey>, PassError> {
        let journal = context.journal;
        let request = LoadRequest {
            keys: keys
                .iter()
                .map(|key| (row.number, (*key).clone()))
                .collect(),
            ..LoadRequest::default()
        };
        let loaded = journal.store.load(journal.account, &request).await?;
        let rows: HashMap<_, _> = loaded.messages.iter().map(|row| (row.id, row)).collect();
        let known: HashMap<&EntryKey, _> = loaded
            .entries
            .iter()
            .filter(|entry| entry.scope == row.number)
            .filter_map(|entry| Some((&entry.key, *rows.get(&entry.message)?)))
            .collect();
        let directory = journal.directory();
        let differs = |key: &EntryKey| {
            let Some(message) = known.get(key) else {
                return true;
            };
            let Some(state) = listing.entries.get(key).and_then(Option::as_ref) else {
                return message.gone || !message.seq.is_announced();
            };
            let mut folders: Vec<_> = state
                .folders
                .iter()
                .filter_map(|key| directory.folder_by_key(key).map(|row| row.id))
                .collect();
            folders.sort_unstable();
            message.gone
                || !message.seq.is_announced()
                || message.labels.as_ref() != Some(&state.labels)
                || message.folders != folders
        };
        Ok(keys
            .iter()
            .filter(|key| differs(key))
            .map(|key| (*key).clone())
            .collect())
    }

    /// Reads entries as they are now and writes them as changes; the caller holds the gate.
    async fn write_entries(
        &self,
        context: &PassContext<'_>,
        row: &ScopeRow,
        keys: Vec<EntryKey>,
    ) -> Result<(), PassError> {
        let bare = keys
            .into_iter()
            .map(|key| Entry {
                key,
                state: None,
                received_at: None,
                identity: None,
                thread: None,
                envelope: None,
                revised: false,
            })
            .collect();
        let mut vanished = Vec::new();
        let entries = self.complete(context, row, bare, &mut vanished).await?;
        let observations = self.observations(context, row.number, entries).await?;
        let vanished: Vec<Place> = vanished.into_iter().map(|key| (row.number, key)).collect();
        self.commit_page(context, &observations, &vanished, Announce::Feed, None)
            .await?;
        Ok(())
    }

    /// What is not listed is a candidate; what is not found by its key either is gone.
    async fn compare_absent(
        &self,
        context: &PassContext<'_>,
        row: &ScopeRow,
        mut listing: Listing,
    ) -> Result<(), PassError> {
        let mut candidates = self.candidates(context, row.number, &listing).await?;
        if !listing.proof && candidates.len() > MANY.max(listing.entries.len() / SHARE) {
            listing
                .entries
                .extend(self.list_scope(context, row, false).await?.entries);
            candidates.retain(|key| !listing.entries.contains_key(key));
        }
        for chunk in candidates.chunks(PAGE) {
            let gate = context.sync.gate(row.number);
            let _gate = gate.lock().await;
            let refs: Vec<MessageRef> = chunk
                .iter()
                .map(|key| MessageRef {
                    scope: row.key.clone(),
                    key: key.clone(),
                })
                .collect();
            let there = context
                .mailbox
                .provider
                .fetch(self.background(), &refs, Detail::Exists)
                .await?;
            let there: HashSet<EntryKey> = there.into_iter().map(|found| found.at.key).collect();
            let vanished: Vec<Place> = chunk
                .iter()
                .filter(|key| !there.contains(key))
                .map(|key| (row.number, key.clone()))
                .collect();
            self.commit_page(context, &[], &vanished, Announce::Feed, None)
                .await?;
            self.keep_lease(context).await?;
        }
        Ok(())
    }

    async fn candidates(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
        listing: &Listing,
    ) -> Result<Vec<EntryKey>, PassError> {
        let journal = context.journal;
        let mut candidates = Vec::new();
        let mut after: Option<EntryKey> = None;
        loop {
            let page = journal
                .store
                .scope_entries(journal.account, number, after.as_ref(), 2000)
                .await?;
            let Some(last) = page.last() else {
                return Ok(candidates);
            };
            after = Some(last.key.clone());
            candidates.extend(
                page.into_iter()
                    .map(|entry| entry.key)
                    .filter(|key| !listing.entries.contains_key(key)),
            );
        }
    }
}
