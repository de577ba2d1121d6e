//! What is left at the provider of an account that is gone.

use std::time::Duration;

use fake_gmail::Faults;
use gateway_store::{AccountId, Store as _};
use polypost_tests::{CLIENT_ID, Call};
use store_sqlite::{SqliteOptions, StoreSqlite};

use crate::world::{Account, OTHER, OTHER_URL, World, code_of};

const ANN: &str = "ann@gmail.example";

fn revocations(world: &World) -> usize {
    let requests = world.oauth.requests().into_iter();
    requests.filter(|one| one.path == "/revoke").count()
}

async fn delete(account: &Account) {
    let gone = account.api.call(Call::delete("/v1/account")).await.unwrap();
    assert_eq!(gone.status, 200, "{}", gone.told());
    let after = account.get("/v1/account").await;
    assert_eq!(after.status, 401);
}

#[tokio::test]
async fn a_removed_account_gives_its_grant_back() {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    delete(&account).await;
    let mut waited = 0;
    while revocations(&world) == 0 {
        waited += 1;
        assert!(waited < 100, "nothing is revoked");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let asked = world.oauth.requests().pop().unwrap();
    assert_eq!(asked.status, 200, "{asked:?}");
    assert_eq!(asked.parameter("token_type_hint"), Some("refresh_token"));
}

#[tokio::test]
async fn a_grant_by_which_another_account_lives_stays() {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    let end = world
        .signed_in(&[("clientId", OTHER.0), ("returnUrl", OTHER_URL)])
        .await;
    let answer = world.exchange(&world.replica.other(), &code_of(&end)).await;
    let other = Account::of(&answer, &world.replica);
    assert_ne!((account.id, CLIENT_ID), (other.id, OTHER.0));
    delete(&account).await;
    world.replica.gateway.stop().await;
    assert_eq!(revocations(&world), 0);
}

#[tokio::test]
async fn a_provider_that_is_down_keeps_no_account_from_being_removed() {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    world.oauth.set(|settings| settings.fail_with = Some(500));
    delete(&account).await;
    let page = world
        .replica
        .application()
        .call(Call::get("/v1/am/accounts"))
        .await
        .unwrap();
    assert_eq!(page.json["totalSize"], 0);
}

#[tokio::test]
async fn a_refresh_under_way_does_not_bring_a_removed_account_back() {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    world
        .oauth
        .set(|settings| settings.delay = Duration::from_millis(400));
    world.clock.advance(7_200);
    let (refreshed, ()) = tokio::join!(account.get("/v1/email/messages"), async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        delete(&account).await;
    });
    assert!(refreshed.status >= 400, "{}", refreshed.told());
    let page = world
        .replica
        .application()
        .call(Call::get("/v1/am/accounts"))
        .await
        .unwrap();
    assert_eq!(page.json["totalSize"], 0);
}

/// Requests to the token server that end a grant, by their answer.
async fn until_revoked(world: &World, status: u16) {
    for _ in 0..200 {
        let mut requests = world.oauth.requests().into_iter();
        if requests.any(|one| one.path == "/revoke" && one.status == status) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no revocation is answered {status}");
}

#[tokio::test]
async fn a18_a_grant_is_given_back_once_the_provider_answers_again() {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    world.oauth.set(|settings| settings.fail_with = Some(503));
    delete(&account).await;
    until_revoked(&world, 503).await;
    world.oauth.set(|settings| settings.fail_with = None);
    until_revoked(&world, 200).await;
}

#[tokio::test]
async fn a18_pushes_are_ended_with_the_last_account_of_the_mailbox() {
    let world = World::new().await;
    world.user(ANN);
    let account = world.connected(ANN).await;
    let other = world
        .connected_with(&[("loginHint", ANN), ("recycle", "false")])
        .await;
    let stops = || {
        let requests = world.gmail.requests().into_iter();
        requests
            .filter(|one| one.method == Some("gmail.users.stop"))
            .count()
    };
    delete(&account).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((stops(), revocations(&world)), (0, 0));
    assert_eq!(other.subjects().await, ["hello"]);
    delete(&other).await;
    until_revoked(&world, 200).await;
    assert_eq!(stops(), 1);
    world.assert_correct();
}

#[tokio::test]
async fn a18_what_is_under_way_brings_nothing_of_a_removed_account_back() {
    let world = World::new().await;
    let user = world.user(ANN);
    let account = world.connected(ANN).await;
    let start = Call::post("/v1/email/sync").query("awaitReady", true);
    let started = account.api.call(start).await.unwrap();
    let token = started.json["syncUpdatedToken"].as_str().unwrap();
    for number in 0..20 {
        world.receive(&user, &format!("late-{number}"));
    }
    let slow = Faults {
        delay: Duration::from_millis(300),
        ..Faults::default()
    };
    world.gmail.set_faults(slow);
    let walk = Call::get("/v1/email/sync/updated").query("deltaToken", token);
    let list = account.get("/v1/email/messages");
    let (walked, listed, ()) = tokio::join!(account.api.call(walk), list, async {
        tokio::time::sleep(Duration::from_millis(450)).await;
        delete(&account).await;
    });
    for answer in [walked.unwrap(), listed] {
        assert!(
            matches!(answer.status, 200 | 401 | 404 | 503),
            "{}",
            answer.told()
        );
    }
    // longer than anything that was under way
    tokio::time::sleep(Duration::from_secs(3)).await;
    let path = world.storage.data_dir().join("polypost.db");
    let store = StoreSqlite::open(&path, SqliteOptions::default())
        .await
        .unwrap();
    let id = AccountId(account.id);
    assert!(store.account(id).await.unwrap().is_none());
    assert!(store.grant(id).await.unwrap().is_none());
    assert!(store.journal(id).await.unwrap().is_none());
    store.close().await;
}
