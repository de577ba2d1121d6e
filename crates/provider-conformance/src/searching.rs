//! `search`: listing, paging, places.

use std::collections::BTreeSet;

use email_model::{FolderRole, MessageQuery};
use email_provider::{Detail, MessageRef, SearchRequest, SearchScope};

use crate::{Bench, Mail, call};

fn everywhere(trash_and_junk: bool) -> SearchScope {
    SearchScope::Everywhere { trash_and_junk }
}

/// Over all pages every message is listed once, newest received first, whatever the order of arrival.
pub async fn an_empty_query_lists_every_message_once_newest_first(bench: &Bench) {
    let (inbox, other) = (bench.inbox().await, bench.folder("Other").await);
    let minutes = [7, 2, 9, 4, 1, 8, 3, 6, 5, 0];
    let mails: Vec<Mail> = minutes
        .iter()
        .map(|m| Mail::new(&format!("at-{m}"), m * 60))
        .collect();
    bench.stored(&inbox, &mails[..6]).await;
    bench.stored(&other, &mails[6..]).await;
    for (scope, expected) in [
        (SearchScope::Folder(inbox), vec![9, 8, 7, 4, 2, 1]),
        (everywhere(false), vec![9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (everywhere(true), vec![9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
    ] {
        for limit in [1, 3, 10, 500] {
            let found = bench
                .search(scope.clone(), MessageQuery::default(), limit)
                .await;
            let (hits, unchecked) = found.expect("a listing");
            assert!(
                unchecked.is_empty(),
                "an empty query leaves nothing to check"
            );
            let refs: Vec<MessageRef> = hits.iter().map(|(at, _)| at.clone()).collect();
            let ids = bench.by_id(&refs).await;
            let order: Vec<_> = refs
                .iter()
                .map(|at| ids.iter().find(|(_, found)| *found == at))
                .collect();
            let order: Vec<_> = order
                .into_iter()
                .flatten()
                .map(|(id, _)| id.clone())
                .collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|m| format!("<at-{m}@conformance.example>"))
                .collect();
            assert_eq!(order, expected, "limit {limit}");
            for ((_, told), id) in hits.iter().zip(&order) {
                let mail = mails
                    .iter()
                    .find(|mail| mail.id == *id)
                    .expect("one of ours");
                assert!(
                    told.is_none_or(|told| told == mail.received_at),
                    "{id} received at {told:?}"
                );
            }
        }
    }
}

/// What is there from the first page to the last is listed once, whatever happens in between.
pub async fn a_listing_goes_on_while_mail_arrives_and_goes(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mails: Vec<Mail> = (0..12)
        .map(|n| Mail::new(&format!("old-{n}"), n * 60))
        .collect();
    bench.stored(&inbox, &mails).await;
    let mut request = SearchRequest {
        scope: SearchScope::Folder(inbox.clone()),
        query: MessageQuery::default(),
        position: None,
        limit: 4,
    };
    let mut listed = Vec::new();
    for step in 0..20 {
        let page = bench
            .provider
            .search(call(), request.clone())
            .await
            .expect("a page");
        listed.extend(page.hits.into_iter().map(|(at, _)| at));
        request.position = page.next;
        if request.position.is_none() {
            break;
        }
        let arriving = Mail::new(&format!("new-{step}"), 10_000 + step);
        bench.store(&inbox, &arriving).await;
        if step == 0 {
            // One already listed and one still to come.
            bench.harness.expunge(&inbox, &mails[11].id).await;
            bench.gone(&inbox, &mails[11].id).await;
            bench.harness.expunge(&inbox, &mails[2].id).await;
            bench.gone(&inbox, &mails[2].id).await;
        }
    }
    let distinct: BTreeSet<&MessageRef> = listed.iter().collect();
    assert_eq!(distinct.len(), listed.len(), "no message is listed twice");
    let ids = bench.by_id(&listed).await;
    for mail in mails
        .iter()
        .filter(|mail| mail.id != mails[2].id && mail.id != mails[11].id)
    {
        assert!(ids.contains_key(&mail.id), "{} is listed", mail.id);
    }
}

/// A message that is marked as deleted and not yet expunged is not there; unmarked, it is.
pub async fn a_message_marked_as_deleted_is_not_found(bench: &Bench) {
    if !bench.facts.deleted_mark {
        return;
    }
    let inbox = bench.inbox().await;
    let mails = [Mail::new("marked", 0), Mail::new("kept", 60)];
    bench.stored(&inbox, &mails).await;
    bench.harness.mark_deleted(&inbox, &mails[0].id, true).await;
    bench.gone(&inbox, &mails[0].id).await;
    let (hits, _) = bench
        .search(everywhere(true), MessageQuery::default(), 10)
        .await
        .expect("a listing");
    assert_eq!(hits.len(), 1);
    bench
        .harness
        .mark_deleted(&inbox, &mails[0].id, false)
        .await;
    bench.located(&inbox, &mails[0].id).await;
}

/// Trash and Junk are part of everywhere only when asked for.
pub async fn trash_and_junk_are_searched_only_when_asked_for(bench: &Bench) {
    bench
        .store(&bench.inbox().await, &Mail::new("wanted", 0))
        .await;
    let mut unwanted = 0;
    for (role, name) in [
        (FolderRole::Trash, "thrown-away"),
        (FolderRole::Junk, "junk"),
    ] {
        if let Some(folder) = bench.role(role).await {
            bench.store(&folder, &Mail::new(name, 60)).await;
            unwanted += 1;
        }
    }
    for (scope, expected) in [(everywhere(false), 1), (everywhere(true), 1 + unwanted)] {
        let (hits, _) = bench
            .search(scope, MessageQuery::default(), 10)
            .await
            .expect("a listing");
        assert_eq!(hits.len(), expected);
    }
}

/// A folder is searched without the folders below it and beside it.
pub async fn a_search_in_one_folder_finds_nothing_elsewhere(bench: &Bench) {
    let above = bench.folder("Above").await;
    let below = bench.harness.create_folder("Below", Some(&above)).await;
    let mails = [Mail::new("above", 0), Mail::new("below", 60)];
    bench.store(&above, &mails[0]).await;
    bench.store(&below, &mails[1]).await;
    for (folder, mail) in [(&above, &mails[0]), (&below, &mails[1])] {
        let found = bench.by_id(&bench.list(folder).await).await;
        assert!(
            found.len() == 1 && found.contains_key(&mail.id),
            "{found:?}"
        );
    }
}

/// A position is good on another connection.
pub async fn a_search_goes_on_over_another_connection(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mails: Vec<Mail> = (0..6)
        .map(|n| Mail::new(&format!("page-{n}"), n * 60))
        .collect();
    let refs = bench.stored(&inbox, &mails).await;
    let mut request = SearchRequest {
        scope: SearchScope::Folder(inbox),
        query: MessageQuery::default(),
        position: None,
        limit: 2,
    };
    let mut listed = BTreeSet::new();
    for _ in 0..10 {
        let provider = bench.harness.provider().await;
        let page = provider
            .search(call(), request.clone())
            .await
            .expect("a page");
        listed.extend(page.hits.into_iter().map(|(at, _)| at));
        provider.close().await;
        request.position = page.next;
        if request.position.is_none() {
            break;
        }
    }
    assert_eq!(listed, refs.iter().cloned().collect());
    let fetched = bench
        .provider
        .fetch(call(), &refs, Detail::Exists)
        .await
        .expect("an answer");
    assert_eq!(fetched.len(), refs.len());
}
