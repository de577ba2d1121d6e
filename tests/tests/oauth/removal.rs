//! What is left at the provider of an account that is gone.

use std::time::Duration;

use polypost_tests::{CLIENT_ID, Call};

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
