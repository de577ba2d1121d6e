//! What goes wrong on demand.

use std::time::{Duration, Instant};

use fake_gmail::{ErrorFault, ErrorKind, Faults, HistoryExpired, HistoryLabels, Lag, LagReaders};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, ids, mail, text};

#[tokio::test]
async fn history_expires_at_once_or_on_the_way() {
    let api = Api::start().await;
    let start = api.alice.history_id();
    api.append("one", &["INBOX"]);
    api.append("two", &["INBOX"]);
    let path = format!("history?startHistoryId={start}&maxResults=1");
    api.gmail
        .faults(|faults| faults.history_expired = HistoryExpired::MidWalk);
    let first = api.get(&path).await;
    let next = format!("{path}&pageToken={}", text(&first["nextPageToken"]));
    assert_eq!(api.status(&next).await, 404);
    api.gmail
        .faults(|faults| faults.history_expired = HistoryExpired::AtStart);
    assert_eq!(api.status(&path).await, 404);
    api.assert_no_violations();
}

#[tokio::test]
async fn empty_pages_lead_on() {
    let api = Api::start().await;
    let start = api.alice.history_id();
    for number in 0..6 {
        api.append(&format!("n{number}"), &["INBOX"]);
    }
    api.gmail.faults(|faults| faults.empty_pages = 1.0);
    let first = api.get("messages?maxResults=2").await;
    assert!(first["messages"].is_null() && first["nextPageToken"].is_string());
    let messages = api.all("messages?maxResults=2", "messages").await;
    assert_eq!(messages.len(), 6);
    let path = format!("history?startHistoryId={start}&maxResults=2");
    let first = api.get(&path).await;
    assert!(first["history"].is_null() && first["nextPageToken"].is_string());
    assert_eq!(api.all(&path, "history").await.len(), 6);
    assert_eq!(api.all("threads?maxResults=2", "threads").await.len(), 6);
}

#[tokio::test]
async fn errors_come_as_often_and_where_they_should() {
    let api = Api::start().await;
    let cases = [
        (ErrorKind::TooManyRequests, 429, "rateLimitExceeded"),
        (ErrorKind::RateLimit, 403, "rateLimitExceeded"),
        (ErrorKind::UserRateLimit, 403, "userRateLimitExceeded"),
        (ErrorKind::DomainPolicy, 403, "domainPolicy"),
        (ErrorKind::Internal, 500, "backendError"),
        (ErrorKind::Unavailable, 503, "backendError"),
    ];
    for (kind, status, reason) in cases {
        let fault = ErrorFault::always(kind)
            .times(1)
            .retry_after("7")
            .on("gmail.users.getProfile");
        api.gmail.faults(|faults| faults.errors = vec![fault]);
        assert_eq!(api.status("labels").await, 200);
        let response = api.request(Method::GET, "profile").send().await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["retry-after"], "7");
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(body["error"]["errors"][0]["reason"], reason);
        assert_eq!(api.status("profile").await, 200);
    }
    api.gmail.seed(5);
    let mut sometimes = ErrorFault::always(ErrorKind::Unavailable);
    sometimes.probability = 0.5;
    api.gmail.faults(|faults| faults.errors = vec![sometimes]);
    let mut failures = 0;
    for _ in 0..40 {
        failures += u32::from(api.status("labels").await == 503);
    }
    assert!((8..=32).contains(&failures), "{failures}");
    api.assert_no_violations();
}

#[tokio::test]
async fn a_listed_message_is_not_found() {
    let api = Api::start().await;
    let id = api.append("one", &["INBOX"]);
    api.gmail.faults(|faults| faults.missing_messages = 1.0);
    assert_eq!(api.get("messages").await["messages"][0]["id"], json!(id));
    assert_eq!(api.status(&format!("messages/{id}")).await, 404);
    api.gmail.set_faults(Faults::default());
    assert_eq!(api.status(&format!("messages/{id}")).await, 200);
}

#[tokio::test]
async fn readers_are_behind_and_catch_up() {
    let api = Api::start().await;
    let one = api.append("one", &["INBOX", "UNREAD"]);
    let two = api.append("two", &["INBOX"]);
    let start = api.alice.history_id();
    api.alice.modify(&one, &[], &["UNREAD"]);
    api.alice.delete(&two);
    let three = api.append("three", &["INBOX"]);
    api.gmail.faults(|faults| {
        faults.lag = Lag {
            changes: 3,
            ..Lag::default()
        };
    });
    let history = format!("history?startHistoryId={start}");
    let unread = "messages?labelIds=UNREAD";
    assert_eq!(
        api.get(&history).await,
        json!({"historyId": start.to_string()})
    );
    assert_eq!(
        api.get("profile").await["historyId"],
        json!(start.to_string())
    );
    let list = async || ids(&api.all("messages?", "messages").await);
    assert_eq!(list().await, [two.clone(), one.clone()]);
    assert_eq!(api.get(unread).await["messages"][0]["id"], json!(one));
    assert_eq!(api.status(&format!("messages/{two}")).await, 404);
    api.gmail.faults(|faults| faults.lag.changes = 1);
    assert_eq!(
        api.all(&format!("{history}&maxResults=9"), "history")
            .await
            .len(),
        2
    );
    assert_eq!(list().await.join(" "), one);
    api.gmail
        .faults(|faults| faults.lag.readers = LagReaders::Lists);
    assert_eq!(
        api.get("profile").await["historyId"],
        json!(api.alice.history_id().to_string())
    );
    api.gmail.faults(|faults| {
        faults.lag = Lag {
            time: Duration::from_secs(5),
            ..Lag::default()
        };
    });
    assert_eq!(list().await, [] as [String; 0]);
    api.gmail.clock().advance(Duration::from_secs(6));
    assert_eq!(list().await, [three, one]);
}

#[tokio::test]
async fn records_come_twice_and_the_walk_still_ends() {
    let api = Api::start().await;
    let start = api.alice.history_id();
    for number in 0..6 {
        api.append(&format!("n{number}"), &["INBOX"]);
    }
    api.gmail.faults(|faults| faults.duplicated_history = 1.0);
    let path = format!("history?startHistoryId={start}&maxResults=3");
    let records = ids(&api.all(&path, "history").await);
    assert!(records.len() > 12, "{}", records.len());
    let mut distinct = records;
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 6);
}

#[tokio::test]
async fn history_labels_are_of_then_of_now_or_absent() {
    let api = Api::start().await;
    let start = api.alice.history_id();
    let id = api.append("one", &["INBOX"]);
    api.alice.modify(&id, &["STARRED"], &["INBOX"]);
    let labels = async || {
        let page = api.get(&format!("history?startHistoryId={start}")).await;
        page["history"][0]["messagesAdded"][0]["message"]["labelIds"].clone()
    };
    assert_eq!(labels().await, json!(["INBOX"]));
    api.gmail
        .settings(|settings| settings.history_labels = HistoryLabels::Current);
    assert_eq!(labels().await, json!(["STARRED"]));
    api.gmail
        .settings(|settings| settings.history_labels = HistoryLabels::Absent);
    assert_eq!(labels().await, Value::Null);
}

#[tokio::test]
async fn bodies_are_truncated_cut_and_stalled() {
    let api = Api::start().await;
    api.gmail.faults(|faults| faults.truncated_bodies = 1.0);
    let reply = api.send(api.request(Method::GET, "labels")).await;
    assert_eq!((reply.status, reply.body), (200, Value::Null));
    api.gmail.set_faults(Faults {
        cut_connections: 1.0,
        ..Faults::default()
    });
    let cut = api.request(Method::GET, "labels").send().await;
    let ended = match cut {
        Ok(response) => response.text().await.is_err(),
        Err(_) => true,
    };
    assert!(ended);
    api.gmail.set_faults(Faults {
        stalls: 1.0,
        stall_for: Some(Duration::from_millis(150)),
        only: vec!["gmail.users.labels".to_owned()],
        ..Faults::default()
    });
    assert_eq!(api.status("profile").await, 200);
    let before = Instant::now();
    assert_eq!(api.status("labels").await, 200);
    assert!(before.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn an_effect_outlives_its_lost_answer() {
    let api = Api::start().await;
    use base64::Engine;
    let raw = base64::engine::general_purpose::URL_SAFE.encode(mail("lost"));
    let body = json!({"raw": raw});
    api.gmail.faults(|faults| faults.cut_connections = 1.0);
    let request = api
        .request(Method::POST, "messages/send")
        .header("content-type", "application/json")
        .body(body.to_string());
    let lost = match request.send().await {
        Ok(response) => response.text().await.is_err(),
        Err(_) => true,
    };
    assert!(lost);
    assert_eq!(api.gmail.sent().len(), 1);
    api.gmail.set_faults(Faults {
        failures_after_effect: 1.0,
        ..Faults::default()
    });
    let reply = api.call(Method::POST, "messages/send", body).await;
    assert_eq!(reply.status, 503);
    assert_eq!(api.gmail.sent().len(), 2);
    let id = api.append("gone", &["INBOX"]);
    api.gmail.set_faults(Faults {
        cut_connections: 1.0,
        ..Faults::default()
    });
    let request = api.request(Method::DELETE, &format!("messages/{id}"));
    let lost = match request.send().await {
        Ok(response) => response.text().await.is_err(),
        Err(_) => true,
    };
    assert!(lost && api.alice.message(&id).is_none());
}

#[tokio::test]
async fn a_dropped_request_has_no_effect() {
    let api = Api::start().await;
    let id = api.append("one", &["INBOX"]);
    api.gmail.faults(|faults| faults.dropped_requests = 1.0);
    let request = api
        .request(Method::POST, &format!("messages/{id}/trash"))
        .header("content-length", "0");
    let lost = match request.send().await {
        Ok(response) => response.text().await.is_err(),
        Err(_) => true,
    };
    assert!(lost);
    assert_eq!(api.alice.message(&id).unwrap().labels, ["INBOX"]);
    assert_eq!(api.gmail.requests()[0].status, 0);
}

#[tokio::test]
async fn a_page_token_dies() {
    let api = Api::start().await;
    api.append("one", &["INBOX"]);
    api.append("two", &["INBOX"]);
    let first = api.get("messages?maxResults=1").await;
    let next = format!(
        "messages?maxResults=1&pageToken={}",
        text(&first["nextPageToken"])
    );
    api.gmail.faults(|faults| faults.expired_page_tokens = 1.0);
    assert_eq!(api.status(&next).await, 400);
    assert_eq!(api.status("messages?maxResults=1").await, 200);
    api.assert_no_violations();
}

#[tokio::test]
async fn a_frozen_walk_shows_what_was_there_at_its_first_page() {
    let api = Api::start().await;
    let start = api.alice.history_id();
    api.append("one", &["INBOX"]);
    api.append("two", &["INBOX"]);
    api.gmail.faults(|faults| faults.frozen_walks = true);
    let path = format!("history?startHistoryId={start}&maxResults=1");
    let first = api.get(&path).await;
    api.append("three", &["INBOX"]);
    let next = format!("{path}&pageToken={}", text(&first["nextPageToken"]));
    let last = api.get(&next).await;
    assert!(last["nextPageToken"].is_null());
    assert_eq!(last["historyId"], api.alice.history_id().to_string());
    assert_ne!(first["historyId"], last["historyId"]);
}

#[tokio::test]
async fn too_many_requests_at_once_are_refused() {
    let api = Api::start().await;
    api.gmail
        .settings(|settings| settings.concurrent_requests = Some(2));
    api.gmail
        .faults(|faults| faults.delay = Duration::from_millis(100));
    let (a, b, c) = tokio::join!(
        api.status("labels"),
        api.status("labels"),
        api.status("labels")
    );
    let mut statuses = [a, b, c];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(api.gmail.peak_concurrency(crate::support::ALICE), 2);
}
