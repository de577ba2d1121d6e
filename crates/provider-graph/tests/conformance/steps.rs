//! What these tests do over and over.

use email_model::FolderKey;
use email_provider::{
    ChangePage, Cursor, EmailProvider, EntryKey, Removed, ScanDetail, ScanNext, ScanRequest,
    ScanWindow, ScopeKey,
};
use provider_conformance::{Bench, Harness as _, Mail, call};

use crate::support::GraphHarness;

/// The inbox.
pub fn inbox(harness: &GraphHarness) -> FolderKey {
    FolderKey(harness.user.folder_id("inbox").expect("an inbox"))
}

/// The scope that is a folder.
pub fn scope(folder: &FolderKey) -> ScopeKey {
    ScopeKey(folder.0.clone())
}

/// Stores messages of these names in a folder; their keys.
pub async fn append(harness: &GraphHarness, folder: &FolderKey, names: &[&str]) -> Vec<EntryKey> {
    let mut keys = Vec::new();
    for (at, name) in (0..).zip(names) {
        let mail = Mail::new(name, at * 60);
        harness.append(folder, mail.stored()).await;
        keys.push(EntryKey(harness.find(folder, &mail.id).id.into_bytes()));
    }
    keys
}

/// Scans a folder to its end; the feed's first cursor.
pub async fn scanned(provider: &dyn EmailProvider, folder: &FolderKey) -> Cursor {
    let mut position = None;
    loop {
        let request = ScanRequest {
            window: ScanWindow::default(),
            detail: ScanDetail::Envelopes,
            position: position.as_ref(),
            limit: 100,
        };
        let page = provider.scan(call(), &scope(folder), request).await;
        match page.expect("a page").next {
            ScanNext::More(next) => position = Some(next),
            ScanNext::Done { cursor, .. } => return cursor.expect("a cursor"),
        }
    }
}

/// A page of changes of a folder.
pub async fn changes(
    provider: &dyn EmailProvider,
    folder: &FolderKey,
    cursor: &Cursor,
) -> ChangePage {
    let page = provider.changes(call(), &scope(folder), cursor, 100).await;
    page.expect("changes")
}

/// The keys told and the keys gone, sorted.
pub fn keys(page: &ChangePage) -> (Vec<EntryKey>, Vec<EntryKey>) {
    let Removed::Vanished(gone) = &page.removed else {
        panic!("{page:?}");
    };
    let mut told: Vec<EntryKey> = page.entries.iter().map(|entry| entry.key.clone()).collect();
    let mut gone = gone.clone();
    told.sort();
    gone.sort();
    (told, gone)
}

/// The suite's own ways with the same mailbox.
pub async fn bench(harness: &GraphHarness) -> Bench {
    Bench::new(harness.again()).await
}
