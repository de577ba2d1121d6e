//! Many requests in one.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fake_graph::When;
use serde_json::{Value, json};

use crate::support::{Api, mail};

fn part<'a>(responses: &'a Value, id: &str) -> &'a Value {
    let parts = responses["responses"].as_array().expect("a list");
    parts
        .iter()
        .find(|part| part["id"] == id)
        .expect("the part")
}

const IMMUTABLE: &str = "IdType=\"ImmutableId\"";

#[tokio::test]
async fn parts_have_their_own_headers_statuses_and_bodies() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    let reply = api
        .batch(json!([
            {"id": "1", "method": "GET", "url": format!("/me/messages/{id}?$select=subject"), "headers": {"Prefer": IMMUTABLE}},
            {"id": "2", "method": "GET", "url": format!("/me/messages/{id}/$value"), "headers": {"Prefer": IMMUTABLE}},
            {"id": "3", "method": "PATCH", "url": format!("/me/messages/{id}"), "body": {"isRead": true},
             "headers": {"Prefer": IMMUTABLE, "Content-Type": "application/json"}},
            {"id": "4", "method": "GET", "url": "/me/messages/AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0Anothing", "headers": {"Prefer": IMMUTABLE}},
        ]))
        .await;
    assert_eq!(reply.status, 200);
    let first = part(&reply.body, "1");
    assert_eq!(
        (&first["status"], &first["body"]["subject"]),
        (&json!(200), &json!("x"))
    );
    assert_eq!(first["headers"]["Preference-Applied"], IMMUTABLE);
    assert_eq!(part(&reply.body, "2")["body"], STANDARD.encode(mail("x")));
    assert_eq!(part(&reply.body, "3")["status"], 200);
    assert_eq!(
        part(&reply.body, "4")["body"]["error"]["code"],
        "ErrorItemNotFound"
    );
    assert!(api.alice.message(&id).unwrap().read);
    api.assert_no_violations();
    let requests = api.graph.requests();
    assert_eq!(requests[0].method, Some("batch"));
    assert_eq!(requests.iter().filter(|request| request.batched).count(), 4);
}

#[tokio::test]
async fn a_part_without_the_header_is_noted_like_any_request() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    api.batch(json!([{"id": "1", "method": "GET", "url": format!("/me/messages/{id}")}]))
        .await;
    assert_eq!(api.problems().len(), 1);
}

#[tokio::test]
async fn parts_wait_for_those_that_they_depend_on() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    let reply = api
        .batch(json!([
            {"id": "a", "method": "DELETE", "url": format!("/me/messages/{id}"), "headers": {"Prefer": IMMUTABLE}},
            {"id": "b", "method": "DELETE", "url": "/me/mailFolders/inbox", "dependsOn": ["a"]},
            {"id": "c", "method": "GET", "url": "/me/mailFolders", "dependsOn": ["b"]},
        ]))
        .await;
    assert_eq!(part(&reply.body, "a")["status"], 204);
    assert_eq!(part(&reply.body, "b")["status"], 403);
    assert_eq!(part(&reply.body, "c")["status"], 424);
}

#[tokio::test]
async fn a_batch_is_of_twenty_well_formed_parts_at_most() {
    let api = Api::start().await;
    let get = |id: usize| json!({"id": id.to_string(), "method": "GET", "url": "/me/mailFolders"});
    let many: Vec<Value> = (0..21).map(get).collect();
    assert_eq!(api.batch(json!(many)).await.status, 400);
    assert_eq!(api.batch(json!(many[..20])).await.status, 200);
    for wrong in [
        json!([]),
        json!([get(1), get(1)]),
        json!([{"id": "1", "method": "GET", "url": "/v1.0/me/mailFolders"}]),
        json!([{"id": "1", "method": "GET", "url": "/$batch"}]),
        json!([{"id": "1", "method": "GET", "url": "/me/mailFolders", "dependsOn": ["2"]}]),
        json!([{"id": "1", "method": "POST", "url": "/me/mailFolders", "body": {"displayName": "x"}}]),
        json!([{"id": "1", "url": "/me/mailFolders"}]),
        json!([{"id": "1", "method": "GET", "url": "/me/mailFolders", "prefer": "x"}]),
    ] {
        assert_eq!(api.batch(wrong.clone()).await.status, 400, "{wrong}");
    }
    assert_eq!(api.problems().len(), 9);
}

#[tokio::test]
async fn parts_are_throttled_inside_of_a_success() {
    let api = Api::start().await;
    api.graph.faults(|faults| {
        faults.throttled_parts = When::every(2);
        faults.part_retry_after = Some("7".to_owned());
        faults.shuffled_batches = true;
    });
    let get = |id: usize| json!({"id": id.to_string(), "method": "GET", "url": "/me/mailFolders"});
    let reply = api.batch((0..6).map(get).collect()).await;
    assert_eq!(reply.status, 200);
    let parts = reply.body["responses"].as_array().unwrap();
    let throttled: Vec<&Value> = parts.iter().filter(|part| part["status"] == 429).collect();
    assert_eq!(throttled.len(), 3);
    assert_eq!(throttled[0]["headers"]["Retry-After"], "7");
    assert_eq!(
        throttled[0]["body"]["error"]["code"],
        "ApplicationThrottled"
    );
    api.assert_no_violations();
}

#[tokio::test]
async fn parts_count_among_the_requests_at_the_same_time() {
    let api = Api::start().await;
    api.graph
        .faults(|faults| faults.delay = Duration::from_millis(150));
    let get = |id: usize| json!({"id": id.to_string(), "method": "GET", "url": "/me/mailFolders"});
    let full = api.batch((0..8).map(get).collect());
    let (batch, single) = tokio::join!(full, async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        api.try_get("/me/mailFolders").await
    });
    assert_eq!(single.status, 429);
    let parts = batch.body["responses"].as_array().unwrap();
    assert!(
        parts.iter().all(|part| part["status"] == 200),
        "the service runs four at a time"
    );
}
