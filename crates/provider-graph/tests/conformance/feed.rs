//! What is Graph's own about changes: what the feed tells twice, in part, wrongly, or not at all.

use email_model::{Flags, FolderKey};
use email_provider::{
    ChangeNext, Detail, ErrorKind, MessageRef, ScanDetail, ScanRequest, ScanWindow,
};
use fake_graph::{Expiry, When};
use provider_conformance::{Harness as _, Mail, call};

use crate::{
    steps::{append, changes, inbox, keys, scanned, scope},
    support::GraphHarness,
};

#[tokio::test]
async fn a_message_that_was_told_to_be_removed_and_came_back_is_alive() {
    let harness = GraphHarness::start(|faults| faults.lost_returns = When::Always).await;
    let provider = harness.provider().await;
    let (inbox, other) = (inbox(&harness), harness.create_folder("Other", None).await);
    let key = append(&harness, &inbox, &["there-and-back"])
        .await
        .remove(0);
    let cursor = scanned(provider.as_ref(), &inbox).await;
    let id = "<there-and-back@conformance.example>";
    harness.move_message(&inbox, id, &other).await;
    harness.move_message(&other, id, &inbox).await;
    let page = changes(provider.as_ref(), &inbox, &cursor).await;
    assert_eq!(keys(&page), (vec![key], vec![]));
    let state = page.entries[0].state.clone().expect("it was read");
    assert_eq!(state.folders, [inbox]);
}

#[tokio::test]
async fn a_message_that_was_moved_is_gone_from_where_it_was_and_new_where_it_is() {
    for silent in [When::Never, When::Always] {
        let harness = GraphHarness::start(|faults| faults.unreported_arrivals = silent).await;
        let provider = harness.provider().await;
        let (inbox, other) = (inbox(&harness), harness.create_folder("Other", None).await);
        let key = append(&harness, &inbox, &["moved"]).await.remove(0);
        append(&harness, &other, &["there"]).await;
        let from = scanned(provider.as_ref(), &inbox).await;
        let to = scanned(provider.as_ref(), &other).await;
        harness
            .move_message(&inbox, "<moved@conformance.example>", &other)
            .await;
        let page = changes(provider.as_ref(), &inbox, &from).await;
        assert_eq!(keys(&page), (vec![], vec![key.clone()]), "{silent:?}");
        let page = changes(provider.as_ref(), &other, &to).await;
        assert!(keys(&page).0.contains(&key), "{silent:?}: {page:?}");
    }
}

#[tokio::test]
async fn a_feed_that_is_forgotten_asks_for_a_rescan_however_that_is_said() {
    for expiry in [
        Expiry::Gone,
        Expiry::ResyncRequired,
        Expiry::SyncStateNotFound,
        Expiry::SyncStateInvalid,
        Expiry::NotFound,
    ] {
        let harness = GraphHarness::start(|faults| faults.expiry = expiry).await;
        let provider = harness.provider().await;
        let inbox = inbox(&harness);
        append(&harness, &inbox, &["one", "two", "three"]).await;
        let cursor = scanned(provider.as_ref(), &inbox).await;
        append(&harness, &inbox, &["four", "five", "six"]).await;
        harness
            .server
            .faults(|faults| faults.expired_walks = When::Always);
        let page = provider.changes(call(), &scope(&inbox), &cursor, 1).await;
        let ChangeNext::More(walking) = page.expect("a page").next else {
            panic!("one of three is not all");
        };
        let in_midst = provider.changes(call(), &scope(&inbox), &walking, 1).await;
        let kind = in_midst.err().map(|error| error.kind);
        assert_eq!(
            kind,
            Some(ErrorKind::CursorExpired),
            "{expiry:?} in the midst of a walk"
        );
        harness.server.faults(|faults| {
            faults.expired_walks = When::Never;
            faults.expired_deltas = When::Always;
        });
        let begun = provider.changes(call(), &scope(&inbox), &cursor, 1).await;
        let kind = begun.err().map(|error| error.kind);
        assert_eq!(
            kind,
            Some(ErrorKind::CursorExpired),
            "{expiry:?} at its beginning"
        );
        harness
            .server
            .faults(|faults| faults.expired_deltas = When::Never);
        let cursor = scanned(provider.as_ref(), &inbox).await;
        let page = changes(provider.as_ref(), &inbox, &cursor).await;
        assert!(keys(&page).1.is_empty());
    }
}

#[tokio::test]
async fn a_scan_whose_feed_is_forgotten_in_its_midst_asks_to_begin_anew() {
    let harness = GraphHarness::start(|faults| faults.expired_walks = When::Always).await;
    harness
        .server
        .settings(|settings| settings.largest_delta_page = 1);
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    append(&harness, &inbox, &["one", "two", "three"]).await;
    let request = ScanRequest {
        window: ScanWindow::default(),
        detail: ScanDetail::Envelopes,
        position: None,
        limit: 10,
    };
    let expired = provider.scan(call(), &scope(&inbox), request).await;
    let kind = expired.err().map(|error| error.kind);
    assert_eq!(kind, Some(ErrorKind::CursorExpired));
    harness
        .server
        .faults(|faults| faults.expired_walks = When::Never);
    let anew = provider.scan(call(), &scope(&inbox), request).await;
    assert_eq!(anew.expect("a page").entries.len(), 3);
}

#[tokio::test]
async fn an_item_told_in_part_leaves_the_rest_as_it_was() {
    let harness = GraphHarness::start(|faults| faults.partial_items = When::Always).await;
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    let mut mail = Mail::new("kept", 0);
    mail.flags = Flags::FLAGGED;
    mail.keywords = vec!["blue".into()];
    harness.append(&inbox, mail.stored()).await;
    let cursor = scanned(provider.as_ref(), &inbox).await;
    let id = harness.find(&inbox, &mail.id).id;
    assert!(harness.user.set_read(&id, true));
    let page = changes(provider.as_ref(), &inbox, &cursor).await;
    let entry = page.entries.last().expect("it is told");
    assert!(entry.envelope.is_none(), "what was not told is not empty");
    let at = MessageRef {
        scope: scope(&inbox),
        key: entry.key.clone(),
    };
    let fetched = provider.fetch(call(), &[at], Detail::Envelope).await;
    let fetched = fetched.expect("an answer").remove(0);
    let state = fetched.state.expect("a state");
    assert!(
        entry.state.as_ref().is_none_or(|told| *told == state),
        "{entry:?}"
    );
    assert_eq!(state.labels.flags, Flags::SEEN | Flags::FLAGGED);
    assert_eq!(state.labels.keywords, ["blue"]);
    let subject = fetched.envelope.expect("an envelope").subject;
    assert_eq!(subject.as_deref(), Some("About kept"));
}

#[tokio::test]
async fn an_item_told_twice_is_one_change_and_one_told_again_is_none_the_worse() {
    let harness = GraphHarness::start(|faults| {
        faults.duplicates = When::Always;
        faults.replays = When::Always;
    })
    .await;
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    append(&harness, &inbox, &["old"]).await;
    let cursor = scanned(provider.as_ref(), &inbox).await;
    let new = append(&harness, &inbox, &["new"]).await.remove(0);
    let page = changes(provider.as_ref(), &inbox, &cursor).await;
    let (told, gone) = keys(&page);
    let mut distinct = told.clone();
    distinct.dedup();
    assert_eq!(told, distinct);
    assert!(told.contains(&new) && gone.is_empty());
}

#[tokio::test]
async fn what_left_while_it_was_scanned_is_told_by_the_first_changes() {
    let harness = GraphHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    let told = append(&harness, &inbox, &["one", "two", "three"]).await;
    let request = ScanRequest {
        window: ScanWindow::default(),
        detail: ScanDetail::Envelopes,
        position: None,
        limit: 1,
    };
    let page = provider.scan(call(), &scope(&inbox), request).await;
    let page = page.expect("a page");
    assert_eq!(page.entries[0].key, told[2], "the newest");
    harness.expunge(&inbox, "<three@conformance.example>").await;
    let mut next = page.next;
    let cursor = loop {
        match next {
            email_provider::ScanNext::Done { cursor, .. } => break cursor.expect("a cursor"),
            email_provider::ScanNext::More(position) => {
                let request = ScanRequest {
                    position: Some(&position),
                    ..request
                };
                let page = provider.scan(call(), &scope(&inbox), request).await;
                next = page.expect("a page").next;
            }
        }
    };
    let page = changes(provider.as_ref(), &inbox, &cursor).await;
    assert_eq!(keys(&page).1, [told[2].clone()]);
}

#[tokio::test]
async fn a_folder_in_which_nothing_happened_is_asked_once() {
    let harness = GraphHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    append(&harness, &inbox, &["one"]).await;
    let cursor = scanned(provider.as_ref(), &inbox).await;
    provider.survey(call(), &[]).await.expect("a survey");
    let page = changes(provider.as_ref(), &inbox, &cursor).await;
    let ChangeNext::CaughtUp(cursor) = page.next else {
        panic!("one change is one page");
    };
    harness.server.clear_requests();
    let page = changes(provider.as_ref(), &inbox, &cursor).await;
    assert_eq!(keys(&page), (vec![], vec![]));
    let asked = harness.server.requests();
    let asked: Vec<_> = asked.iter().filter_map(|one| one.method).collect();
    assert_eq!(asked, ["mailFolders.messages.delta"]);
}

#[tokio::test]
async fn searches_and_hidden_folders_are_no_places_and_chats_no_mail() {
    let harness = GraphHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    append(&harness, &inbox, &["mail"]).await;
    let hidden = harness
        .user
        .create_hidden_folder("Hidden", None)
        .expect("a folder");
    let search = harness
        .user
        .create_search_folder("Unread", "isRead eq false")
        .expect("a folder");
    harness.user.append_chat("hello", 1_709_290_800_000);
    let folders = provider.folders(call()).await.expect("folders");
    let keys: Vec<&str> = folders.iter().map(|folder| folder.key.0.as_str()).collect();
    assert!(!keys.contains(&hidden.as_str()) && !keys.contains(&search.as_str()));
    let request = email_provider::SearchRequest {
        scope: email_provider::SearchScope::Everywhere {
            trash_and_junk: true,
        },
        query: email_model::MessageQuery::default(),
        position: None,
        limit: 10,
    };
    let found = provider.search(call(), request).await.expect("a search");
    assert_eq!(found.hits.len(), 1);
    assert_eq!(found.hits[0].0.scope.0, inbox.0);
}

#[tokio::test]
async fn folders_are_known_by_what_they_are_for_and_not_by_their_names() {
    let harness = GraphHarness::start(|_| {}).await;
    for (folder, name) in [
        ("inbox", "Posteingang"),
        ("deleteditems", "Gelöschte Elemente"),
    ] {
        assert!(harness.user.rename_folder(folder, name));
    }
    let provider = harness.provider().await;
    let folders = provider.folders(call()).await.expect("folders");
    let role = |name: &str| {
        let found = folders.iter().find(|folder| folder.name == name);
        found.and_then(|folder| folder.role)
    };
    assert_eq!(role("Posteingang"), Some(email_model::FolderRole::Inbox));
    assert_eq!(
        role("Gelöschte Elemente"),
        Some(email_model::FolderRole::Trash)
    );
}

#[tokio::test]
async fn a_reference_that_is_hostile_names_no_message_and_reaches_no_address() {
    let harness = GraphHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    harness.server.clear_requests();
    for key in ["../../users", "a/b", "a?b", "x'y", "", "a%2fb", ".."] {
        let at = MessageRef {
            scope: scope(&inbox),
            key: email_provider::EntryKey(key.as_bytes().to_vec()),
        };
        let refs = std::slice::from_ref(&at);
        let found = provider.fetch(call(), refs, Detail::State).await;
        assert_eq!(found.expect("an answer"), []);
        let raw = provider.raw(call(), &at).await.err();
        assert_eq!(raw.map(|error| error.kind), Some(ErrorKind::NotFound));
        let place = email_provider::MessageEdit {
            move_to: Some(FolderKey(key.to_owned())),
            ..email_provider::MessageEdit::default()
        };
        let edit = provider.update(call(), &at, &place).await.err();
        assert_eq!(edit.map(|error| error.kind), Some(ErrorKind::NotFound));
        let begun = provider
            .begin(call(), &scope(&FolderKey(key.to_owned())))
            .await;
        assert_eq!(
            begun.err().map(|error| error.kind),
            Some(ErrorKind::NotFound)
        );
    }
    assert_eq!(harness.server.requests().len(), 0);
}
