//! Quota: what calls cost, who goes first, and what refusals mean.

use std::{sync::Arc, time::Duration};

use email_provider::{
    ChangeNext, Detail, ErrorKind, Priority, ProviderPlugin as _, ScanDetail, ScanRequest,
    ScanWindow,
    layers::{Budget, BudgetConfig, Rate},
};
use fake_gmail::{ErrorFault, ErrorKind as Fault};
use provider_conformance::{Harness as _, call};
use tokio::time::{Instant, sleep};

use crate::{
    steps::{append, begun, bench, inbox},
    support::{EMAIL, GmailHarness},
};

fn requests(harness: &GmailHarness, method: &str) -> usize {
    let all = harness.server.requests();
    all.iter().filter(|one| one.method == Some(method)).count()
}

#[tokio::test]
async fn a_limit_that_does_not_pass_soon_is_not_tried_again() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    for (fault, kind) in [
        (Fault::DailyLimit, ErrorKind::RateLimited),
        (Fault::DomainPolicy, ErrorKind::Forbidden),
    ] {
        harness
            .server
            .faults(|faults| faults.errors = vec![ErrorFault::always(fault)]);
        harness.server.clear_requests();
        let refused = provider.folders(call()).await;
        assert_eq!(refused.err().map(|error| error.kind), Some(kind));
        assert_eq!(harness.server.requests().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn the_wait_that_is_asked_for_holds_the_whole_account_back() {
    let harness = GmailHarness::start(|_| {}).await;
    let mut context = harness.context.clone();
    let budget = Budget::new(BudgetConfig::default());
    context.budget = Some(Arc::clone(&budget));
    let provider = harness.open(&context).await;
    let fault = ErrorFault::always(Fault::UserRateLimit)
        .retry_after("7")
        .times(1);
    harness.server.faults(|faults| faults.errors = vec![fault]);
    let refused = provider.folders(call()).await.expect_err("throttled");
    assert_eq!(refused.kind, ErrorKind::RateLimited);
    assert_eq!(refused.retry_after, Some(Duration::from_secs(7)));
    assert!(budget.state().paused_for > Duration::from_secs(6));
}

#[tokio::test]
async fn a_first_scan_a_change_and_a_level_check_cost_what_the_api_charges_at_least() {
    let harness = GmailHarness::start(|_| {}).await;
    let names: Vec<String> = (0..60).map(|n| format!("mail-{n}")).collect();
    append(
        &harness,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await;
    let flagged = harness.user.messages().remove(0).id;
    let provider = harness.provider().await;
    let spent = |before: u64| harness.server.units(EMAIL) - before;
    let (scope, cursor) = begun(provider.as_ref()).await;
    let before = harness.server.units(EMAIL);
    let request = ScanRequest {
        window: ScanWindow::default(),
        detail: ScanDetail::Envelopes,
        position: None,
        limit: 500,
    };
    provider
        .scan(call(), &scope, request)
        .await
        .expect("a page");
    // A page of the list; the chats of times past are listed once.
    assert_eq!(spent(before), 5 + 5);
    append(&harness, &["new"]).await;
    let before = harness.server.units(EMAIL);
    let page = provider
        .changes(call(), &scope, &cursor, 500)
        .await
        .expect("changes");
    let at = email_provider::MessageRef {
        scope: scope.clone(),
        key: page.entries[0].key.clone(),
    };
    provider
        .fetch(call(), &[at], Detail::Envelope)
        .await
        .expect("an envelope");
    assert_eq!(spent(before), 2 + 20);
    let before = harness.server.units(EMAIL);
    harness.user.modify(&flagged, &["STARRED"], &[]);
    let ChangeNext::CaughtUp(cursor) = page.next else {
        panic!("one change is one page");
    };
    let page = provider.changes(call(), &scope, &cursor, 500).await;
    let page = page.expect("changes");
    assert!(page.entries[0].state.is_some(), "nothing is left to read");
    assert_eq!(spent(before), 2);
    let ChangeNext::CaughtUp(cursor) = page.next else {
        panic!("one change is one page");
    };
    let before = harness.server.units(EMAIL);
    let known = [(scope, cursor)];
    let survey = provider.survey(call(), &known).await.expect("a survey");
    assert!(!survey.scopes[0].moved);
    assert_eq!(spent(before), 1 + 1);
    assert_eq!(requests(&harness, "gmail.users.messages.get"), 1);
}

#[tokio::test]
async fn who_waits_goes_before_a_scan_and_the_budget_is_kept() {
    let harness = GmailHarness::start(|_| {}).await;
    harness
        .server
        .settings(|settings| settings.units_per_user = 600);
    let names: Vec<String> = (0..60).map(|n| format!("mail-{n}")).collect();
    append(
        &harness,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await;
    let refs = bench(&harness.again()).await.list(&inbox()).await;
    harness
        .server
        .settings(|settings| settings.units_per_user = 700);
    harness.server.clock().advance(Duration::from_secs(61));
    let mut context = harness.context.clone();
    context.config["quota"] = serde_json::json!({"user_units": 600, "reserve": 100});
    let budget = harness.plugin.budget(&context).expect("a budget");
    context.budget = Some(Budget::new(budget.config));
    let provider = harness.open(&context).await;
    let background = email_provider::Call {
        priority: Priority::Background,
        deadline: Instant::now() + Duration::from_secs(2),
    };
    let scanned = provider.fetch(background, &refs, Detail::Envelope).await;
    let refused = scanned.expect_err("more than the budget holds");
    assert_eq!(refused.kind, ErrorKind::RateLimited);
    let read = provider.fetch(call(), &refs[..1], Detail::Envelope).await;
    assert_eq!(read.expect("the reserve is for who waits").len(), 1);
    let throttled = harness.server.requests();
    assert!(
        throttled.iter().all(|one| one.status == 200),
        "nobody was throttled"
    );
}

#[tokio::test]
async fn a_scan_and_reads_at_the_same_time_keep_the_budget_and_the_reads_do_not_wait() {
    const WINDOW: u32 = 2;
    const UNITS: u32 = 600;
    let harness = GmailHarness::start(|_| {}).await;
    let names: Vec<String> = (0..60).map(|n| format!("mail-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    append(&harness, &names).await;
    let refs = bench(&harness.again()).await.list(&inbox()).await;
    let mut context = harness.context.clone();
    // Batches are a sixth of it.
    context.config["quota"] = serde_json::json!({"user_units": UNITS});
    let rate = Rate {
        units: UNITS,
        window_seconds: WINDOW,
        reserve: 100,
    };
    context.budget = Some(Budget::new(BudgetConfig {
        rate: Some(rate),
        ..BudgetConfig::default()
    }));
    let provider = harness.open(&context).await;
    provider.folders(call()).await.expect("folders");
    harness.server.clear_requests();
    let begun = Instant::now();
    let scan = async {
        let background = email_provider::Call {
            priority: Priority::Background,
            deadline: begun + Duration::from_secs(60),
        };
        let found = provider.fetch(background, &refs, Detail::Envelope).await;
        assert_eq!(found.expect("all of them").len(), 60);
        begun.elapsed()
    };
    let reads = async {
        let mut longest = Duration::ZERO;
        for at in refs.iter().take(5) {
            sleep(Duration::from_millis(500)).await;
            let asked = Instant::now();
            let read = provider.fetch(call(), std::slice::from_ref(at), Detail::Envelope);
            assert_eq!(read.await.expect("a message").len(), 1);
            longest = longest.max(asked.elapsed());
        }
        longest
    };
    let (scanned, longest) = tokio::join!(scan, reads);
    // 1,200 units, of which a window has 500 for it.
    assert!(scanned >= Duration::from_millis(2_000), "{scanned:?}");
    assert!(longest < Duration::from_millis(400), "{longest:?}");
    let requests = harness.server.requests();
    assert!(requests.iter().all(|one| one.status == 200));
    for last in &requests {
        let since = last.at_ms - i64::from(WINDOW) * 1_000;
        let within = |at: i64| since < at && at <= last.at_ms;
        let spent = requests.iter().filter(|one| within(one.at_ms));
        let spent: u32 = spent.map(|one| one.units).sum();
        assert!(spent <= UNITS, "{spent} units in a window");
    }
}
