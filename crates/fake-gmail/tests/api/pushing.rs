//! Watching, and the notifications that come of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fake_gmail::{PushFlaw, PushIdentity};
use fake_oauth::loopback;
use reqwest::Method;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

use crate::support::{ALICE, Api, text};

const TOPIC: &str = "projects/p/topics/mail";

fn data(envelope: &Value) -> Value {
    let data = STANDARD
        .decode(text(&envelope["message"]["data"]))
        .expect("base64");
    serde_json::from_slice(&data).expect("JSON")
}

#[tokio::test]
async fn changes_are_notified_while_they_are_watched() {
    let api = Api::start().await;
    api.append("before", &["INBOX"]);
    let watched = api.post("watch", json!({"topicName": TOPIC})).await;
    assert_eq!(watched["historyId"], api.alice.history_id().to_string());
    let now = api.gmail.clock().now_ms();
    let expires: i64 = text(&watched["expiration"]).parse().unwrap();
    assert!((expires - now - 7 * 86_400_000).abs() < 60_000);
    assert_eq!(api.alice.watched_topic().as_deref(), Some(TOPIC));
    api.append("one", &["INBOX"]);
    let pending = api.gmail.take_pushes();
    assert_eq!(pending.len(), 1);
    assert_eq!(
        data(&pending[0]),
        json!({"emailAddress": ALICE, "historyId": api.alice.history_id()})
    );
    assert_eq!(pending[0]["subscription"], "projects/p/subscriptions/mail");
    api.gmail
        .settings(|settings| settings.push_ids_as_strings = true);
    api.append("two", &["INBOX"]);
    assert!(data(&api.gmail.take_pushes()[0])["historyId"].is_string());
    let stopped = api.call(Method::POST, "stop", json!({})).await;
    assert_eq!(stopped.status, 204);
    api.append("three", &["INBOX"]);
    assert!(api.gmail.pending_pushes().is_empty());
    api.post("watch", json!({"topicName": TOPIC})).await;
    api.gmail.clock().advance(Duration::from_secs(8 * 86_400));
    api.append("four", &["INBOX"]);
    assert!(api.gmail.pending_pushes().is_empty());
    api.assert_no_violations();
}

#[tokio::test]
async fn labels_choose_what_is_notified() {
    let api = Api::start().await;
    let watch = async |behavior: &str| {
        let body =
            json!({"topicName": TOPIC, "labelIds": ["INBOX"], "labelFilterBehavior": behavior});
        api.post("watch", body).await;
        api.append("in", &["INBOX"]);
        api.append("out", &["SENT"]);
        api.gmail.take_pushes().len()
    };
    assert_eq!(watch("include").await, 1);
    assert_eq!(watch("exclude").await, 1);
}

#[tokio::test]
async fn a_second_topic_and_a_foreign_project_are_refused() {
    let api = Api::start().await;
    api.post("watch", json!({"topicName": TOPIC})).await;
    api.post("watch", json!({"topicName": TOPIC})).await;
    let watch = async |topic: &str| {
        api.call(Method::POST, "watch", json!({"topicName": topic}))
            .await
            .status
    };
    assert_eq!(watch("projects/p/topics/other").await, 400);
    assert_eq!(watch("mail").await, 400);
    api.gmail
        .settings(|settings| settings.project = Some("own".to_owned()));
    assert_eq!(watch(TOPIC).await, 400);
}

#[tokio::test]
async fn notifications_within_a_second_are_dropped_when_limited() {
    let api = Api::start().await;
    api.gmail
        .settings(|settings| settings.push_rate_limit = true);
    api.post("watch", json!({"topicName": TOPIC})).await;
    api.append("one", &["INBOX"]);
    api.append("two", &["INBOX"]);
    api.gmail.clock().advance(Duration::from_secs(2));
    api.append("three", &["INBOX"]);
    assert_eq!(api.gmail.take_pushes().len(), 2);
}

type Received = Arc<Mutex<Vec<(Option<String>, Value)>>>;

async fn receive(State(received): State<Received>, headers: HeaderMap, body: String) -> StatusCode {
    let token = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .map(str::to_owned);
    let body = serde_json::from_str(&body).expect("JSON");
    let mut received = received.lock().expect("no panic");
    received.push((token, body));
    // The first one is to come again.
    match received.len() {
        1 => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::NO_CONTENT,
    }
}

#[tokio::test]
async fn notifications_are_posted_until_they_are_taken() {
    let api = Api::start().await;
    let received = Received::default();
    let router = Router::new()
        .fallback(receive)
        .with_state(Arc::clone(&received));
    let receiver = loopback::serve(router).await.unwrap();
    api.post("watch", json!({"topicName": TOPIC})).await;
    api.append("one", &["INBOX"]);
    let identity = PushIdentity::new("aud", "pusher@p.iam.gserviceaccount.com");
    let url = receiver.url();
    let deliver = async || api.gmail.deliver_pushes(&url, &identity).await.unwrap();
    assert_eq!(deliver().await, [503]);
    assert_eq!(deliver().await, [204]);
    assert_eq!(deliver().await, [] as [u16; 0]);
    let received = received.lock().unwrap().clone();
    assert_eq!(received[0].1, received[1].1);
    let token = received[0].0.clone().unwrap();
    assert!(is_signed(&api, &token).await);
}

/// Whether a token's signature is by a published key.
async fn is_signed(api: &Api, token: &str) -> bool {
    let request = api.http.get(api.gmail.certs_url());
    let keys = api.send(request).await.body;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let (input, signature) = token.rsplit_once('.').expect("dots");
    let header = input.split('.').next().unwrap_or_default();
    let header: Value = serde_json::from_slice(&decode(header)).expect("JSON");
    let known = keys["keys"].as_array().expect("keys");
    let Some(key) = known.iter().find(|key| key["kid"] == header["kid"]) else {
        return false;
    };
    let key = RsaPublicKeyComponents {
        n: decode(text(&key["n"])),
        e: decode(text(&key["e"])),
    };
    key.verify(
        &RSA_PKCS1_2048_8192_SHA256,
        input.as_bytes(),
        &decode(signature),
    )
    .is_ok()
}

#[tokio::test]
async fn tokens_are_wrong_in_the_way_that_was_asked_for() {
    let api = Api::start().await;
    let mut identity = PushIdentity::new("aud", "pusher@p.iam.gserviceaccount.com");
    identity.email_verified = false;
    identity.issuer = "https://elsewhere.test".to_owned();
    let token = identity.token(0).unwrap();
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["email_verified"], false);
    assert_eq!(claims["iss"], "https://elsewhere.test");
    for flaw in [
        PushFlaw::UnknownKey,
        PushFlaw::WrongKey,
        PushFlaw::Unsigned,
        PushFlaw::Tampered,
    ] {
        let token = identity.clone().with(flaw).token(0).unwrap();
        assert!(!is_signed(&api, &token).await, "{flaw:?}");
    }
    assert_eq!(identity.clone().with(PushFlaw::Missing).token(0), None);
    let expired = identity.with(PushFlaw::Expired).token(0).unwrap();
    assert!(is_signed(&api, &expired).await);
}
