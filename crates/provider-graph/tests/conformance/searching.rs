//! Searches of the index, which finds so many messages and no more.

use email_model::{Flags, MessageQuery, query};
use email_provider::{
    EmailProvider, ErrorKind, MessageRef, ProviderResult, SearchPage, SearchRequest, SearchScope,
};
use provider_conformance::{Harness as _, Mail, call, moment};

use crate::{
    steps::{inbox, scope},
    support::GraphHarness,
};

const BOSS: &str = "The Boss <boss@sender.example>";
/// Five years, in seconds.
const LONG_AGO: i64 = -5 * 366 * 86_400;

async fn store(harness: &GraphHarness, name: &str, received: i64, flags: Flags) -> MessageRef {
    let inbox = inbox(harness);
    let mut mail = Mail::new(name, received);
    mail.from = BOSS.to_owned();
    mail.flags = flags;
    harness.append(&inbox, mail.stored()).await;
    let id = harness.find(&inbox, &mail.id).id;
    MessageRef {
        scope: scope(&inbox),
        key: email_provider::EntryKey(id.into_bytes()),
    }
}

fn asked(text: &str) -> MessageQuery {
    query::parse(text, moment(0)).expect("a query")
}

async fn page(
    provider: &dyn EmailProvider,
    text: &str,
    position: Option<&email_provider::Position>,
    limit: usize,
) -> ProviderResult<SearchPage> {
    let request = SearchRequest {
        scope: SearchScope::Everywhere {
            trash_and_junk: false,
        },
        query: asked(text),
        position: position.cloned(),
        limit,
    };
    provider.search(call(), request).await
}

/// All that a search gives, and the failure that it ends with.
async fn found(
    provider: &dyn EmailProvider,
    text: &str,
    limit: usize,
) -> (Vec<MessageRef>, Option<ErrorKind>) {
    let (mut hits, mut position) = (Vec::new(), None);
    loop {
        match page(provider, text, position.as_ref(), limit).await {
            Err(error) => return (hits, Some(error.kind)),
            Ok(page) => {
                assert!(page.hits.len() <= limit);
                hits.extend(page.hits.into_iter().map(|(at, _)| at));
                match page.next {
                    None => return (hits, None),
                    next => position = next,
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_older_than_the_index_would_find_is_found_by_its_time_and_its_attachments() {
    let harness = GraphHarness::start(|_| {}).await;
    harness
        .server
        .settings(|settings| settings.search_results = 20);
    let mut old = Vec::new();
    for n in 0..3 {
        let name = format!("old-{n}");
        old.push(store(&harness, &name, LONG_AGO - n, Flags::empty()).await);
    }
    for n in 0..30 {
        store(&harness, &format!("new-{n}"), n, Flags::empty()).await;
    }
    let mut with = Mail::new("with", LONG_AGO - 10);
    with.from = BOSS.to_owned();
    with.attachments = vec![("a.bin".to_owned(), vec![1, 2, 3])];
    harness.append(&inbox(&harness), with.stored()).await;
    let provider = harness.provider().await;
    let provider = provider.as_ref();
    let (hits, failed) = found(provider, "from:boss before:2020-01-01", 10).await;
    assert_eq!(failed, None);
    assert_eq!(hits[..3], old);
    assert_eq!(hits.len(), 4);
    let (hits, _) = found(provider, "from:boss has:attachment", 10).await;
    assert_eq!(hits.len(), 1);
    let (hits, _) = found(provider, "from:boss before:2020-01-01 -has:attachment", 10).await;
    assert_eq!(hits, old);
    // To the second, although the index knows days.
    let at = moment(LONG_AGO - 1).timestamp();
    let (hits, _) = found(provider, &format!("from:boss before:{at}"), 10).await;
    assert_eq!(hits.len(), 2);
    let query = format!("from:boss after:{at} before:{}", at + 1);
    assert_eq!(
        found(provider, &query, 10).await,
        (vec![old[1].clone()], None)
    );
}

#[tokio::test]
async fn a_search_that_found_as_much_as_the_index_finds_does_not_say_that_this_is_all() {
    let harness = GraphHarness::start(|_| {}).await;
    let inbox = inbox(&harness);
    let last = store(&harness, "unread", LONG_AGO, Flags::empty()).await;
    for n in 0..1_000 {
        let mut mail = Mail::new(&format!("read-{n}"), n);
        mail.from = BOSS.to_owned();
        let received = mail.received_at.timestamp_millis();
        let id = harness.user.append(&mail.raw(), &inbox.0, received);
        harness.user.set_read(&id, true);
    }
    let provider = harness.provider().await;
    let provider = provider.as_ref();
    let (hits, failed) = found(provider, "from:boss is:unread", 50).await;
    assert_eq!((hits, failed), (vec![], Some(ErrorKind::Unsupported)));
    let (hits, failed) = found(provider, "from:boss is:read", 300).await;
    assert_eq!((hits.len(), failed), (1_000, Some(ErrorKind::Unsupported)));
    let (hits, failed) = found(provider, "from:boss is:unread before:2020-01-01", 50).await;
    assert_eq!((hits, failed), (vec![last], None));
}

#[tokio::test]
async fn a_page_with_more_hits_than_are_wanted_loses_none() {
    let harness = GraphHarness::start(|_| {}).await;
    let mut unread = Vec::new();
    for n in 0..60 {
        let flags = match n % 3 {
            0 => Flags::empty(),
            _ => Flags::SEEN,
        };
        let at = store(&harness, &format!("mail-{n}"), n, flags).await;
        if flags.is_empty() {
            unread.insert(0, at);
        }
    }
    let provider = harness.provider().await;
    for query in ["from:boss is:unread", "from:boss"] {
        // Each page is asked for what is missing to so many.
        let (mut hits, mut position, mut most) = (Vec::new(), None, 7);
        loop {
            let page = page(provider.as_ref(), query, position.as_ref(), most).await;
            let page = page.expect("a page");
            assert!(page.hits.len() <= most);
            most = match most - page.hits.len() {
                0 => 7,
                rest => rest,
            };
            hits.extend(page.hits.into_iter().map(|(at, _)| at));
            match page.next {
                None => break,
                next => position = next,
            }
        }
        if query == "from:boss" {
            assert_eq!(hits.len(), 60);
        } else {
            assert_eq!(hits, unread);
        }
    }
}
