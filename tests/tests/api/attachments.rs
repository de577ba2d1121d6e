//! Attachments.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polypost_tests::{Answer, Call};

use crate::setting::{Mailbox, mail, text};

const TEMPLATE: &str = "/v1/email/messages/{messageId}/attachments/{attachmentId}";

fn content() -> Vec<u8> {
    (0..100_000_u32).map(|n| (n % 251) as u8).collect()
}

/// A mailbox with a message that has one attachment, and the call that downloads it.
async fn mailbox() -> (Mailbox, Call) {
    let mut mailbox = Mailbox::new().await;
    let encoded: String = STANDARD
        .encode(content())
        .as_bytes()
        .chunks(76)
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect();
    let raw = mail("data").replace(
        "\n\nThis is data.\n",
        &format!(
            "\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: \
             text/plain\n\nSee below.\n--b\nContent-Type: application/x-data\nContent-Disposition: attachment; \
             filename*=utf-8''d%C3%A4ta.bin\nContent-Transfer-Encoding: base64\n\n{encoded}--b--\n"
        ),
    );
    mailbox.receive(&raw).await;
    let id = mailbox.id("data").await;
    let get = Call::get("/v1/email/messages/{messageId}").with("messageId", &id);
    let message = mailbox.ok(get).await.json;
    assert_eq!(message["hasAttachments"], true);
    let attachment = &message["attachments"][0];
    assert_eq!(attachment["name"], "däta.bin");
    assert_eq!(attachment["mimeType"], "application/x-data");
    assert_eq!(attachment["inline"], false);
    let call = Call::get(TEMPLATE)
        .with("messageId", &id)
        .with("attachmentId", text(attachment, "id"));
    (mailbox, call)
}

#[tokio::test]
async fn an_attachment_comes_as_base64_in_json() {
    let (mailbox, call) = mailbox().await;
    let answer = mailbox.ok(call).await;
    let decoded = STANDARD.decode(text(&answer.json, "content")).unwrap();
    assert!(decoded == content());
}

#[tokio::test]
async fn an_attachment_is_streamed_when_asked_for() {
    let (mailbox, call) = mailbox().await;
    for call in [
        call.clone().header("accept", "application/octet-stream"),
        call.query("alt", "media"),
    ] {
        let answer = mailbox.ok(call).await;
        assert_eq!(
            answer.header("content-type"),
            Some("application/octet-stream")
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let disposition = answer.header("content-disposition").unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
        assert!(answer.body == content());
    }
}

#[tokio::test]
async fn ranges_of_an_attachment_can_be_had() {
    let (mailbox, call) = mailbox().await;
    let range = |range: &str| call.clone().query("alt", "media").header("range", range);
    let part = |answer: &Answer, from: usize, to: usize| {
        assert_eq!(answer.status, 206, "{from}-{to}");
        let told = format!("bytes {from}-{}/100000", to - 1);
        assert_eq!(answer.header("content-range"), Some(told.as_str()));
        assert!(answer.body == content()[from..to]);
    };
    part(&mailbox.ok(range("bytes=0-9")).await, 0, 10);
    part(
        &mailbox.ok(range("bytes=50000-60000")).await,
        50_000,
        60_001,
    );
    part(&mailbox.ok(range("bytes=99990-")).await, 99_990, 100_000);
    part(&mailbox.ok(range("bytes=-7")).await, 99_993, 100_000);
    part(
        &mailbox.ok(range("bytes=99000-200000")).await,
        99_000,
        100_000,
    );
}

#[tokio::test]
async fn an_attachment_that_is_not_there_is_not_found() {
    let (mailbox, call) = mailbox().await;
    drop(call);
    let id = mailbox.id("data").await;
    for part in ["nonsense", "99", "1.2.3.4"] {
        let call = Call::get(TEMPLATE)
            .with("messageId", &id)
            .with("attachmentId", part);
        mailbox.refused(call, 404, "notFound").await;
    }
}
