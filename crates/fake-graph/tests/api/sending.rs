//! Drafts, replies and sending.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{ALICE, Api, NOON_MS, text};

fn to(address: &str) -> Value {
    json!([{"emailAddress": {"address": address}}])
}

#[tokio::test]
async fn a_draft_is_written_changed_and_sent_under_the_same_immutable_id() {
    let api = Api::start().await;
    let bob = api.graph.user("bob@test.local");
    let made = api
        .post("/me/messages", json!({"subject": "Plan", "body": {"contentType": "html", "content": "<p>hi</p>"}, "toRecipients": to("bob@test.local"), "bccRecipients": to("carol@test.local")}))
        .await;
    let id = text(&made["id"]).to_owned();
    assert_eq!(made["isDraft"], true);
    assert_eq!(made["parentFolderId"], json!(api.alice.folder_id("drafts")));
    let changed = api
        .patch(
            &format!("/me/messages/{id}"),
            json!({"subject": "Pl\u{e4}ne"}),
        )
        .await;
    assert_eq!(changed["internetMessageId"], made["internetMessageId"]);
    let sent = api
        .call(
            Method::POST,
            &format!("/me/messages/{id}/send"),
            Value::Null,
        )
        .await;
    assert_eq!((sent.status, sent.text.as_str()), (202, ""));
    let copy = api.get(&format!("/me/messages/{id}")).await;
    assert_eq!(copy["isDraft"], false);
    assert_eq!(
        copy["parentFolderId"],
        json!(api.alice.folder_id("sentitems"))
    );
    assert_eq!(
        copy["bccRecipients"][0]["emailAddress"]["address"],
        "carol@test.local"
    );
    let handed = api.graph.sent();
    assert_eq!(handed[0].recipients, ["bob@test.local", "carol@test.local"]);
    assert_eq!(handed[0].id.as_deref(), Some(id.as_str()));
    let raw = String::from_utf8_lossy(&handed[0].raw);
    assert!(!raw.to_lowercase().contains("carol") && raw.contains("=?utf-8?"));
    assert_eq!(bob.messages().len(), 1);
    api.assert_no_violations();
    assert_eq!(
        api.call(
            Method::POST,
            &format!("/me/messages/{id}/send"),
            Value::Null
        )
        .await
        .status,
        400
    );
}

#[tokio::test]
async fn the_copy_in_sent_items_may_take_its_time() {
    let api = Api::start().await;
    let made = api
        .post(
            "/me/messages",
            json!({"toRecipients": to("bob@test.local")}),
        )
        .await;
    let id = text(&made["id"]);
    api.graph
        .faults(|faults| faults.slow_sending = Duration::from_secs(5));
    api.post(&format!("/me/messages/{id}/send"), Value::Null)
        .await;
    assert_eq!(api.try_get(&format!("/me/messages/{id}")).await.status, 404);
    api.graph.clock().advance(Duration::from_secs(6));
    assert_eq!(
        api.get(&format!("/me/messages/{id}")).await["isDraft"],
        false
    );
}

#[tokio::test]
async fn mail_is_sent_in_one_go_as_json_or_mime() {
    let api = Api::start().await;
    let json = json!({"message": {"subject": "one", "toRecipients": to("bob@test.local"), "internetMessageHeaders": [{"name": "X-Own", "value": "1"}]}, "saveToSentItems": false});
    assert_eq!(
        api.call(Method::POST, "/me/sendMail", json).await.status,
        202
    );
    assert_eq!(api.graph.sent()[0].id, None);
    assert!(String::from_utf8_lossy(&api.graph.sent()[0].raw).contains("X-Own: 1"));
    let mime = "From: alice@test.local\r\nTo: bob@test.local\r\nBcc: carol@test.local,\r\n dan@test.local\r\nSubject: two\r\nMessage-ID: <own@test.local>\r\n\r\nhi\r\n";
    let post = |body: String| {
        api.request(Method::POST, "/me/sendMail")
            .header("content-type", "text/plain")
            .body(body)
    };
    assert_eq!(api.send(post(STANDARD.encode(mime))).await.status, 202);
    let sent = &api.graph.sent()[1];
    assert_eq!(sent.recipients.len(), 3);
    assert!(!String::from_utf8_lossy(&sent.raw).contains("carol"));
    let copies = api
        .get("/me/mailFolders/sentitems/messages?$select=internetMessageId")
        .await;
    assert_eq!(copies["value"].as_array().unwrap().len(), 1);
    assert_eq!(copies["value"][0]["internetMessageId"], "<own@test.local>");
    api.assert_no_violations();
    let broken = api.send(post("no base64!".to_owned())).await;
    assert_eq!(broken.code(), "ErrorMimeContentInvalidBase64String");
    for wrong in [
        json!({"message": {"subject": "x"}}),
        json!({"message": {"toRecipients": to("nobody")}}),
        json!({"message": {"toRecipients": to("bob@test.local"), "from": {"emailAddress": {"address": "eve@test.local"}}}}),
        json!({"message": {"toRecipients": to("bob@test.local"), "internetMessageHeaders": [{"name": "In-Reply-To", "value": "<x>"}]}}),
        json!({"subject": "x"}),
    ] {
        let reply = api.call(Method::POST, "/me/sendMail", wrong.clone()).await;
        assert!((400..404).contains(&reply.status), "{wrong}");
    }
    assert_eq!(api.graph.sent().len(), 2);
    api.alice.add_alias("sales@test.local");
    let alias = json!({"message": {"toRecipients": to("bob@test.local"), "from": {"emailAddress": {"address": "sales@test.local"}}}});
    assert_eq!(
        api.call(Method::POST, "/me/sendMail", alias).await.status,
        202
    );
}

#[tokio::test]
async fn a_draft_of_mime_keeps_its_octets_until_it_is_changed() {
    let api = Api::start().await;
    let mime =
        format!("From: {ALICE}\r\nTo: bob@test.local\r\nSubject: m\r\nX-Own: 1\r\n\r\nhi\r\n");
    let request = api
        .request(Method::POST, "/me/messages")
        .header("content-type", "text/plain")
        .body(STANDARD.encode(&mime));
    let made = api.send(request).await;
    assert_eq!((made.status, &made.body["subject"]), (201, &json!("m")));
    let path = format!("/me/messages/{}", text(&made.body["id"]));
    assert_eq!(api.try_get(&format!("{path}/$value")).await.text, mime);
    api.patch(&path, json!({"subject": "n"})).await;
    let raw = api.try_get(&format!("{path}/$value")).await.text;
    assert!(raw.contains("Subject: n\r\n") && raw.contains("X-Own: 1\r\n"));
    api.assert_no_violations();
}

#[tokio::test]
async fn replies_and_forwards_are_in_the_conversation() {
    let api = Api::start().await;
    let raw = b"From: Bob <bob@test.local>\r\nTo: alice@test.local, carol@test.local\r\nCc: dan@test.local\r\nSubject: plan\r\nMessage-ID: <plan@x>\r\n\r\nhi";
    let id = api.alice.append(raw, "inbox", NOON_MS);
    let original = api.get(&format!("/me/messages/{id}")).await;
    let addresses = |message: &Value, list: &str| -> Vec<String> {
        let list = message[list].as_array().unwrap();
        list.iter()
            .map(|one| text(&one["emailAddress"]["address"]).to_owned())
            .collect()
    };
    let reply = api
        .post(
            &format!("/me/messages/{id}/createReply"),
            json!({"comment": "yes"}),
        )
        .await;
    assert_eq!(
        (&reply["subject"], addresses(&reply, "toRecipients")),
        (&json!("RE: plan"), vec!["bob@test.local".to_owned()])
    );
    assert_eq!(reply["conversationId"], original["conversationId"]);
    assert!(text(&reply["body"]["content"]).contains("yes"));
    let all = api
        .post(&format!("/me/messages/{id}/createReplyAll"), Value::Null)
        .await;
    assert_eq!(
        addresses(&all, "toRecipients"),
        ["bob@test.local", "carol@test.local"]
    );
    assert_eq!(addresses(&all, "ccRecipients"), ["dan@test.local"]);
    let forward = api
        .post(
            &format!("/me/messages/{id}/createForward"),
            json!({"toRecipients": to("eve@test.local")}),
        )
        .await;
    assert_eq!(forward["subject"], "FW: plan");
    let sent = api
        .call(
            Method::POST,
            &format!("/me/messages/{id}/reply"),
            json!({"comment": "ok"}),
        )
        .await;
    assert_eq!(sent.status, 202);
    let raw = String::from_utf8_lossy(&api.graph.sent()[0].raw).into_owned();
    assert!(raw.contains("In-Reply-To: <plan@x>") && raw.contains("References: <plan@x>"));
    api.assert_no_violations();
    let both =
        json!({"comment": "x", "message": {"body": {"contentType": "text", "content": "y"}}});
    assert_eq!(
        api.call(
            Method::POST,
            &format!("/me/messages/{id}/createReply"),
            both
        )
        .await
        .status,
        400
    );
}

#[tokio::test]
async fn some_servers_write_another_message_id() {
    let api = Api::start().await;
    api.graph
        .settings(|settings| settings.replaced_message_id = true);
    let mime = STANDARD.encode("From: alice@test.local\r\nTo: bob@test.local\r\nMessage-ID: <own@x>\r\nSubject: s\r\n\r\nhi\r\n");
    let request = api
        .request(Method::POST, "/me/sendMail")
        .header("content-type", "text/plain")
        .body(mime);
    assert_eq!(api.send(request).await.status, 202);
    assert!(!String::from_utf8_lossy(&api.graph.sent()[0].raw).contains("<own@x>"));
}
