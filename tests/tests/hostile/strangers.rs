//! Callers with tokens of others, and mail that is made to hurt.

use std::time::{Duration, Instant};

use polypost_tests::{Answer, Api, Call, GatewayProcess};
use serde_json::Value;
use test_servers::{Dovecot, DovecotOptions};

use crate::support::{alive, gateway};

/// A Dovecot whose users have one message each, and a gateway.
async fn with_mail(raw: &[u8]) -> (Dovecot, GatewayProcess) {
    let options = DovecotOptions {
        users: 0,
        ..DovecotOptions::default()
    };
    let dovecot = Dovecot::start(options).await.expect("a server");
    for user in ["alice@test.local", "bob@test.local"] {
        let mut client = dovecot.client(user).await.expect("a client");
        for _ in 0..2 {
            let stored = client.append("INBOX", raw, &[], None).await;
            stored.expect("stored");
        }
    }
    (dovecot, gateway().await)
}

async fn ok(api: &Api, call: Call) -> Answer {
    let answer = api.call(call).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.told());
    answer
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What a token, whole, altered or invented, may be answered with where it does not belong.
async fn refused(api: &Api, call: Call) {
    let answer = api.call(call).await.expect("an answer");
    assert!(
        matches!(answer.status, 400 | 404 | 410),
        "{}",
        answer.told()
    );
}

fn altered(token: &str) -> Vec<String> {
    let step = token.len().div_ceil(16);
    let flipped = (0..token.len()).step_by(step).map(|place| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("ASCII")
    });
    let mut all: Vec<String> = flipped.filter(|other| other != token).collect();
    all.extend([
        "A".to_owned(),
        "A".repeat(4_000),
        format!("{token}A"),
        token[..token.len() / 2].to_owned(),
        "../../etc/passwd".to_owned(),
        "\u{0}\r\n%00".to_owned(),
        "ÄÖ𝄞".to_owned(),
    ]);
    all
}

/// A04.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_ids_of_one_account_are_of_no_use_to_another_nor_altered() {
    let raw =
        b"Subject: hi\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\n\
        Content-Disposition: attachment; filename=a.bin\r\n\r\nbytes\r\n--b--\r\n";
    let (dovecot, gateway) = with_mail(raw).await;
    let port = dovecot.imap_port();
    let (_, alice) = gateway.account("alice@test.local", port).await.expect("in");
    let (_, bob) = gateway.account("bob@test.local", port).await.expect("in");

    let sync = Call::post("/v1/email/sync").query("awaitReady", true);
    let sync = ok(&alice, sync).await;
    for (name, path) in [
        ("syncUpdatedToken", "/v1/email/sync/updated"),
        ("syncDeletedToken", "/v1/email/sync/deleted"),
    ] {
        let token = text(&sync.json[name]);
        refused(&bob, Call::get(path).query("deltaToken", &token)).await;
        refused(&alice, Call::get(path).query("pageToken", &token)).await;
        for other in altered(&token) {
            refused(&alice, Call::get(path).query("deltaToken", other)).await;
        }
    }
    let updated = "/v1/email/sync/updated";
    let token = text(&sync.json["syncUpdatedToken"]);
    let first = Call::get(updated).query("deltaToken", token);
    let first = ok(&alice, first.query("limit", 1)).await;
    let page = text(&first.json["nextPageToken"]);
    refused(&bob, Call::get(updated).query("pageToken", &page)).await;
    for other in altered(&page) {
        refused(&alice, Call::get(updated).query("pageToken", other)).await;
    }

    let list = ok(&alice, Call::get("/v1/email/messages")).await;
    let message = text(&list.records()[0]["id"]);
    let one = "/v1/email/messages/{messageId}";
    let whole = ok(&alice, Call::get(one).with("messageId", &message)).await;
    refused(&bob, Call::get(one).with("messageId", &message)).await;
    let part = text(&whole.json["attachments"][0]["id"]);
    let attachment = Call::get("/v1/email/messages/{messageId}/attachments/{attachmentId}");
    let attachment = attachment.with("messageId", &message);
    let attachment = attachment.with("attachmentId", &part);
    ok(&alice, attachment.clone()).await;
    refused(&bob, attachment).await;
    for other in altered(&message).into_iter().filter(|id| !id.contains('/')) {
        refused(&alice, Call::get(one).with("messageId", &other)).await;
    }

    let folders = ok(&alice, Call::get("/v1/email/folders")).await;
    let folder = text(&folders.records()[0]["id"]);
    let of = "/v1/email/folders/{folderId}";
    ok(&alice, Call::get(of).with("folderId", &folder)).await;
    refused(&bob, Call::get(of).with("folderId", &folder)).await;
    alive(&gateway).await;
}

/// A08.
#[tokio::test(flavor = "multi_thread")]
async fn line_ends_and_escapes_of_strangers_stay_out_of_the_log() {
    let raw = b"Subject: =?utf-8?q?a=0D=0Aforged=1B[31mforged?=\r\n\r\nhi\r\n";
    let (dovecot, mut gateway) = with_mail(raw).await;
    let user = "alice@test.local";
    let (_, api) = gateway
        .account(user, dovecot.imap_port())
        .await
        .expect("in");
    ok(&api, Call::get("/v1/email/messages")).await;
    let query = Call::get("/v1/email/messages").query("q", "a\r\nforged \u{1b}[31mforged");
    let answer = api.call(query).await.expect("an answer");
    assert!(matches!(answer.status, 200 | 400), "{}", answer.told());
    alive(&gateway).await;
    gateway.stop().await.expect("it ends in order");
    let log = gateway.log();
    assert!(!log.contains("\u{1b}[31mforged"), "{log}");
    assert!(!log.lines().any(|line| line.starts_with("forged")), "{log}");
}

/// Reads the message in all ways, within a time.
async fn is_read(raw: &[u8]) {
    let (dovecot, gateway) = with_mail(raw).await;
    let user = "alice@test.local";
    let (_, api) = gateway
        .account(user, dovecot.imap_port())
        .await
        .expect("in");
    let start = Instant::now();
    let list = ok(&api, Call::get("/v1/email/messages")).await;
    let id = text(&list.records()[0]["id"]);
    for path in [
        "/v1/email/messages/{messageId}",
        "/v1/email/messages/{messageId}/raw",
    ] {
        ok(&api, Call::get(path).with("messageId", &id)).await;
    }
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(20), "{taken:?}");
    alive(&gateway).await;
}

/// P01.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_nested_ten_thousand_deep_is_read() {
    let mut raw = String::from("Subject: deep\r\n");
    for level in 0..10_000 {
        raw += &format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
    }
    is_read(raw.as_bytes()).await;
}

/// P02.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_half_a_million_fields_is_read() {
    let mut raw = String::from("Subject: many\r\n");
    raw += &"To: a@b.c\r\n".repeat(500_000);
    raw += "\r\nhi\r\n";
    is_read(raw.as_bytes()).await;
}
