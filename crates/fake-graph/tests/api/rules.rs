//! What no correct client asks.

use std::time::Duration;

use fake_graph::scopes;
use fake_oauth::FakeOAuth;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ALICE, Api};

#[tokio::test]
async fn a_request_without_immutable_ids_is_answered_and_noted() {
    let mut api = Api::start().await;
    let id = api.append("x", "inbox");
    api.immutable = false;
    api.get("/me/mailFolders").await;
    api.assert_no_violations();
    let message = api.get(&format!("/me/messages/{id}?$select=id")).await;
    assert_ne!(message["id"], id);
    assert_eq!(api.problems(), ["no Prefer: IdType=\"ImmutableId\""]);
    let request = api
        .request(Method::GET, "/me/mailFolders")
        .header("prefer", "IdType=ImutableId, fast");
    api.send(request).await;
    assert_eq!(
        api.problems(),
        ["Prefer: IdType=ImutableId", "Prefer: fast"]
    );
}

#[tokio::test]
async fn a_token_opens_what_it_was_granted_for() {
    let api = Api::with_scopes(&["https://graph.microsoft.com/Mail.Read", "offline_access"]).await;
    let id = api.append("x", "inbox");
    api.get(&format!("/me/messages/{id}")).await;
    let change = api
        .call(
            Method::PATCH,
            &format!("/me/messages/{id}"),
            json!({"isRead": true}),
        )
        .await;
    assert_eq!((change.status, change.code()), (403, "ErrorAccessDenied"));
    assert_eq!(api.try_get("/me").await.status, 403);
    assert_eq!(api.problems().len(), 2);
    let basic = Api::with_scopes(&[scopes::MAIL_READ_BASIC]).await;
    let id = basic.append("x", "inbox");
    let message = basic.get(&format!("/me/messages/{id}")).await;
    assert!(message.get("body").is_none() && message["subject"] == "x");
    assert_eq!(
        basic
            .try_get(&format!("/me/messages/{id}/$value"))
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_token_must_be_there_and_alive() {
    let api = Api::start().await;
    let url = format!("{}/v1.0/me/mailFolders", api.graph.url());
    let none = api.send(api.http.get(&url)).await;
    assert_eq!(
        (none.status, none.code()),
        (401, "InvalidAuthenticationToken")
    );
    assert!(
        none.headers["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Bearer")
    );
    assert_eq!(
        api.send(api.http.get(&url).bearer_auth("x")).await.status,
        401
    );
    assert_eq!(api.problems().len(), 2);
    api.graph.clock().advance(Duration::from_secs(4000));
    assert_eq!(api.try_get("/me/mailFolders").await.status, 401);
    api.assert_no_violations();
}

#[tokio::test]
async fn paths_versions_verbs_and_bodies_are_checked() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    for path in [
        "/me/letters",
        "/me/mailFolders(')",
        "/me/mailFolders('')",
        "/me/mailFolders(",
        "/me//",
    ] {
        assert_eq!(api.try_get(path).await.status, 400, "{path}");
    }
    assert_eq!(
        api.try_get(&format!("{}/beta/me/messages", api.graph.url()))
            .await
            .status,
        400
    );
    assert_eq!(
        api.call(Method::PUT, &format!("/me/messages/{id}"), Value::Null)
            .await
            .status,
        405
    );
    let patch = |kind: &str, body: String| {
        api.request(Method::PATCH, &format!("/me/messages/{id}"))
            .header("content-type", kind)
            .body(body)
    };
    assert_eq!(
        api.send(patch("application/json", "{".to_owned()))
            .await
            .code(),
        "BadRequest"
    );
    assert_eq!(
        api.send(patch("text/html", "{}".to_owned())).await.status,
        415
    );
    let large = format!("{{\"subject\": \"{}\"}}", "x".repeat(4 << 20));
    assert_eq!(api.send(patch("application/json", large)).await.status, 413);
    assert_eq!(api.problems().len(), 10);
}

#[tokio::test]
async fn other_ways_to_write_a_path_are_the_same() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    for path in [
        format!("/users/{ALICE}/messages/{id}"),
        format!("/me/messages('{id}')"),
        format!("/me/mailFolders('inbox')/messages/{id}"),
        "/me/mailFolders/inbox/messages/delta()".to_owned(),
        "/me/mailFolders/inbox/messages/microsoft.graph.delta()".to_owned(),
    ] {
        api.get(&path).await;
    }
    api.assert_no_violations();
    assert_eq!(
        api.try_get("/users/bob@test.local/messages").await.status,
        400
    );
}

#[tokio::test]
async fn more_than_four_at_a_time_are_refused() {
    let api = Api::start().await;
    api.graph
        .faults(|faults| faults.delay = Duration::from_millis(150));
    let five = futures::future::join_all((0..5).map(|_| api.try_get("/me/mailFolders"))).await;
    let refused: Vec<_> = five.iter().filter(|reply| reply.status == 429).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].code(), "ApplicationThrottled");
    assert!(refused[0].text.contains("MailboxConcurrency"));
    assert!(refused[0].headers.contains_key("retry-after"));
    assert_eq!(api.problems().len(), 1);
    assert_eq!(api.graph.peak_concurrency("tests", ALICE), 4);
}

#[tokio::test]
async fn a_mailbox_has_so_many_requests_in_ten_minutes() {
    let api = Api::start().await;
    api.graph
        .settings(|settings| settings.requests_per_window = 2);
    api.get("/me/mailFolders").await;
    api.get("/me/mailFolders").await;
    let over = api.try_get("/me/mailFolders").await;
    assert_eq!(over.status, 429);
    let wait: u64 = over.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((590..=601).contains(&wait), "{wait}");
    api.graph.clock().advance(Duration::from_secs(wait));
    api.get("/me/mailFolders").await;
    api.assert_no_violations();
}

#[tokio::test]
async fn every_request_is_recorded() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    api.patch(&format!("/me/messages/{id}"), json!({"isRead": true}))
        .await;
    let requests = api.graph.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(
        (request.method, request.http.as_str(), request.status),
        (Some("messages.update"), "PATCH", 200)
    );
    assert_eq!(request.user.as_deref(), Some(ALICE));
    assert_eq!(request.prefer, ["IdType=\"ImmutableId\""]);
    assert_eq!(
        request.body,
        json!({"isRead": true}).to_string().into_bytes()
    );
    api.graph.clear_requests();
    assert!(api.graph.requests().is_empty());
}

#[tokio::test]
async fn a_user_without_a_mailbox_is_told_so() {
    let api = Api::start().await;
    let oauth: &FakeOAuth = &api.oauth;
    oauth.add_user("new@test.local");
    let token = oauth
        .issue("tests", "new@test.local", &["Mail.Read"])
        .access_token;
    let url = format!("{}/v1.0/me/mailFolders", api.graph.url());
    let reply = api.send(api.http.get(url).bearer_auth(token)).await;
    assert_eq!(
        (reply.status, reply.code()),
        (404, "MailboxNotEnabledForRESTAPI")
    );
}
