//! Grants that are kept fresh, and that end.

use std::time::Duration;

use futures::future::join_all;
use polypost_tests::StoreKind;

use crate::world::{Account, World, error_of};

const ANN: &str = "ann@gmail.example";
/// Longer than an access token lives.
const LATER: i64 = 2 * 3600;

/// Calls until one is answered so.
async fn until(account: &Account, status: u16) {
    for _ in 0..150 {
        if account.get("/v1/email/messages").await.status == status {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("status {status} does not come");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a10_two_processes_that_refresh_at_once_do_it_once() {
    let world = World::on(StoreKind::Postgres, polypost::providers::registry()).await;
    world.user(ANN);
    let other = world.another().await;
    let here = world.connected(ANN).await;
    let there = Account {
        api: other.with_token(&here.token),
        ..here.clone()
    };
    // both have the mailbox open, with the first token
    assert_eq!(here.subjects().await, there.subjects().await);
    world.oauth.set(|settings| {
        settings.rotate_refresh_tokens = true;
        settings.delay = Duration::from_millis(300);
    });
    for round in 1..=3 {
        world.clock.advance(LATER);
        let calls = (0..12).map(|place| if place % 2 == 0 { &here } else { &there });
        for answer in join_all(calls.map(|account| account.get("/v1/email/messages"))).await {
            assert_eq!(answer.status, 200, "{}", answer.told());
        }
        assert_eq!(world.refreshes(), round, "one refresh a round");
    }
    world.assert_correct();
    other.stop().await;
}

#[tokio::test]
async fn a10_the_rotated_token_is_kept_before_the_new_one_is_used() {
    let mut world = World::new().await;
    world.user(ANN);
    world
        .oauth
        .set(|settings| settings.rotate_refresh_tokens = true);
    let mut account = world.connected(ANN).await;
    for round in 1..=3 {
        world.clock.advance(LATER);
        assert_eq!(account.subjects().await, ["hello"]);
        assert_eq!(world.refreshes(), round);
        world = world.restarted().await;
        account.api = world.replica.with_token(&account.token);
    }
    world.assert_correct();
}

#[tokio::test]
async fn a10_a_refresh_comes_to_its_end_although_its_caller_went_away() {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    world.oauth.set(|settings| {
        settings.rotate_refresh_tokens = true;
        settings.delay = Duration::from_millis(400);
    });
    world.clock.advance(LATER);
    let call = account.get("/v1/email/messages");
    let given_up = tokio::time::timeout(Duration::from_millis(150), call).await;
    assert!(given_up.is_err());
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(account.subjects().await, ["hello"]);
    assert_eq!(world.refreshes(), 1);
    world.assert_correct();
}

#[tokio::test]
async fn a_token_that_is_refused_before_its_time_is_replaced_once() {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    assert_eq!(account.subjects().await, ["hello"]);
    world.oauth.expire_access_tokens(ANN);
    let calls = (0..6).map(|_| account.get("/v1/email/messages"));
    for answer in join_all(calls).await {
        assert_eq!(answer.status, 200, "{}", answer.told());
    }
    assert_eq!(world.refreshes(), 1);
    assert_eq!(account.view().await["tokenStatus"], "active");
}

type Fault = fn(&mut fake_oauth::OAuthSettings);

/// For hours there is no answer that would decide anything; then there is.
async fn no_answer_for_hours(begin: Fault, end: Fault) {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    assert_eq!(account.subjects().await, ["hello"]);
    world.oauth.set(begin);
    for _ in 0..2 {
        world.clock.advance(LATER);
        for _ in 0..2 {
            let answer = account.get("/v1/email/messages").await;
            assert_eq!(
                (answer.status, answer.code()),
                (503, "provider.unavailable")
            );
            assert!(answer.retry_after().is_some());
        }
        assert_eq!(account.view().await["tokenStatus"], "active");
    }
    let asked = world.oauth.requests().into_iter();
    let asked = asked.filter(|one| one.parameter("grant_type") == Some("refresh_token"));
    let asked: Vec<i64> = asked.map(|one| one.at_ms).collect();
    let at_once = asked.windows(2).any(|pair| pair[1] - pair[0] < 900);
    assert!(!at_once, "it is left in peace in between: {asked:?}");
    world.oauth.set(end);
    until(&account, 200).await;
    world.assert_correct();
}

#[tokio::test]
async fn a11_a_token_endpoint_that_is_down_ends_no_grant() {
    no_answer_for_hours(|s| s.fail_with = Some(503), |s| s.fail_with = None).await;
}

#[tokio::test]
async fn a11_a_token_endpoint_that_asks_to_wait_ends_no_grant() {
    no_answer_for_hours(|s| s.fail_with = Some(429), |s| s.fail_with = None).await;
}

#[tokio::test]
async fn a11_a_token_endpoint_that_answers_nonsense_ends_no_grant() {
    no_answer_for_hours(|s| s.broken_json = true, |s| s.broken_json = false).await;
}

#[tokio::test]
async fn a11_a_token_endpoint_that_hangs_up_ends_no_grant() {
    no_answer_for_hours(|s| s.lose_answers = true, |s| s.lose_answers = false).await;
}

#[tokio::test]
async fn a14_a_grant_that_has_ended_is_asked_for_no_more() {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    assert_eq!(account.subjects().await, ["hello"]);
    world.oauth.revoke_user(ANN);
    let first = account.get("/v1/email/messages").await;
    assert_eq!(
        (first.status, first.code()),
        (401, "token.dead"),
        "{}",
        first.told()
    );
    let (refreshes, requests) = (world.refreshes(), world.gmail.requests().len());
    assert_eq!(refreshes, 1);
    for _ in 0..5 {
        world.clock.advance(LATER);
        let again = account.get("/v1/email/messages").await;
        assert_eq!((again.status, again.code()), (401, "token.dead"));
    }
    let view = account.view().await;
    assert_eq!(view["tokenStatus"], "dead");
    assert!(
        view["tokenError"]
            .as_str()
            .unwrap()
            .contains("invalid_grant"),
        "{view}"
    );
    // not after a start either
    let world = world.restarted().await;
    let there = world.replica.with_token(&account.token);
    let account = Account {
        api: there,
        ..account
    };
    assert_eq!(account.get("/v1/email/messages").await.code(), "token.dead");
    let ping = polypost_tests::Call::get("/v1/account").query("pingProvider", true);
    assert_eq!(
        account.api.call(ping).await.unwrap().json["tokenStatus"],
        "dead"
    );
    assert_eq!(
        world.refreshes(),
        refreshes,
        "the provider is never called again"
    );
    assert_eq!(world.gmail.requests().len(), requests);
}

#[tokio::test]
async fn a14_the_owners_new_consent_brings_a_dead_account_back() {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    world.oauth.revoke_user(ANN);
    assert_eq!(account.get("/v1/email/messages").await.code(), "token.dead");
    let id = account.id.to_string();
    let renewed = world.connected_with(&[("accountId", &id)]).await;
    assert_eq!(renewed.id, account.id);
    assert_eq!(account.subjects().await, ["hello"]);
    assert_eq!(account.view().await["tokenStatus"], "active");
}

#[tokio::test]
async fn a14_a_refusal_that_is_no_end_is_answered_from_memory() {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    // the gateway's own registration is refused: its secret has run out
    let callback = format!("{}/v1/auth/callback", world.replica.base);
    let (id, secret) = crate::world::AT_PROVIDER;
    world
        .oauth
        .add_client(id, Some("another secret"), &[&callback]);
    world.clock.advance(LATER);
    for _ in 0..4 {
        let answer = account.get("/v1/email/messages").await;
        assert_eq!(
            (answer.status, answer.code()),
            (401, "token.refresh.failed")
        );
    }
    assert_eq!(world.refreshes(), 1);
    assert_eq!(account.view().await["tokenStatus"], "invalid");
    assert_eq!(error_of(&world.signed_in(&[]).await), "server_error");
    world.oauth.add_client(id, Some(secret), &[&callback]);
    // the operator mends it and starts the gateway again
    let world = world.restarted().await;
    world.clock.advance(LATER);
    let api = world.replica.with_token(&account.token);
    let account = Account { api, ..account };
    assert_eq!(account.subjects().await, ["hello"]);
    assert_eq!(account.view().await["tokenStatus"], "active");
}
