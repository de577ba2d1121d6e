//! Limits: what calls cost, and what refusals mean, inside of batches too.

use std::{sync::Arc, time::Duration};

use email_provider::{
    Call, Detail, ErrorKind, MessageRef, Priority, ProviderPlugin as _, Removal, layers::Budget,
};
use fake_graph::{ErrorFault, ErrorKind as Fault, When};
use provider_conformance::{Harness as _, bytes, call};

use crate::{
    steps::{append, bench, inbox, scope},
    support::GraphHarness,
};

async fn refs(harness: &GraphHarness, count: usize) -> Vec<MessageRef> {
    let inbox = inbox(harness);
    let names: Vec<String> = (0..count).map(|n| format!("mail-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let keys = append(harness, &inbox, &names).await;
    let at = |key| MessageRef {
        scope: scope(&inbox),
        key,
    };
    keys.into_iter().map(at).collect()
}

#[tokio::test]
async fn a_part_that_is_throttled_inside_a_batch_is_asked_for_again_after_its_wait() {
    let harness = GraphHarness::start(|faults| {
        faults.throttled_parts = When::Times(3);
        faults.part_retry_after = Some("1".into());
    })
    .await;
    let refs = refs(&harness, 10).await;
    let provider = harness.open(&harness.context).await;
    harness.server.clear_requests();
    let begun = tokio::time::Instant::now();
    let fetched = provider.fetch(call(), &refs, Detail::Envelope).await;
    assert_eq!(fetched.expect("an answer").len(), 10);
    assert!(
        begun.elapsed() >= Duration::from_millis(900),
        "it was waited for"
    );
    let requests = harness.server.requests();
    let parts = requests.iter().filter(|one| one.batched).count();
    assert_eq!(parts, 10 + 3, "only what was throttled is asked for again");
}

#[tokio::test]
async fn the_wait_that_is_asked_for_holds_the_whole_account_back() {
    let harness = GraphHarness::start(|_| {}).await;
    let mut context = harness.context.clone();
    let budget = Budget::new(harness.plugin.budget(&context).expect("a budget").config);
    context.budget = Some(Arc::clone(&budget));
    let provider = harness.open(&context).await;
    let fault = ErrorFault::always(Fault::TooManyRequests)
        .retry_after("7")
        .times(1);
    harness.server.faults(|faults| faults.errors = vec![fault]);
    let refused = provider.folders(call()).await.expect_err("throttled");
    assert_eq!(refused.kind, ErrorKind::RateLimited);
    assert_eq!(refused.retry_after, Some(Duration::from_secs(7)));
    assert!(budget.state().paused_for > Duration::from_secs(6));
}

#[tokio::test]
async fn a_mailbox_that_the_api_cannot_reach_is_not_an_empty_one() {
    let harness = GraphHarness::start(|_| {}).await;
    let provider = harness.open(&harness.context).await;
    for (fault, kind) in [
        (Fault::MailboxNotEnabled, ErrorKind::Forbidden),
        (Fault::AccessDenied, ErrorKind::Forbidden),
        (Fault::MailboxMove, ErrorKind::Unavailable),
        (Fault::HtmlPage, ErrorKind::Unavailable),
    ] {
        harness
            .server
            .faults(|faults| faults.errors = vec![ErrorFault::always(fault)]);
        let survey = provider.survey(call(), &[]).await;
        assert_eq!(
            survey.err().map(|error| error.kind),
            Some(kind),
            "{fault:?}"
        );
        let begun = provider.begin(call(), &scope(&inbox(&harness))).await;
        assert_eq!(begun.err().map(|error| error.kind), Some(kind), "{fault:?}");
    }
}

#[tokio::test]
async fn no_more_than_four_requests_are_under_way_at_a_mailbox() {
    let harness = GraphHarness::start(|faults| faults.delay = Duration::from_millis(5)).await;
    let refs = refs(&harness, 60).await;
    let (one, other) = (harness.provider().await, harness.provider().await);
    let bench = bench(&harness).await;
    let inbox = inbox(&harness);
    let fetches = futures::future::join_all((0..4).map(|n| {
        let provider = if n % 2 == 0 { &one } else { &other };
        provider.fetch(call(), &refs, Detail::Envelope)
    }));
    let lists = futures::future::join_all((0..6).map(|_| bench.list(&inbox)));
    let surveys = futures::future::join_all((0..4).map(|_| other.survey(call(), &[])));
    let (fetches, lists, surveys) = tokio::join!(fetches, lists, surveys);
    assert!(
        fetches
            .iter()
            .all(|found| found.as_ref().is_ok_and(|found| found.len() == 60))
    );
    assert!(lists.iter().all(|found| found.len() == 60));
    assert!(surveys.iter().all(Result::is_ok));
    let requests = harness.server.requests();
    assert!(
        requests.iter().all(|one| one.status != 429),
        "nobody was throttled"
    );
}

#[tokio::test]
async fn each_request_pays_from_the_mailboxs_budget_and_each_part_of_a_batch_too() {
    let harness = GraphHarness::start(|_| {}).await;
    let refs = refs(&harness, 30).await;
    let mut context = harness.context.clone();
    context.config["quota"] = serde_json::json!({"requests": 1000});
    let budget = Budget::new(harness.plugin.budget(&context).expect("a budget").config);
    context.budget = Some(Arc::clone(&budget));
    let provider = harness.open(&context).await;
    let left = || budget.state().units_left.expect("a rate");
    assert_eq!(left(), 1000);
    let fetched = provider.fetch(call(), &refs, Detail::State).await;
    assert_eq!(fetched.expect("an answer").len(), 30);
    assert_eq!(left(), 1000 - 30);
    let fetched = provider.fetch(call(), &refs[..1], Detail::Content).await;
    assert_eq!(fetched.expect("an answer").len(), 1);
    assert_eq!(left(), 1000 - 30 - 2);
}

#[tokio::test]
async fn ids_that_stay_and_a_page_size_are_asked_for_with_every_request() {
    let harness = GraphHarness::start(|faults| faults.empty_pages = When::every(2)).await;
    let refs = refs(&harness, 30).await;
    let provider = harness.provider().await;
    harness.server.clear_requests();
    let inbox = inbox(&harness);
    crate::steps::scanned(provider.as_ref(), &inbox).await;
    bench(&harness).await.list(&inbox).await;
    provider
        .fetch(call(), &refs, Detail::Content)
        .await
        .expect("an answer");
    provider.survey(call(), &[]).await.expect("a survey");
    for request in harness.server.requests() {
        let asks = |what: &str| request.prefer.iter().any(|value| value.contains(what));
        assert!(
            asks("ImmutableId") && asks("odata.maxpagesize"),
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn who_waits_is_served_while_background_work_queues() {
    let harness = GraphHarness::start(|_| {}).await;
    let refs = refs(&harness, 60).await;
    let provider = harness.open(&harness.context).await;
    harness
        .server
        .faults(|faults| faults.delay = Duration::from_millis(300));
    harness.server.clear_requests();
    let background = Call {
        priority: Priority::Background,
        ..call()
    };
    let scans = futures::future::join_all((0..3).map(|_| {
        let provider = Arc::clone(&provider);
        let refs = refs.clone();
        tokio::spawn(async move { provider.fetch(background, &refs, Detail::State).await })
    }));
    let reads = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let read = provider.fetch(call(), &refs[..1], Detail::State).await;
        assert_eq!(read.expect("an answer").len(), 1);
        let done = harness.server.requests();
        let done = done.iter().filter(|one| one.batched).count();
        assert!(done < 20, "{done} parts of background work went before");
        let listed = provider.fetch(call(), &refs[..40], Detail::State).await;
        assert_eq!(listed.expect("an answer").len(), 40);
    };
    let (scans, ()) = tokio::join!(scans, reads);
    for scanned in scans {
        let scanned = scanned.expect("it ended").expect("an answer");
        assert_eq!(scanned.len(), 60);
    }
    let requests = harness.server.requests();
    assert!(requests.iter().all(|one| one.status != 429));
}

#[tokio::test]
async fn streams_are_under_way_until_their_end() {
    let harness = GraphHarness::start(|faults| {
        faults.stalls = When::Always;
        faults.stall_for = Some(Duration::from_millis(200));
        faults.only = vec!["messages.value".to_owned()];
    })
    .await;
    let refs = refs(&harness, 40).await;
    let (one, other) = (harness.provider().await, harness.provider().await);
    harness.server.clear_requests();
    let streams = futures::future::join_all((0..7).map(|n| {
        let provider = if n % 2 == 0 { &one } else { &other };
        let at = &refs[n];
        async move { bytes(provider.raw(call(), at).await).await.len() }
    }));
    let reads = futures::future::join_all((0..4).map(|_| one.fetch(call(), &refs, Detail::State)));
    let (streams, reads) = tokio::join!(streams, reads);
    assert!(streams.iter().all(|octets| *octets > 0));
    assert!(
        reads
            .iter()
            .all(|read| read.as_ref().is_ok_and(|read| read.len() == 40))
    );
    let requests = harness.server.requests();
    assert!(
        requests.iter().all(|one| one.status != 429),
        "nobody was throttled"
    );
    // A stream that nobody reads on gives its place back.
    let dropped = futures::future::join_all((0..6).map(|n| one.raw(call(), &refs[n])));
    let first: Vec<_> = tokio::time::timeout(Duration::from_millis(100), dropped)
        .await
        .into_iter()
        .flatten()
        .collect();
    assert!(first.is_empty(), "the others wait for a place");
    harness.server.faults(|faults| faults.stalls = When::Never);
    let read = one.raw(call(), &refs[0]).await;
    assert!(!bytes(read).await.is_empty());
}

#[tokio::test]
async fn a_server_that_asks_to_be_left_alone_holds_the_whole_account_back() {
    let harness = GraphHarness::start(|_| {}).await;
    let refs = refs(&harness, 1).await;
    let opened = async || {
        let mut context = harness.context.clone();
        let budget = Budget::new(harness.plugin.budget(&context).expect("a budget").config);
        context.budget = Some(Arc::clone(&budget));
        (harness.open(&context).await, budget)
    };
    let fail = |wait: Option<&str>| {
        let mut fault = ErrorFault::always(Fault::Unavailable);
        fault.retry_after = wait.map(str::to_owned);
        harness
            .server
            .faults(|faults| faults.errors = vec![fault.times(1)]);
    };
    let (provider, budget) = opened().await;
    fail(None);
    let failed = provider.folders(call()).await.expect_err("unavailable");
    assert_eq!(
        (failed.kind, failed.retry_after),
        (ErrorKind::Unavailable, None)
    );
    assert_eq!(budget.state().paused_for, Duration::ZERO);
    fail(Some("7"));
    let failed = provider.folders(call()).await.expect_err("unavailable");
    assert_eq!(failed.kind, ErrorKind::Unavailable);
    assert_eq!(failed.retry_after, Some(Duration::from_secs(7)));
    assert!(budget.state().paused_for > Duration::from_secs(6));
    // Where something was to be changed nobody knows whether it was, and the wait is the same.
    let (provider, budget) = opened().await;
    fail(Some("7"));
    let removed = provider.remove(call(), &refs[0], Removal::Forever).await;
    let failed = removed.expect_err("unavailable");
    assert_eq!(failed.kind, ErrorKind::OutcomeUnknown);
    assert!(budget.state().paused_for > Duration::from_secs(6));
}
