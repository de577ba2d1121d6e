//! Messages that come into a folder without its feed telling.

use std::collections::HashSet;

use email_model::FolderKey;
use email_provider::{
    Call, ChangeNext, Cursor, Detail, EmailProvider, EntryKey, ErrorKind, MessageRef, Priority,
};
use fake_graph::When;
use provider_conformance::{Harness as _, call};
use tokio::time::{Duration, Instant};

use crate::{
    steps::{append, inbox, keys, scanned, scope},
    support::GraphHarness,
};

/// What a folder's feed tells as a pass reads it, after a survey: the keys told, the keys gone, and where it goes on.
async fn pass(
    provider: &dyn EmailProvider,
    folder: &FolderKey,
    mut cursor: Cursor,
    limit: usize,
) -> (HashSet<EntryKey>, HashSet<EntryKey>, Cursor) {
    provider.survey(call(), &[]).await.expect("a survey");
    rest(provider, folder, &mut cursor, limit).await
}

async fn rest(
    provider: &dyn EmailProvider,
    folder: &FolderKey,
    cursor: &mut Cursor,
    limit: usize,
) -> (HashSet<EntryKey>, HashSet<EntryKey>, Cursor) {
    let (mut told, mut gone) = (HashSet::new(), HashSet::new());
    loop {
        let page = provider
            .changes(call(), &scope(folder), cursor, limit)
            .await
            .expect("changes");
        let (here, left) = keys(&page);
        told.extend(here);
        gone.extend(left);
        match page.next {
            ChangeNext::More(next) => *cursor = next,
            ChangeNext::CaughtUp(next) => return (told, gone, next),
        }
    }
}

fn id(name: &str) -> String {
    format!("<{name}@conformance.example>")
}

#[tokio::test]
async fn one_that_comes_after_one_that_left_since_the_count_is_told() {
    let harness = GraphHarness::start(|faults| faults.unreported_arrivals = When::Always).await;
    let provider = harness.provider().await;
    let (inbox, other) = (inbox(&harness), harness.create_folder("Other", None).await);
    let comes = append(&harness, &inbox, &["comes"]).await.remove(0);
    let leaves = append(&harness, &other, &["leaves", "stays"])
        .await
        .remove(0);
    let mut cursor = scanned(provider.as_ref(), &other).await;
    // It is counted, and gone before the feed is read.
    provider.survey(call(), &[]).await.expect("a survey");
    harness.expunge(&other, &id("leaves")).await;
    let (_, gone, cursor) = rest(provider.as_ref(), &other, &mut cursor, 100).await;
    assert!(gone.contains(&leaves));
    harness.move_message(&inbox, &id("comes"), &other).await;
    let (told, _, _) = pass(provider.as_ref(), &other, cursor, 100).await;
    assert!(told.contains(&comes), "{told:?}");
}

#[tokio::test]
async fn one_that_comes_while_another_leaves_is_told_though_the_last_page_tells_nothing() {
    let harness = GraphHarness::start(|faults| faults.unreported_arrivals = When::Always).await;
    harness
        .server
        .settings(|settings| settings.empty_last_delta_page = true);
    let provider = harness.provider().await;
    let (inbox, other) = (inbox(&harness), harness.create_folder("Other", None).await);
    let comes = append(&harness, &inbox, &["comes"]).await.remove(0);
    let leaves = append(&harness, &other, &["leaves", "stays"])
        .await
        .remove(0);
    let cursor = scanned(provider.as_ref(), &other).await;
    let (_, _, cursor) = pass(provider.as_ref(), &other, cursor, 100).await;
    harness.expunge(&other, &id("leaves")).await;
    harness.move_message(&inbox, &id("comes"), &other).await;
    let (told, gone, _) = pass(provider.as_ref(), &other, cursor, 100).await;
    assert!(gone.contains(&leaves));
    assert!(told.contains(&comes), "{told:?}");
}

#[tokio::test]
async fn many_that_come_at_once_are_all_told() {
    let harness = GraphHarness::start(|faults| faults.unreported_arrivals = When::Always).await;
    let provider = harness.provider().await;
    let (inbox, other) = (inbox(&harness), harness.create_folder("Other", None).await);
    let names: Vec<String> = (0..410).map(|at| format!("many-{at}")).collect();
    let named: Vec<&str> = names.iter().map(String::as_str).collect();
    let come = append(&harness, &inbox, &named).await;
    append(&harness, &other, &["stays"]).await;
    let cursor = scanned(provider.as_ref(), &other).await;
    let (_, _, cursor) = pass(provider.as_ref(), &other, cursor, 100).await;
    for name in &names {
        harness.move_message(&inbox, &id(name), &other).await;
        // Each in a second of its own, so that only the count of a page ends a look.
        harness.server.clock().advance(Duration::from_secs(1));
    }
    let (told, _, _) = pass(provider.as_ref(), &other, cursor, 500).await;
    let missing = come.iter().filter(|key| !told.contains(*key)).count();
    assert_eq!(missing, 0);
}

#[tokio::test]
async fn a_message_that_was_not_found_once_is_not_believed_gone_when_the_time_is_over() {
    let harness = GraphHarness::start(|faults| faults.missing_messages = When::Always).await;
    let provider = harness.provider().await;
    let inbox = inbox(&harness);
    let key = append(&harness, &inbox, &["there"]).await.remove(0);
    let at = MessageRef {
        scope: scope(&inbox),
        key,
    };
    // Less than what passes before it is asked for again.
    let late = Call {
        priority: Priority::Interactive,
        deadline: Instant::now() + Duration::from_millis(45),
    };
    let refs = std::slice::from_ref(&at);
    let fetched = provider.fetch(late, refs, Detail::State).await;
    let kind = fetched.err().map(|error| error.kind);
    assert_eq!(kind, Some(ErrorKind::Unavailable));
    let fetched = provider.fetch(call(), refs, Detail::State).await;
    assert_eq!(fetched.expect("an answer").len(), 1);
}
