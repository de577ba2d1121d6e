use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use email_model::FolderRole;
use futures::{StreamExt as _, stream};
use provider_memory::Fault;
use serde_json::{Value, json};

use crate::{
    mail::{new_mail, plain},
    support::{Api, Call, Connected},
};

fn send<'a>(account: &'a Connected<'_>, message: &Value) -> Call<'a> {
    account.call("POST", "/v1/email/messages").json(message)
}

fn to_bob() -> Value {
    json!({"to": [{"name": "Bob", "address": "bob@example.org"}], "subject": "Hello", "body": "<p>Hi"})
}

/// What was sent last, as text.
fn last_sent(account: &Connected<'_>) -> String {
    let sent = account.mailbox.sent_mail();
    String::from_utf8(sent.last().unwrap().octets.to_vec()).unwrap()
}

#[tokio::test]
async fn a_message_is_sent_and_told_as_asked_for() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let bare = send(&account, &to_bob()).send().await.created();
    assert_eq!(
        (&bare["status"], &bare["processingStatus"]),
        (&json!("Ok"), &json!("Ok"))
    );
    assert!(
        bare.get("id").is_none() && bare.get("threadId").is_none(),
        "{bare}"
    );
    let path = "/v1/email/messages?bodyType=text&returnIds=true";
    let mut message = to_bob();
    message["body"] = "1 < 2".into();
    let answer = account
        .call("POST", path)
        .json(&message)
        .send()
        .await
        .created();
    let id = answer["id"].as_str().unwrap();
    let sent = account
        .get(format!("/v1/email/messages/{id}?bodyType=text"))
        .await;
    assert_eq!(sent["internetMessageId"], answer["submittedMessageId"]);
    assert_eq!(sent["body"].as_str().unwrap().trim(), "1 < 2");
    assert_eq!(sent["sysLabels"], json!(["sent"]));
    assert_eq!(sent["from"]["address"], "ann@example.org");
    let sent = account.mailbox.sent_mail();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].recipients, ["bob@example.org"]);
}

#[tokio::test]
async fn what_clients_write_for_nothing_does_not_matter() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let mut message = to_bob();
    for (name, nothing) in [
        ("replyTo", json!([null])),
        ("hasAttachments", json!(false)),
        ("threadId", json!("x")),
        ("cc", json!([])),
        ("bcc", json!(null)),
        ("attachments", json!([])),
        ("from", json!({})),
        ("xHeaders", json!([null])),
        ("listHeaders", json!([])),
        ("keywords", json!([])),
        ("inReplyTo", json!("")),
        ("tracking", json!({"opens": false, "context": "x"})),
    ] {
        message[name] = nothing;
    }
    send(&account, &message).send().await.created();
    let text = last_sent(&account);
    for field in ["Reply-To:", "Cc:", "In-Reply-To:", "References:"] {
        assert!(!text.contains(field), "{text}");
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_is_refused_by_the_field() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let refused = async |change: Value| {
        let mut message = to_bob();
        for (name, value) in change.as_object().unwrap() {
            message[name] = value.clone();
        }
        let answer = send(&account, &message).send().await;
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        (answer.status.as_u16(), message)
    };
    for (change, status, named) in [
        (json!({"to": [{"address": "no address"}]}), 422, "to[0]"),
        (json!({"to": []}), 422, "to"),
        (
            json!({"xHeaders": [{"name": "X-A: b\r\nBcc", "value": "x"}]}),
            422,
            "xHeaders[0]",
        ),
        (
            json!({"xHeaders": [{"value": "x"}]}),
            400,
            "xHeaders[0].name",
        ),
        (json!({"to": "bob@example.org"}), 400, "to"),
        (json!({"subject": 5}), 400, "subject"),
        (
            json!({"attachments": [{"name": "n"}]}),
            400,
            "attachments[0].content",
        ),
        (
            json!({"attachments": [{"content": "?"}]}),
            400,
            "attachments[0].content",
        ),
        (json!({"tracking": {"opens": true}}), 501, "tracking"),
    ] {
        let (found, message) = refused(change.clone()).await;
        assert_eq!(found, status, "{change} {message}");
        assert!(message.contains(named), "{change} {message}");
    }
    assert!(account.mailbox.sent_mail().is_empty());
}

#[tokio::test]
async fn a_recipient_that_is_refused_leaves_the_rest_incomplete() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.mailbox.refuse("nobody@example.org");
    let mut message = to_bob();
    message["cc"] = json!([{"address": "nobody@example.org"}]);
    let answer = send(&account, &message).send().await.created();
    assert_eq!(answer["processingStatus"], "Incomplete");
    let why = answer["processingError"]["errorMessage"].as_str().unwrap();
    assert!(why.contains("nobody@example.org"), "{answer}");
}

#[tokio::test]
async fn an_answer_belongs_to_what_it_answers() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, plain(1).replace("ann@", "carl@")));
    let id = account.newest().await;
    let path = format!("/v1/email/messages/{id}/reply?returnIds=true&bodyType=text");
    let reply = account
        .call("POST", &path)
        .json(&json!({"body": "Yes."}))
        .send()
        .await;
    let reply = reply.ok();
    assert_eq!(reply["status"], "Ok");
    let text = last_sent(&account);
    assert!(text.contains("Subject: Re: Letter 1"), "{text}");
    assert!(text.contains("In-Reply-To: <m1@example.org>"), "{text}");
    assert_eq!(
        account.mailbox.sent_mail()[0].recipients,
        ["carl@example.org"]
    );
    let unknown = account
        .call("POST", "/v1/email/messages/0123456789abcdef/reply")
        .json(&json!({"body": "x"}));
    assert_eq!(unknown.send().await.failure().0, 404);
}

#[tokio::test]
async fn a_key_is_sent_once() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let keyed = |key: &str, message: &Value| {
        let call = account.call("POST", "/v1/email/messages?returnIds=true&x=1");
        call.json(message).header("idempotency-key", key).send()
    };
    let first = keyed("one", &to_bob()).await.created();
    assert_eq!(keyed("one", &to_bob()).await.created(), first);
    let reordered = account.call("POST", "/v1/email/messages?x=1&returnIds=true");
    let reordered = reordered.json(&to_bob()).header("idempotency-key", "one");
    assert_eq!(reordered.send().await.created(), first);
    assert_eq!(account.mailbox.sent_mail().len(), 1);
    let mut other = to_bob();
    other["subject"] = "Other".into();
    let refused = keyed("one", &other).await;
    assert_eq!(refused.failure(), (422, "unprocessable".to_owned()));
    keyed("two", &to_bob()).await.created();
    assert_eq!(account.mailbox.sent_mail().len(), 2);
    for wrong in [String::new(), "a".repeat(256)] {
        assert_eq!(keyed(&wrong, &to_bob()).await.failure().0, 400);
    }
}

#[tokio::test]
async fn a_send_without_an_answer_is_unconfirmed() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.mailbox.hold_sent_copies();
    account.mailbox.inject(Some("submit"), Fault::LoseAnswer, 1);
    let answer = send(&account, &to_bob()).send().await;
    assert_eq!(answer.failure(), (502, "send.unconfirmed".to_owned()));
    let told = answer.json()["originalError"]["internetMessageId"].clone();
    let told = format!("Message-ID: {}\r\n", told.as_str().unwrap());
    assert!(last_sent(&account).contains(&told), "{told}");
}

/// JSON of a message with attachments of these sizes in KiB, made while it is read.
fn streamed(sizes: Vec<usize>) -> Body {
    let chunk = STANDARD.encode([b'x'; 3 << 10]);
    let attachments = stream::iter(sizes)
        .enumerate()
        .flat_map(move |(index, size)| {
            let comma = if index > 0 { "," } else { "" };
            let begin = format!("{comma}{{\"content\":\"");
            let end =
                format!("\",\"name\":\"file{index}.bin\",\"mimeType\":\"application/x-test\"}}");
            let chunks = stream::repeat(chunk.clone()).take(size / 3);
            stream::iter([begin])
                .chain(chunks)
                .chain(stream::iter([end]))
        });
    let begin = r#"{"attachments":["#.to_owned();
    let end = r#"],"to":[{"address":"bob@example.org"}],"subject":"Large","body":"x"}"#.to_owned();
    let all = stream::iter([begin])
        .chain(attachments)
        .chain(stream::iter([end]));
    Body::from_stream(all.map(Ok::<_, std::io::Error>))
}

#[tokio::test]
async fn attachments_of_any_size_are_sent_and_leave_nothing_behind() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let call = account.call("POST", "/v1/email/messages?returnIds=true");
    let call = call.header("content-type", "application/json");
    let sent = call
        .body(streamed(vec![6 << 10, 30, 3 << 10]))
        .send()
        .await
        .created();
    assert!(api.spooled().is_empty());
    let id = sent["id"].as_str().unwrap();
    let message = account.get(format!("/v1/email/messages/{id}")).await;
    let attachments = message["attachments"].as_array().unwrap();
    assert_eq!(attachments.len(), 3);
    for (index, size) in [6 << 10, 30, 3 << 10].into_iter().enumerate() {
        let attachment = &attachments[index];
        assert_eq!(attachment["name"], format!("file{index}.bin"));
        assert_eq!(attachment["mimeType"], "application/x-test");
        let part = attachment["id"].as_str().unwrap();
        let path = format!("/v1/email/messages/{id}/attachments/{part}?alt=media");
        let octets = account.call("GET", path).send().await.body;
        assert_eq!(octets.len(), size << 10);
        assert!(octets.iter().all(|octet| *octet == b'x'));
    }
}

#[tokio::test]
async fn what_is_no_message_is_refused_before_it_is_read() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let post = || account.call("POST", "/v1/email/messages");
    let unread = || Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let announced = post().header("content-length", (201 << 20).to_string());
    let announced = announced.body(unread()).send().await;
    assert_eq!(announced.failure(), (413, "tooLarge".to_owned()));
    for (name, value) in [
        ("content-type", "message/rfc822"),
        ("content-type", "multipart/mixed; boundary=b"),
        ("content-encoding", "gzip"),
    ] {
        let answer = post().header(name, value).body(unread()).send().await;
        assert_eq!(
            answer.failure(),
            (415, "unsupportedMediaType".to_owned()),
            "{value}"
        );
    }
    let stranger = api.call("POST", "/v1/email/messages").body(unread());
    assert_eq!(stranger.send().await.failure().0, 401);
    let wrong_query = account.call("POST", "/v1/email/messages?bodyType=pdf");
    assert_eq!(wrong_query.body(unread()).send().await.failure().0, 400);
    let broken = post().body("{\"to\":[").send().await;
    assert_eq!(broken.failure(), (400, "badRequest".to_owned()));
    let sent = account.mailbox.folder(FolderRole::Sent).unwrap();
    assert!(account.mailbox.contents(&sent).is_empty());
}
