//! Hints that the provider pushes.

use std::time::Duration;

use fake_gmail::{PushFlaw, PushIdentity};
use polypost_tests::Call;
use serde_json::json;

use crate::browser::Browser;
use crate::world::{World, assert_refused};

const ANN: &str = "ann@gmail.example";
const AUDIENCE: &str = "https://gateway.example/push";
const PUSHER: &str = "push@p.iam.example";

fn notification(world: &World, email: &str, identity: &PushIdentity) -> reqwest::RequestBuilder {
    use base64::Engine as _;
    let data = json!({ "emailAddress": email, "historyId": 1 }).to_string();
    let data = base64::engine::general_purpose::STANDARD.encode(data);
    let body = json!({ "message": { "data": data, "messageId": "1" }, "subscription": "s" });
    let mut request = reqwest::Client::builder()
        .no_proxy()
        .tls_built_in_root_certs(false)
        .build()
        .unwrap()
        .post(format!("{}/v1/push/google/email", world.replica.base))
        .json(&body);
    if let Some(token) = identity.token(world.oauth.clock().now_ms()) {
        request = request.bearer_auth(token);
    }
    request
}

fn walks(world: &World) -> usize {
    let requests = world.gmail.requests().into_iter();
    requests
        .filter(|one| format!("{one:?}").contains("history"))
        .count()
}

#[tokio::test]
async fn a_genuine_hint_has_the_mailbox_looked_at() {
    let world = World::new().await;
    let user = world.user(ANN);
    let account = world.connected(ANN).await;
    let start = Call::post("/v1/email/sync").query("awaitReady", true);
    let started = account.api.call(start).await.unwrap();
    assert_eq!(started.json["ready"], true, "{}", started.told());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = walks(&world);
    world.receive(&user, "news");
    let genuine = PushIdentity::new(AUDIENCE, PUSHER);
    let answer = notification(&world, "Ann@gmail.example", &genuine)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let mut waited = 0;
    while walks(&world) == before {
        waited += 1;
        assert!(waited < 100, "nobody looked");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a16_what_is_not_genuine_is_refused_and_a_stranger_is_of_no_account() {
    let world = World::new().await;
    world.user(ANN);
    let genuine = PushIdentity::new(AUDIENCE, PUSHER);
    for identity in [
        genuine.clone().with(PushFlaw::Missing),
        genuine.clone().with(PushFlaw::WrongKey),
        genuine.clone().with(PushFlaw::Unsigned),
        genuine.clone().with(PushFlaw::Expired),
        PushIdentity::new("https://elsewhere.example", PUSHER),
        PushIdentity::new(AUDIENCE, "mallory@p.iam.example"),
    ] {
        let answer = notification(&world, ANN, &identity).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{identity:?}");
    }
    let stranger = notification(&world, "nobody@gmail.example", &genuine);
    assert_eq!(stranger.send().await.unwrap().status(), 200);
    let elsewhere = format!("{}/v1/push/nobody/email", world.replica.base);
    assert_refused(&Browser::new().post(elsewhere, &[]).await, 404);
}

#[tokio::test]
async fn a_body_beyond_a_mebibyte_is_refused() {
    let world = World::new().await;
    let url = format!("{}/v1/push/google/email", world.replica.base);
    let page = Browser::new()
        .post(url, &[("x", &"x".repeat(1 << 20))])
        .await;
    assert_refused(&page, 413);
}
