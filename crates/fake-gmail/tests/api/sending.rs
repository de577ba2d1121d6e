//! Sending, drafts, putting in, and the ways of upload.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ALICE, Api, NOON_MS, Reply, ids, mail, text};

fn outgoing(subject: &str, more: &str) -> Vec<u8> {
    format!(
        "From: alice@test.local\r\nTo: bob@test.local\r\nSubject: {subject}\r\n\
         Message-ID: <out@test.local>\r\n{more}\r\nText.\r\n"
    )
    .into_bytes()
}

fn raw(message: &[u8]) -> Value {
    json!({"raw": URL_SAFE.encode(message)})
}

#[tokio::test]
async fn a_sent_message_stands_under_sent_and_before_its_recipients() {
    let api = Api::start().await;
    let bob = api.gmail.user("bob@test.local");
    let carol = api.gmail.user("carol@test.local");
    let message = outgoing("hello", "Bcc: carol@test.local\r\n");
    let sent = api.post("messages/send", raw(&message)).await;
    assert_eq!(sent["labelIds"], json!(["SENT"]));
    let copy = api.alice.message(text(&sent["id"])).unwrap();
    assert!(String::from_utf8_lossy(&copy.raw).contains("Bcc: carol"));
    for user in [&bob, &carol] {
        let delivered = &user.messages()[0];
        assert_eq!(delivered.labels, ["CATEGORY_PERSONAL", "INBOX", "UNREAD"]);
        assert!(!String::from_utf8_lossy(&delivered.raw).contains("Bcc"));
    }
    let handed_over = &api.gmail.sent()[0];
    assert_eq!(handed_over.id, text(&sent["id"]));
    assert_eq!(
        handed_over.recipients,
        ["bob@test.local", "carol@test.local"]
    );
    let found = api
        .all("messages?q=rfc822msgid:out@test.local", "messages")
        .await;
    assert_eq!(found.len(), 1);
    api.assert_no_violations();
}

#[tokio::test]
async fn what_one_sends_to_oneself_is_one_message() {
    let api = Api::start().await;
    let message = outgoing("note", "Cc: alice@test.local\r\n");
    let sent = api.post("messages/send", raw(&message)).await;
    assert_eq!(sent["labelIds"], json!(["INBOX", "SENT", "UNREAD"]));
    assert_eq!(api.alice.messages().len(), 1);
}

#[tokio::test]
async fn a_message_joins_a_thread_if_it_is_asked_refers_and_has_the_subject() {
    let api = Api::start().await;
    let first = api.append("plan", &["INBOX"]);
    let send = async |subject: &str, more: &str| {
        let mut body = raw(&outgoing(subject, more));
        body["threadId"] = json!(first);
        let sent = api.post("messages/send", body).await;
        text(&sent["threadId"]).to_owned()
    };
    let refers = "In-Reply-To: <plan@test.local>\r\n";
    assert_eq!(send("Re: plan", refers).await, first);
    assert_ne!(send("Re: plan", "").await, first);
    assert_ne!(send("other", refers).await, first);
    let mut body = raw(&outgoing("Re: plan", refers));
    body["threadId"] = json!("abc");
    let reply = api.call(Method::POST, "messages/send", body).await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn a_foreign_from_is_rewritten_or_refused_and_aliases_stay() {
    let api = Api::start().await;
    api.alice.add_send_as("sales@test.local", "Sales", true);
    api.alice.add_send_as("later@test.local", "Later", false);
    let of = |from: &str| {
        let message = outgoing("x", "").to_vec();
        let message = String::from_utf8(message).unwrap();
        message.replace("From: alice@test.local", &format!("From: {from}"))
    };
    let send = async |from: &str| {
        let reply = api
            .call(Method::POST, "messages/send", raw(of(from).as_bytes()))
            .await;
        (reply.status, reply.body)
    };
    let from_of = |sent: &Value| {
        let message = api.alice.message(text(&sent["id"])).unwrap();
        let raw = String::from_utf8(message.raw).unwrap();
        let line = raw.lines().find(|line| line.starts_with("From:"));
        line.unwrap().to_owned()
    };
    let (_, sent) = send("Sales <sales@test.local>").await;
    assert_eq!(from_of(&sent), "From: Sales <sales@test.local>");
    for foreign in ["later@test.local", "eve@test.local"] {
        let (_, sent) = send(foreign).await;
        assert_eq!(from_of(&sent), format!("From: {ALICE}"));
    }
    api.gmail
        .settings(|settings| settings.foreign_from_refused = true);
    assert_eq!(send("eve@test.local").await.0, 400);
    let list = api.get("settings/sendAs").await;
    assert_eq!(list["sendAs"][0]["isPrimary"], true);
    assert_eq!(list["sendAs"][2]["verificationStatus"], "pending");
    let one = api.get("settings/sendAs/sales@test.local").await;
    assert_eq!(one["displayName"], "Sales");
}

#[tokio::test]
async fn a_message_without_recipients_is_refused_but_no_violation() {
    let api = Api::start().await;
    let reply = api
        .call(Method::POST, "messages/send", raw(b"Subject: x\r\n\r\nhi"))
        .await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.body["error"]["message"], "Recipient address required");
    api.assert_no_violations();
    assert_eq!(api.gmail.sent(), []);
}

#[tokio::test]
async fn a_draft_lives_under_one_id_until_it_is_sent() {
    let api = Api::start().await;
    let first = outgoing("one", "");
    let created = api.post("drafts", json!({"message": raw(&first)})).await;
    let draft = text(&created["id"]);
    let old = text(&created["message"]["id"]);
    assert_eq!(created["message"]["labelIds"], json!(["DRAFT"]));
    let path = format!("drafts/{draft}");
    let second = outgoing("two", "");
    let updated = api
        .call(Method::PUT, &path, json!({"message": raw(&second)}))
        .await;
    assert_eq!(updated.body["id"], draft);
    assert_ne!(updated.body["message"]["id"], old);
    assert_eq!(api.status(&format!("messages/{old}")).await, 404);
    let shown = api.get(&format!("{path}?format=raw")).await;
    assert_eq!(text(&shown["message"]["raw"]), URL_SAFE.encode(&second));
    assert_eq!(ids(&api.all("drafts?q=two", "drafts").await), [draft]);
    let sent = api.post("drafts/send", json!({"id": draft})).await;
    assert_eq!(sent["labelIds"], json!(["SENT"]));
    assert_ne!(sent["id"], updated.body["message"]["id"]);
    assert_eq!(api.status(&path).await, 404);
    assert_eq!(api.alice.messages().len(), 1);
    assert_eq!(api.gmail.sent().len(), 1);
    let again = api
        .call(Method::POST, "drafts/send", json!({"id": draft}))
        .await;
    assert_eq!(again.status, 404);
    api.assert_no_violations();
}

#[tokio::test]
async fn a_draft_is_deleted_for_ever() {
    let api = Api::start().await;
    let draft = api.alice.create_draft(&mail("draft"));
    let path = format!("drafts/{draft}");
    let reply = api.call(Method::DELETE, &path, json!({})).await;
    assert_eq!(reply.status, 204);
    assert_eq!(api.alice.messages(), []);
}

#[tokio::test]
async fn inserting_puts_in_and_importing_classifies() {
    let api = Api::start().await;
    let mut body = raw(&mail("old"));
    body["labelIds"] = json!(["INBOX", "STARRED"]);
    let inserted = api
        .post("messages?internalDateSource=dateHeader", body)
        .await;
    assert_eq!(inserted["labelIds"], json!(["INBOX", "STARRED"]));
    let truth = api.alice.message(text(&inserted["id"])).unwrap();
    assert_eq!(truth.internal_date, NOON_MS);
    let now = api.post("messages", raw(&mail("new"))).await;
    let truth = api.alice.message(text(&now["id"])).unwrap();
    assert!(truth.labels.is_empty() && truth.internal_date > NOON_MS);
    let imported = api.post("messages/import", raw(&mail("in"))).await;
    assert_eq!(imported["labelIds"], json!(["INBOX", "UNREAD"]));
    assert_eq!(api.gmail.sent(), []);
    api.assert_no_violations();
}

async fn upload(api: &Api, path: &str, kind: &str, body: Vec<u8>) -> Reply {
    let url = format!("{}/upload/gmail/v1/users/me/{path}", api.gmail.url());
    let request = api
        .http
        .post(url)
        .bearer_auth(&api.token)
        .header("content-type", kind)
        .body(body);
    api.send(request).await
}

#[tokio::test]
async fn a_message_is_uploaded_alone_or_beside_its_json() {
    let api = Api::start().await;
    let message = outgoing("up", "");
    let alone = upload(
        &api,
        "messages/send?uploadType=media",
        "message/rfc822",
        message.clone(),
    )
    .await;
    assert_eq!(alone.status, 200, "{}", alone.body);
    let related = |json: &str| {
        let mut body = format!(
            "--x\r\nContent-Type: application/json\r\n\r\n{json}\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(&message);
        body.extend_from_slice(b"\r\n--x--");
        body
    };
    let kind = "multipart/related; boundary=x";
    let path = "messages?uploadType=multipart";
    let beside = upload(&api, path, kind, related(r#"{"labelIds":["INBOX"]}"#)).await;
    assert_eq!(beside.body["labelIds"], json!(["INBOX"]));
    let stored = api.alice.message(text(&beside.body["id"])).unwrap();
    assert_eq!(stored.raw, message);
    api.assert_no_violations();
    let wrong = upload(&api, path, kind, related(r#"{"labels":[]}"#)).await;
    assert_eq!(wrong.status, 400);
    let wrong = upload(
        &api,
        "messages?uploadType=media",
        "text/plain",
        b"x".to_vec(),
    )
    .await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn an_upload_goes_on_where_it_stopped() {
    let api = Api::start().await;
    let mut message = outgoing("big", "");
    message.resize(300 << 10, b'x');
    let url = format!(
        "{}/upload/gmail/v1/users/me/drafts?uploadType=resumable",
        api.gmail.url()
    );
    let begin = api
        .http
        .post(url)
        .bearer_auth(&api.token)
        .header("content-type", "application/json")
        .header("x-upload-content-type", "message/rfc822")
        .header("x-upload-content-length", message.len())
        .body("{}");
    let begun = begin.send().await.unwrap();
    assert_eq!(begun.status(), 200);
    let location = begun.headers()["location"].to_str().unwrap().to_owned();
    let put = async |range: String, body: Vec<u8>| {
        let request = api
            .http
            .put(&location)
            .bearer_auth(&api.token)
            .header("content-range", range)
            .body(body);
        request.send().await.unwrap()
    };
    let total = message.len();
    let chunk = 256 << 10;
    let first = put(
        format!("bytes 0-{}/{total}", chunk - 1),
        message[..chunk].to_vec(),
    )
    .await;
    assert_eq!(first.status(), 308);
    let asked = put(format!("bytes */{total}"), Vec::new()).await;
    assert_eq!(asked.status(), 308);
    assert_eq!(asked.headers()["range"], format!("bytes=0-{}", chunk - 1));
    let last = put(
        format!("bytes {chunk}-{}/{total}", total - 1),
        message[chunk..].to_vec(),
    )
    .await;
    assert_eq!(last.status(), 200);
    assert_eq!(api.alice.messages()[0].raw, message);
    assert_eq!(api.alice.messages()[0].labels, ["DRAFT"]);
    api.assert_no_violations();
}

#[tokio::test]
async fn a_batch_is_answered_part_by_part() {
    let api = Api::start().await;
    let id = api.append("one", &["INBOX"]);
    let modify = json!({"addLabelIds": ["STARRED"]}).to_string();
    let body = format!(
        "--b\r\nContent-Type: application/http\r\nContent-ID: <a>\r\n\r\nGET /gmail/v1/users/me/messages/{id}?format=minimal HTTP/1.1\r\n\r\n\r\n\
         --b\r\nContent-Type: application/http\r\nContent-ID: <b>\r\n\r\nGET /gmail/v1/users/me/messages/1?format=minimal\r\n\r\n\
         --b\r\nContent-Type: application/http\r\nContent-ID: <c>\r\n\r\nPOST /gmail/v1/users/me/messages/{id}/modify\r\nContent-Type: application/json\r\n\r\n{modify}\r\n--b--\r\n"
    );
    let request = api
        .http
        .post(format!("{}/batch/gmail/v1", api.gmail.url()))
        .bearer_auth(&api.token)
        .header("content-type", "multipart/mixed; boundary=b")
        .body(body);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap();
    let boundary = kind.split("boundary=").nth(1).unwrap().to_owned();
    let text = response.text().await.unwrap();
    let parts: Vec<&str> = text.split(&format!("--{boundary}")).collect();
    assert_eq!(parts.len(), 5);
    for (part, (name, status)) in parts[1..].iter().zip([("a", 200), ("b", 404), ("c", 200)]) {
        assert!(
            part.contains(&format!("Content-ID: <response-{name}>")),
            "{part}"
        );
        assert!(part.contains(&format!("HTTP/1.1 {status} ")), "{part}");
    }
    assert_eq!(api.alice.message(&id).unwrap().labels, ["INBOX", "STARRED"]);
    assert_eq!(api.gmail.units(ALICE), 45);
    assert!(api.gmail.requests().iter().all(|request| request.batched));
    api.assert_no_violations();
}
