//! Subscriptions and what they are told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use fake_graph::{Lifecycle, When};
use fake_oauth::loopback::{self, Running};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, mail, text};

type Heard = Arc<Mutex<Vec<Value>>>;

/// A client's end, which echoes validation tokens and keeps the rest.
struct Ear {
    running: Running,
    heard: Heard,
}

async fn listen(
    State(heard): State<Heard>,
    Query(query): Query<std::collections::BTreeMap<String, String>>,
    body: String,
) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    let plain = [("content-type", "text/plain")];
    if let Some(token) = query.get("validationToken") {
        return (StatusCode::OK, plain, token.clone());
    }
    let body = serde_json::from_str(&body).expect("JSON");
    heard.lock().expect("no panic").push(body);
    (StatusCode::ACCEPTED, plain, String::new())
}

impl Ear {
    async fn open() -> Self {
        let heard = Heard::default();
        let router = Router::new()
            .route("/push", axum::routing::post(listen))
            .route("/deaf", axum::routing::post(|| async { "no" }))
            .with_state(Arc::clone(&heard));
        let running = loopback::serve(router).await.expect("a port");
        Self { running, heard }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.running.url())
    }

    fn take(&self) -> Vec<Value> {
        let mut heard = self.heard.lock().expect("no panic");
        heard
            .drain(..)
            .flat_map(|body| body["value"].as_array().expect("a list").clone())
            .collect()
    }
}

fn at(api: &Api, minutes: i64) -> String {
    let ms = api.graph.clock().now_ms() + minutes * 60_000;
    chrono::DateTime::from_timestamp_millis(ms)
        .expect("a time")
        .to_rfc3339()
}

async fn subscribe(api: &Api, ear: &Ear) -> Value {
    let body = json!({
        "resource": "/me/messages",
        "changeType": "created,updated,deleted",
        "notificationUrl": ear.url("push"),
        "lifecycleNotificationUrl": ear.url("push"),
        "clientState": "secret",
        "expirationDateTime": at(api, 10_000),
    });
    api.post("/subscriptions", body).await
}

#[tokio::test]
async fn changes_are_told_with_the_state_and_immutable_ids() {
    let api = Api::start().await;
    let ear = Ear::open().await;
    let subscription = subscribe(&api, &ear).await;
    let id = api.alice.deliver(&mail("x"));
    api.alice.set_read(&id, true);
    api.alice.move_to(&id, "archive");
    assert_eq!(api.graph.pending_notifications().len(), 4);
    let deliveries = api.graph.deliver_notifications().await;
    assert_eq!(deliveries[0].status, Some(202));
    let heard = ear.take();
    let kinds: Vec<&str> = heard.iter().map(|one| text(&one["changeType"])).collect();
    assert_eq!(kinds, ["created", "updated", "deleted", "created"]);
    assert!(heard.iter().all(|one| one["clientState"] == "secret"));
    assert!(heard.iter().all(|one| one["resourceData"]["id"] == id));
    assert_eq!(heard[0]["subscriptionId"], subscription["id"]);
    api.assert_no_violations();
}

#[tokio::test]
async fn both_urls_must_answer_the_validation() {
    let api = Api::start().await;
    let ear = Ear::open().await;
    let make = async |change: Value| {
        let mut body = json!({
            "resource": "me/mailFolders('inbox')/messages",
            "changeType": "created",
            "notificationUrl": ear.url("push"),
            "expirationDateTime": at(&api, 100),
        });
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        api.call(Method::POST, "/subscriptions", body).await
    };
    for url in [ear.url("deaf"), ear.url("nowhere")] {
        let reply = make(json!({"lifecycleNotificationUrl": url})).await;
        assert_eq!((reply.status, reply.code()), (400, "ValidationError"));
    }
    assert_eq!(
        make(json!({"notificationUrl": ear.url("deaf")}))
            .await
            .status,
        400
    );
    api.assert_no_violations();
    for wrong in [
        json!({"resource": "me/events"}),
        json!({"changeType": "moved"}),
        json!({"expirationDateTime": at(&api, 10_100)}),
        json!({"expirationDateTime": at(&api, -1)}),
        json!({"clientState": "x".repeat(129)}),
        json!({"colour": "red"}),
    ] {
        assert_eq!(make(wrong.clone()).await.status, 400, "{wrong}");
    }
    assert_eq!(api.problems().len(), 6);
    assert_eq!(make(json!({})).await.status, 201);
    assert_eq!(make(json!({})).await.status, 409);
    assert_eq!(api.alice.subscriptions().len(), 1);
}

#[tokio::test]
async fn a_subscription_is_prolonged_ends_and_is_deleted() {
    let api = Api::start().await;
    let ear = Ear::open().await;
    let made = subscribe(&api, &ear).await;
    let path = format!("/subscriptions/{}", text(&made["id"]));
    let soon = api
        .patch(&path, json!({"expirationDateTime": at(&api, 1)}))
        .await;
    api.graph.clock().advance(Duration::from_secs(44 * 60));
    assert_eq!(
        api.get(&path).await["expirationDateTime"],
        soon["expirationDateTime"]
    );
    api.post(&format!("{path}/reauthorize"), Value::Null).await;
    api.graph.clock().advance(Duration::from_secs(120));
    api.alice.deliver(&mail("late"));
    assert!(api.graph.pending_notifications().is_empty());
    let gone = api
        .call(
            Method::PATCH,
            &path,
            json!({"expirationDateTime": at(&api, 100)}),
        )
        .await;
    assert_eq!((gone.status, gone.code()), (404, "ResourceNotFound"));
    let again = subscribe(&api, &ear).await;
    let path = format!("/subscriptions/{}", text(&again["id"]));
    let late = api
        .call(
            Method::PATCH,
            &path,
            json!({"lifecycleNotificationUrl": ear.url("push")}),
        )
        .await;
    assert_eq!(late.status, 400);
    assert_eq!(
        api.get("/subscriptions").await["value"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    api.delete(&path).await;
    assert!(api.alice.subscriptions().is_empty());
}

#[tokio::test]
async fn the_lifecycle_is_told_and_notifications_get_lost_or_doubled() {
    let api = Api::start().await;
    let ear = Ear::open().await;
    let made = subscribe(&api, &ear).await;
    let id = text(&made["id"]);
    api.graph
        .faults(|faults| faults.missed_notifications = When::Always);
    api.alice.deliver(&mail("x"));
    api.alice.deliver(&mail("y"));
    api.graph.deliver_notifications().await;
    let heard = ear.take();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0]["lifecycleEvent"], "missed");
    api.graph.faults(|faults| {
        faults.missed_notifications = When::Never;
        faults.duplicated_notifications = When::Always;
    });
    api.alice.deliver(&mail("z"));
    api.graph.deliver_notifications().await;
    assert_eq!(ear.take().len(), 2);
    api.graph.lifecycle(id, Lifecycle::ReauthorizationRequired);
    api.graph.lifecycle(id, Lifecycle::SubscriptionRemoved);
    api.graph.deliver_notifications().await;
    let events: Vec<Value> = ear
        .take()
        .iter()
        .map(|one| one["lifecycleEvent"].clone())
        .collect();
    assert_eq!(events, ["reauthorizationRequired", "subscriptionRemoved"]);
    assert!(api.alice.subscriptions().is_empty());
    let forged = json!({"value": []});
    assert_eq!(
        api.graph.post_notification(&ear.url("push"), &forged).await,
        Some(202)
    );
    let other = subscribe(&api, &ear).await;
    assert!(api.graph.drop_subscription(text(&other["id"])));
}
