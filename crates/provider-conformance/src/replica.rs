use std::collections::{BTreeMap, BTreeSet};

use email_model::{FolderKey, Labels};
use email_provider::{
    ChangeNext, ChangePage, Cursor, Detail, Entry, EntryKey, EntryState, MessageRef, Position,
    ProviderResult, Removed, ScanDetail, ScanNext, ScanRequest, ScanWindow, ScopeKey,
};

use crate::{Bench, bench::call};

/// A copy of a scope, made by a scan and kept by its change feed: a gateway in small.
#[derive(Clone, Debug)]
pub struct Replica {
    /// What it is a copy of.
    pub scope: ScopeKey,
    /// How far it has read.
    pub cursor: Cursor,
    entries: BTreeMap<EntryKey, Option<Known>>,
}

/// What an entry is known to be: labels and places.
pub type Known = (Labels, BTreeSet<FolderKey>);

fn known(state: EntryState) -> Known {
    (state.labels, state.folders.into_iter().collect())
}

impl Replica {
    /// Scans a scope, page by page; `between` happens after each page.
    pub async fn scan(
        bench: &Bench,
        scope: &ScopeKey,
        limit: usize,
        mut between: impl AsyncFnMut(),
    ) -> Self {
        let begun = bench
            .provider
            .begin(call(), scope)
            .await
            .expect("a beginning");
        between().await;
        let mut entries = BTreeMap::new();
        let mut position = None;
        for _ in 0..1000 {
            let page = scan_page(bench, scope, position.as_ref(), limit).await;
            for entry in page.0 {
                check_key(&entry.key);
                entries.insert(entry.key, entry.state.map(known));
            }
            match page.1 {
                ScanNext::More(next) => position = Some(next),
                ScanNext::Done { cursor, .. } => {
                    let cursor = begun
                        .or(cursor)
                        .expect("a cursor from the beginning or the end");
                    return Self {
                        scope: scope.clone(),
                        cursor,
                        entries,
                    };
                }
            }
            between().await;
        }
        panic!("a scan ends");
    }

    /// Reads changes until there are no more; `between` happens after each page.
    pub async fn catch_up(&mut self, bench: &Bench, limit: usize, mut between: impl AsyncFnMut()) {
        for _ in 0..1000 {
            let page = bench
                .provider
                .changes(call(), &self.scope, &self.cursor, limit)
                .await;
            if self.apply(page.expect("changes")) {
                return;
            }
            between().await;
        }
        panic!("a change feed is caught up with");
    }

    /// One page of changes from here, not applied.
    pub async fn changes(&self, bench: &Bench) -> ProviderResult<ChangePage> {
        bench
            .provider
            .changes(call(), &self.scope, &self.cursor, 500)
            .await
    }

    /// Applies a page; whether it was the last.
    pub fn apply(&mut self, page: ChangePage) -> bool {
        for entry in page.entries {
            check_key(&entry.key);
            self.entries.insert(entry.key, entry.state.map(known));
        }
        match page.removed {
            Removed::Vanished(keys) => keys.iter().for_each(|key| {
                self.entries.remove(key);
            }),
            Removed::Listing(keys) => {
                let left: BTreeSet<EntryKey> = keys.into_iter().collect();
                self.entries.retain(|key, _| left.contains(key));
                let untold = left.iter().find(|key| !self.entries.contains_key(key));
                assert_eq!(untold, None, "what a listing names was told as an entry");
            }
        }
        let (cursor, last) = match page.next {
            ChangeNext::More(cursor) => (cursor, false),
            ChangeNext::CaughtUp(cursor) => (cursor, true),
        };
        assert!(cursor.0.len() <= 64 * 1024, "a cursor has at most 64 KiB");
        self.cursor = cursor;
        last
    }

    /// The copy, states that were not told read. An entry that is not there any more is left out, as
    /// the feed will tell.
    pub async fn entries(&mut self, bench: &Bench) -> BTreeMap<EntryKey, Known> {
        let untold = self.entries.iter().filter(|(_, state)| state.is_none());
        let untold: Vec<EntryKey> = untold.map(|(key, _)| key.clone()).collect();
        for (key, state) in states(bench, &self.scope, &untold).await {
            self.entries.insert(key, Some(state));
        }
        let told = self
            .entries
            .iter()
            .filter_map(|(key, state)| Some((key.clone(), state.clone()?)));
        told.collect()
    }

    /// Waits until the copy, brought up to date, is what a fresh listing shows.
    pub async fn assert_converges(mut self, bench: &Bench, what: &str) {
        let converged = async || {
            self.catch_up(bench, 100, async || {}).await;
            let (copy, fresh) = (self.entries(bench).await, listing(bench, &self.scope).await);
            if copy == fresh {
                Ok(())
            } else {
                Err(format!("copy {copy:#?}\nfresh {fresh:#?}"))
            }
        };
        bench.eventually(what, converged).await;
    }
}

/// A fresh listing of a scope with states.
pub async fn listing(bench: &Bench, scope: &ScopeKey) -> BTreeMap<EntryKey, Known> {
    let keys = scan_all(bench, scope, ScanWindow::default(), ScanDetail::Keys, 500).await;
    let keys: Vec<EntryKey> = keys.into_iter().map(|entry| entry.key).collect();
    states(bench, scope, &keys).await
}

async fn states(bench: &Bench, scope: &ScopeKey, keys: &[EntryKey]) -> BTreeMap<EntryKey, Known> {
    let at = |key: &EntryKey| MessageRef {
        scope: scope.clone(),
        key: key.clone(),
    };
    let refs: Vec<MessageRef> = keys.iter().map(at).collect();
    let fetched = bench
        .provider
        .fetch(call(), &refs, Detail::State)
        .await
        .expect("states");
    fetched
        .into_iter()
        .map(|message| (message.at.key, known(message.state.expect("a state"))))
        .collect()
}

/// All entries of a scan.
pub async fn scan_all(
    bench: &Bench,
    scope: &ScopeKey,
    window: ScanWindow,
    detail: ScanDetail,
    limit: usize,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut position: Option<Position> = None;
    for _ in 0..1000 {
        let request = ScanRequest {
            window,
            detail,
            position: position.as_ref(),
            limit,
        };
        let page = bench
            .provider
            .scan(call(), scope, request)
            .await
            .expect("a page");
        if detail == ScanDetail::Envelopes {
            assert!(
                page.entries.len() <= limit,
                "a page holds at most what was asked for"
            );
        }
        entries.extend(page.entries);
        match page.next {
            ScanNext::Done { .. } => return entries,
            ScanNext::More(next) => {
                assert!(next.0.len() <= 64 * 1024, "a position has at most 64 KiB");
                assert_ne!(Some(&next), position.as_ref(), "a scan goes on");
                position = Some(next);
            }
        }
    }
    panic!("a scan ends");
}

async fn scan_page(
    bench: &Bench,
    scope: &ScopeKey,
    position: Option<&Position>,
    limit: usize,
) -> (Vec<Entry>, ScanNext) {
    let window = ScanWindow::default();
    let request = ScanRequest {
        window,
        detail: ScanDetail::Envelopes,
        position,
        limit,
    };
    let page = bench
        .provider
        .scan(call(), scope, request)
        .await
        .expect("a page");
    (page.entries, page.next)
}

fn check_key(key: &EntryKey) {
    assert!(
        (1..=512).contains(&key.0.len()),
        "a key has at most 512 bytes"
    );
}
