//! What is refused, how, and what is kept of it.

use reqwest::Method;
use serde_json::json;

use crate::support::{ALICE, Api, ids, mail, text};
use fake_gmail::scopes;

#[tokio::test]
async fn unknown_parameters_and_bad_values_are_refused_and_kept() {
    let api = Api::start().await;
    let id = api.append("one", &["INBOX"]);
    let bad = [
        "messages?maxresults=5".to_owned(),
        "messages?maxResults=501".to_owned(),
        "messages?maxResults=many".to_owned(),
        "messages?includeSpamTrash=yes".to_owned(),
        "messages?pageToken=made-up".to_owned(),
        "messages?q=a&q=b".to_owned(),
        "messages?fields=messages(subject)".to_owned(),
        format!("messages/{id}?format=FULL"),
        "messages/not-hex".to_owned(),
        "history?startHistoryId=x".to_owned(),
    ];
    for path in &bad {
        let reply = api.send(api.request(Method::GET, path)).await;
        assert_eq!(reply.status, 400, "{path}");
        let error = &reply.body["error"];
        assert_eq!(error["code"], 400);
        assert_eq!(error["status"], "INVALID_ARGUMENT");
        assert_eq!(error["errors"][0]["reason"], "invalidArgument");
        assert_eq!(error["errors"][0]["domain"], "global");
    }
    let kept = api.gmail.violations();
    assert_eq!(kept.len(), bad.len());
    assert_eq!(kept[0].request, "GET /gmail/v1/users/me/messages");
}

#[tokio::test]
async fn bodies_are_held_against_their_schemas() {
    let api = Api::start().await;
    let id = api.append("one", &["INBOX"]);
    let modify = format!("messages/{id}/modify");
    let trash = format!("messages/{id}/trash");
    let bad = [
        (modify.as_str(), json!({"addLabels": ["STARRED"]})),
        (&modify, json!({"addLabelIds": "STARRED"})),
        (&modify, json!({"addLabelIds": [1]})),
        (&modify, json!({})),
        (&modify, json!({"addLabelIds": ["SENT"]})),
        (&modify, json!({"addLabelIds": ["INBOX", "TRASH"]})),
        (
            &modify,
            json!({"addLabelIds": ["INBOX"], "removeLabelIds": ["INBOX"]}),
        ),
        (&trash, json!({"id": id})),
        (
            "messages/batchModify",
            json!({"ids": [], "addLabelIds": ["STARRED"]}),
        ),
        (
            "messages/batchModify",
            json!({"ids": vec![&id; 1001], "addLabelIds": ["STARRED"]}),
        ),
        ("messages/send", json!({"raw": "not base64!"})),
        ("messages/send", json!({})),
        (
            "labels",
            json!({"name": "a", "labelListVisibility": "shown"}),
        ),
    ];
    for (path, body) in &bad {
        let reply = api.call(Method::POST, path, body.clone()).await;
        assert_eq!(reply.status, 400, "{path} {body}: {}", reply.body);
    }
    assert_eq!(api.gmail.violations().len(), bad.len());
}

#[tokio::test]
async fn a_label_that_was_just_deleted_is_nobodys_mistake() {
    let api = Api::start().await;
    let id = api.append("one", &["INBOX"]);
    let body = json!({"addLabelIds": ["Label_99"]});
    let reply = api
        .call(Method::POST, &format!("messages/{id}/modify"), body)
        .await;
    assert_eq!(reply.status, 400);
    api.assert_no_violations();
}

#[tokio::test]
async fn tokens_give_access_while_they_live() {
    let api = Api::start().await;
    assert_eq!(api.status("profile").await, 200);
    api.oauth.expire_access_tokens(ALICE);
    let reply = api.send(api.request(Method::GET, "profile")).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.body["error"]["errors"][0]["reason"], "authError");
    api.assert_no_violations();
    let request = api.http.get(api.url("profile")).bearer_auth("made-up");
    assert_eq!(api.send(request).await.status, 401);
    let request = api.http.get(api.url("profile"));
    assert_eq!(api.send(request).await.status, 401);
    assert_eq!(api.gmail.violations().len(), 2);
}

#[tokio::test]
async fn each_method_wants_one_of_its_scopes() {
    let api = Api::with_scopes(&[scopes::MODIFY]).await;
    let id = api.append("one", &["INBOX"]);
    api.post(
        &format!("messages/{id}/modify"),
        json!({"addLabelIds": ["STARRED"]}),
    )
    .await;
    let reply = api
        .call(Method::DELETE, &format!("messages/{id}"), json!({}))
        .await;
    assert_eq!(reply.status, 403);
    let error = &reply.body["error"];
    assert_eq!(error["status"], "PERMISSION_DENIED");
    assert_eq!(error["errors"][0]["reason"], "insufficientPermissions");
    assert_eq!(
        error["details"][0]["reason"],
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    );
    assert_eq!(api.gmail.violations().len(), 1);
}

#[tokio::test]
async fn the_metadata_scope_gives_neither_search_nor_content() {
    let api = Api::with_scopes(&[scopes::METADATA]).await;
    let id = api.append("one", &["INBOX"]);
    assert_eq!(api.status("messages").await, 200);
    assert_eq!(api.status("messages?q=x").await, 403);
    assert_eq!(api.status(&format!("messages/{id}")).await, 403);
    let metadata = format!("messages/{id}?format=metadata");
    assert_eq!(api.status(&metadata).await, 200);
}

#[tokio::test]
async fn other_users_mailboxes_and_unknown_paths_are_closed() {
    let api = Api::start().await;
    let bob = api.gmail.user("bob@test.local");
    let url = |path: &str| format!("{}/gmail/v1/users/{path}", api.gmail.url());
    let status = async |path: &str| {
        let request = api.http.get(url(path)).bearer_auth(&api.token);
        api.send(request).await.status
    };
    assert_eq!(status(&format!("{ALICE}/profile")).await, 200);
    assert_eq!(status(&format!("{}/profile", bob.email())).await, 403);
    assert_eq!(status("me/contacts").await, 404);
    assert_eq!(api.gmail.violations().len(), 2);
}

#[tokio::test]
async fn a_post_without_a_length_is_refused() {
    let api = Api::start().await;
    let id = api.append("one", &["INBOX"]);
    let path = format!("messages/{id}/trash");
    let request = api
        .request(Method::POST, &path)
        .header("content-length", "0");
    assert_eq!(api.send(request).await.status, 200);
    let bare = crate::support::raw_request(
        &api,
        &format!("POST /gmail/v1/users/me/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n", api.token),
    )
    .await;
    assert!(bare.starts_with("HTTP/1.1 411"), "{bare}");
}

#[tokio::test]
async fn units_are_counted_and_run_out_for_a_minute() {
    let api = Api::start().await;
    let id = api.append("one", &["INBOX"]);
    let path = format!("messages/{id}?format=minimal");
    api.get(&path).await;
    api.get("messages").await;
    api.get("labels").await;
    assert_eq!(api.gmail.units(ALICE), 26);
    assert_eq!(api.gmail.project_units(), 26);
    api.gmail.settings(|settings| settings.units_per_user = 40);
    let reply = api.send(api.request(Method::GET, &path)).await;
    assert_eq!(reply.status, 429);
    assert_eq!(
        reply.body["error"]["errors"][0]["reason"],
        "rateLimitExceeded"
    );
    api.gmail.settings(|settings| {
        settings.quota_answer = fake_gmail::QuotaAnswer::Forbidden;
    });
    let reply = api.send(api.request(Method::GET, &path)).await;
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.body["error"]["errors"][0]["reason"],
        "userRateLimitExceeded"
    );
    api.gmail
        .clock()
        .advance(std::time::Duration::from_secs(60));
    assert_eq!(api.status(&path).await, 200);
    assert_eq!(api.gmail.units(ALICE), 46);
    assert_eq!(api.alice.units(), 46);
    api.assert_no_violations();
}

#[tokio::test]
async fn every_request_is_kept() {
    let api = Api::start().await;
    api.get("messages?q=x").await;
    let requests = api.gmail.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].method, Some("gmail.users.messages.list"));
    assert_eq!(requests[0].query, [("q".to_owned(), "x".to_owned())]);
    assert_eq!(requests[0].user.as_deref(), Some(ALICE));
    assert_eq!((requests[0].status, requests[0].units), (200, 5));
}

#[tokio::test]
async fn changes_by_the_api_are_the_truth() {
    let api = Api::start().await;
    let id = api.append("one", &["INBOX"]);
    let path = format!("messages/{id}");
    let modified = api
        .post(
            &format!("{path}/modify"),
            json!({"addLabelIds": ["STARRED"], "removeLabelIds": ["INBOX"]}),
        )
        .await;
    assert_eq!(modified["labelIds"], json!(["STARRED"]));
    api.post(&format!("{path}/trash"), json!({})).await;
    assert_eq!(api.alice.message(&id).unwrap().labels, ["STARRED", "TRASH"]);
    api.post(&format!("{path}/untrash"), json!({})).await;
    assert_eq!(api.alice.message(&id).unwrap().labels, ["STARRED"]);
    let deleted = api.call(Method::DELETE, &path, json!({})).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(api.alice.messages(), []);
    let gone = api.send(api.request(Method::GET, &path)).await;
    assert_eq!(gone.status, 404);
    assert_eq!(gone.body["error"]["errors"][0]["reason"], "notFound");
    api.assert_no_violations();
}

#[tokio::test]
async fn a_thread_changes_as_a_whole() {
    let api = Api::start().await;
    let first = api.append("plan", &["INBOX"]);
    let reply = String::from_utf8(mail("Re: plan")).unwrap();
    let reply = reply.replace("\r\n\r\n", "\r\nIn-Reply-To: <plan@test.local>\r\n\r\n");
    let second = api
        .alice
        .append(reply.as_bytes(), &["INBOX"], crate::support::NOON_MS + 1);
    let thread = api.post(&format!("threads/{first}/trash"), json!({})).await;
    assert_eq!(text(&thread["id"]), first);
    assert_eq!(
        ids(thread["messages"].as_array().unwrap()),
        [first.clone(), second]
    );
    assert!(
        api.alice
            .messages()
            .iter()
            .all(|message| message.labels == ["TRASH"])
    );
    let deleted = api
        .call(Method::DELETE, &format!("threads/{first}"), json!({}))
        .await;
    assert_eq!(deleted.status, 204);
    assert_eq!(api.alice.messages(), []);
}
