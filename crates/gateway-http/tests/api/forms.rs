use serde_json::json;

use crate::{
    mail::attachment_octets,
    support::{Api, Call, Connected},
};

/// A form with a message to Bob and these parts.
fn form(boundary: &str, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let message =
        json!({"to": [{"address": "bob@example.org"}], "subject": "Files", "body": "<p>Hi"});
    let message = message.to_string();
    let first = (
        "Content-Disposition: form-data; name=\"message\"",
        message.as_bytes(),
    );
    let mut form = Vec::new();
    for (head, octets) in std::iter::once(&first).chain(parts) {
        form.extend(format!("--{boundary}\r\n{head}\r\n\r\n").into_bytes());
        form.extend_from_slice(octets);
        form.extend(b"\r\n");
    }
    form.extend(format!("--{boundary}--\r\n").into_bytes());
    form
}

fn post<'a>(account: &'a Connected<'_>, path: &str, boundary: &str) -> Call<'a> {
    let content_type = format!("multipart/form-data; boundary={boundary}");
    account
        .call("POST", path)
        .header("content-type", content_type)
}

const FILE: &str = "Content-Disposition: form-data; name=\"attachments\"; filename=\"large.bin\"\r\n\
                    Content-Type: application/x-test";
const PICTURE: &str = "Content-Disposition: form-data; name=\"inline\"; filename=\"p.png\"\r\n\
                       Content-Type: image/png\r\nContent-ID: <pic@example.org>";

#[tokio::test]
async fn a_form_is_sent_with_its_files() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let large = attachment_octets().repeat(200);
    let call = post(&account, "/v1/email/messages?returnIds=true", "b0undary");
    let body = form("b0undary", &[(FILE, &large), (PICTURE, b"png")]);
    let sent = call.body(body).send().await.created();
    assert!(api.spooled().is_empty());
    let id = sent["id"].as_str().unwrap();
    let message = account
        .get(format!("/v1/email/messages/{id}?loadInlines=true"))
        .await;
    let attachments = message["attachments"].as_array().unwrap();
    let named = |name: &str| attachments.iter().find(|a| a["name"] == name).unwrap();
    let picture = named("p.png");
    assert_eq!(
        (&picture["inline"], &picture["content"]),
        (&json!(true), &json!("cG5n"))
    );
    assert_eq!(picture["contentId"], "pic@example.org");
    let file = named("large.bin");
    assert_eq!(file["mimeType"], "application/x-test");
    let part = file["id"].as_str().unwrap();
    let path = format!("/v1/email/messages/{id}/attachments/{part}?alt=media");
    assert!(account.call("GET", path).send().await.body == large);
}

#[tokio::test]
async fn a_form_with_a_key_is_sent_once_whatever_its_boundary() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let keyed = |boundary: &str, octets: &[u8]| {
        let call = post(&account, "/v1/email/messages", boundary);
        let call = call.header("idempotency-key", "k");
        call.body(form(boundary, &[(FILE, octets)])).send()
    };
    let first = keyed("one", b"abc").await.created();
    assert_eq!(keyed("two", b"abc").await.created(), first);
    assert_eq!(keyed("one", b"abd").await.failure().0, 422);
    assert_eq!(account.mailbox.sent_mail().len(), 1);
}

#[tokio::test]
async fn a_draft_and_an_answer_may_be_forms_too() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let body = form("b", &[(FILE, b"abc")]);
    let draft = post(&account, "/v1/email/drafts", "b")
        .body(body)
        .send()
        .await
        .ok();
    let path = format!("/v1/email/drafts/{}", draft["id"].as_str().unwrap());
    let message = account.get(&path).await["message"].clone();
    assert_eq!(message["attachments"][0]["name"], "large.bin");
    let reply = format!(
        "/v1/email/messages/{}/reply",
        message["id"].as_str().unwrap()
    );
    post(&account, &reply, "b")
        .body(form("b", &[]))
        .send()
        .await
        .ok();
}

#[tokio::test]
async fn a_form_that_is_none_is_refused() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let whole = form("b", &[(FILE, &[b'x'; 300 << 10])]);
    let cut = whole[..whole.len() - 100].to_vec();
    let elsewhere = FILE.replace("attachments", "files");
    for body in [
        cut,
        form("b", &[(&elsewhere, b"abc")]),
        b"{}".to_vec(),
        vec![],
    ] {
        let answer = post(&account, "/v1/email/messages", "b")
            .body(body)
            .send()
            .await;
        assert_eq!(answer.failure(), (400, "badRequest".to_owned()));
        assert!(api.spooled().is_empty());
    }
    assert!(account.mailbox.sent_mail().is_empty());
}
