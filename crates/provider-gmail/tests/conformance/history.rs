//! What is Gmail's own about changes: the history, drafts, chats, labels.

use email_model::MessageQuery;
use email_provider::{
    ChangeNext, Detail, ErrorKind, MessageEdit, Removed, ScanDetail, ScanRequest, ScanWindow,
    SearchRequest, SearchScope,
};
use fake_gmail::HistoryExpired;
use provider_conformance::{Harness as _, Mail, call};

use crate::{
    steps::{append, begun, bench, inbox, scope},
    support::GmailHarness,
};

#[tokio::test]
async fn a_history_that_expires_in_the_midst_of_a_walk_asks_for_a_rescan() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let (scope, cursor) = begun(provider.as_ref()).await;
    append(&harness, &["one", "two", "three"]).await;
    let page = provider
        .changes(call(), &scope, &cursor, 1)
        .await
        .expect("a page");
    let ChangeNext::More(next) = page.next else {
        panic!("{page:?}");
    };
    harness
        .server
        .faults(|faults| faults.history_expired = HistoryExpired::MidWalk);
    let expired = provider.changes(call(), &scope, &next, 1).await;
    assert_eq!(
        expired.err().map(|error| error.kind),
        Some(ErrorKind::CursorExpired)
    );
    let request = ScanRequest {
        window: ScanWindow::default(),
        detail: ScanDetail::Envelopes,
        position: None,
        limit: 10,
    };
    let rescan = provider
        .scan(call(), &scope, request)
        .await
        .expect("a page");
    assert_eq!(rescan.entries.len(), 3);
}

#[tokio::test]
async fn a_saved_revision_of_a_draft_is_another_message() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let draft = harness.user.create_draft(&Mail::new("first", 0).raw());
    let (scope, cursor) = begun(provider.as_ref()).await;
    let old = harness.user.messages().remove(0).id;
    let new = harness
        .user
        .edit_draft(&draft, &Mail::new("second", 0).raw());
    let page = provider
        .changes(call(), &scope, &cursor, 100)
        .await
        .expect("changes");
    let told: Vec<_> = page
        .entries
        .iter()
        .map(|entry| entry.key.0.clone())
        .collect();
    assert_eq!(told, [new.expect("a revision").into_bytes()]);
    let Removed::Vanished(gone) = page.removed else {
        panic!("a history names what is gone");
    };
    assert_eq!(gone[0].0, old.into_bytes());
}

#[tokio::test]
async fn chats_are_no_mail() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    append(&harness, &["mail"]).await;
    harness.user.append_chat("hello", 1_709_290_800_000);
    let scope = scope(provider.as_ref()).await;
    let mut kinds = Vec::new();
    for detail in [ScanDetail::Keys, ScanDetail::Envelopes] {
        let window = ScanWindow::default();
        kinds.push(
            provider_conformance::scan_all(&bench(&harness).await, &scope, window, detail, 10)
                .await
                .len(),
        );
    }
    assert_eq!(kinds, [1, 1]);
    let request = SearchRequest {
        scope: SearchScope::Everywhere {
            trash_and_junk: true,
        },
        query: MessageQuery::default(),
        position: None,
        limit: 10,
    };
    let found = provider.search(call(), request).await.expect("a search");
    assert_eq!(found.hits.len(), 1);
}

#[tokio::test]
async fn a_keyword_that_is_not_there_is_made_with_those_above_it() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    append(&harness, &["filed"]).await;
    let at = bench(&harness).await.list(&inbox()).await.remove(0);
    let edit = MessageEdit {
        keywords: Some(vec!["work/2024/q1".into()]),
        ..MessageEdit::default()
    };
    provider.update(call(), &at, &edit).await.expect("an edit");
    let mut names: Vec<String> = harness
        .user
        .labels()
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    names.sort();
    assert_eq!(names, ["work", "work/2024", "work/2024/q1"]);
    let state = provider
        .fetch(call(), &[at], Detail::State)
        .await
        .expect("a state");
    let state = state[0].state.clone().expect("a state");
    assert_eq!(state.labels.keywords, ["work/2024/q1"]);
}
