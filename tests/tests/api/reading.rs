//! Reading messages.

use polypost_tests::Call;

use crate::setting::{Mailbox, mail, text, texts};

fn get(id: &str) -> Call {
    Call::get("/v1/email/messages/{messageId}").with("messageId", id)
}

const RICH: &str = "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\nTo: Alice <alice@example.org>, bob@example.org\nCc: \
                    carol@example.org\nReply-To: list@example.org\nSubject: =?utf-8?b?w4RuZGVydW5n?=\nMessage-ID: \
                    <rich@example.org>\nIn-Reply-To: <parent@example.org>\nReferences: <root@example.org> \
                    <parent@example.org>\nDate: Mon, 02 Nov 2026 10:00:00 +0100\nMIME-Version: 1.0\nContent-Type: \
                    multipart/related; boundary=r\n\n--r\nContent-Type: multipart/alternative; boundary=a\n\n--a\n\
                    Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nplain \u{e4}\n--a\n\
                    Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n<p>rich \u{e4} <img \
                    src=\"cid:pic@x\"></p>\n--a--\n--r\nContent-Type: image/png; name=p.png\nContent-ID: \
                    <pic@x>\nContent-Disposition: inline; filename=p.png\nContent-Transfer-Encoding: \
                    base64\n\niVBORw0KGgo=\n--r--\n";

#[tokio::test]
async fn a_message_is_read_whole() {
    let mut mailbox = Mailbox::new().await;
    mailbox.put("INBOX", RICH, &["\\Flagged", "blue"]).await;
    let id = mailbox.id("Änderung").await;
    let message = mailbox.ok(get(&id)).await.json;
    assert_eq!(text(&message, "id"), id);
    assert_eq!(message["from"]["name"], "Jörg");
    assert_eq!(message["from"]["address"], "joerg@example.org");
    assert_eq!(message["to"][1]["address"], "bob@example.org");
    assert_eq!(message["cc"][0]["address"], "carol@example.org");
    assert_eq!(message["bcc"], serde_json::json!([]));
    assert_eq!(message["replyTo"][0]["address"], "list@example.org");
    assert_eq!(message["internetMessageId"], "<rich@example.org>");
    assert_eq!(message["inReplyTo"], "<parent@example.org>");
    assert_eq!(
        message["references"],
        "<root@example.org> <parent@example.org>"
    );
    assert_eq!(message["sentAt"], "2026-11-02T09:00:00Z");
    let mut labels = texts(&message, "sysLabels");
    labels.sort();
    assert_eq!(labels, ["flagged", "inbox", "unread"]);
    assert_eq!(texts(&message, "keywords"), ["blue"]);
    assert!(message["body"].as_str().unwrap().contains("<p>rich ä"));
    assert!(text(&message, "bodySnippet").contains('ä'));
    assert_eq!(mailbox.path(&message["folderId"]).await, "INBOX");
    assert!(message["threadId"].is_string());
    assert_eq!(message["attachments"][0]["inline"], true);
    assert!(message["attachments"][0].get("content").is_none());
}

#[tokio::test]
async fn the_body_comes_in_the_type_asked_for() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(RICH).await;
    mailbox.receive(&mail("plain only")).await;
    let id = mailbox.id("Änderung").await;
    let html = mailbox.ok(get(&id).query("bodyType", "html")).await.json;
    assert_eq!(html["body"], mailbox.ok(get(&id)).await.json["body"]);
    let plain = mailbox.ok(get(&id).query("bodyType", "text")).await.json;
    assert_eq!(plain["body"].as_str().unwrap().trim(), "plain ä");
    let id = mailbox.id("plain only").await;
    let html = mailbox.ok(get(&id)).await.json;
    assert!(
        html["body"]
            .as_str()
            .unwrap()
            .contains("This is plain only.")
    );
    mailbox
        .refused(get(&id).query("bodyType", "pdf"), 400, "badRequest")
        .await;
}

#[tokio::test]
async fn inline_parts_come_along_when_asked_for() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(RICH).await;
    let id = mailbox.id("Änderung").await;
    let message = mailbox.ok(get(&id).query("loadInlines", true)).await.json;
    assert_eq!(message["attachments"][0]["content"], "iVBORw0KGgo=");
    assert_eq!(message["attachments"][0]["contentId"], "pic@x");
}

#[tokio::test]
async fn quoted_history_is_left_out_when_asked_for() {
    let mut mailbox = Mailbox::new().await;
    let reply = mail("answer").replace(
        "This is answer.",
        "New words.\n\nOn Mon, 2 Nov 2026 at 10:00, Bob <bob@example.org> wrote:\n> Old words.\n> More of them.",
    );
    mailbox.receive(&reply).await;
    let id = mailbox.id("answer").await;
    let whole = mailbox.ok(get(&id).query("bodyType", "text")).await.json;
    assert!(text(&whole, "body").contains("Old words."));
    let call = get(&id)
        .query("bodyType", "text")
        .query("stripQuoted", true);
    let stripped = text(&mailbox.ok(call).await.json, "body");
    assert!(stripped.contains("New words."), "{stripped}");
    assert!(!stripped.contains("Old words."), "{stripped}");
}

#[tokio::test]
async fn the_raw_message_is_what_the_server_has() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(RICH).await;
    let big = mail("big").replace("This is big.", &"x".repeat(70).repeat(20_000));
    mailbox.receive(&big).await;
    let dump = mailbox.imap.dump("INBOX").await.unwrap();
    for (subject, stored) in ["Änderung", "big"].into_iter().zip(dump.mails.values()) {
        let id = mailbox.id(subject).await;
        let call = Call::get("/v1/email/messages/{messageId}/raw").with("messageId", id);
        let raw = mailbox.ok(call).await;
        assert!(
            raw.header("content-type")
                .unwrap()
                .starts_with("text/plain")
        );
        assert!(raw.body == stored.raw, "{subject} differs");
    }
}

#[tokio::test]
async fn reading_does_not_mark_as_read() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("unread")).await;
    let id = mailbox.id("unread").await;
    mailbox.ok(get(&id)).await;
    let raw = Call::get("/v1/email/messages/{messageId}/raw").with("messageId", &id);
    mailbox.ok(raw).await;
    assert!(mailbox.flags("INBOX", "unread").await.is_empty());
}

#[tokio::test]
async fn what_is_no_message_is_not_found() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("here")).await;
    let id = mailbox.id("here").await;
    let malformed = ["nonsense", "0", "%00", "..", "0123456789abcdef0"];
    for id in malformed.into_iter().chain(["0123456789abcdef"]) {
        mailbox.refused(get(id), 404, "notFound").await;
        let raw = Call::get("/v1/email/messages/{messageId}/raw").with("messageId", id);
        mailbox.refused(raw, 404, "notFound").await;
    }
    // One account's message is none of another's.
    let other = Mailbox::new().await;
    other.refused(get(&id), 404, "notFound").await;
}

#[tokio::test]
async fn an_id_may_come_percent_encoded() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("encoded")).await;
    let id = mailbox.id("encoded").await;
    let encoded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(text(&mailbox.ok(get(&encoded)).await.json, "id"), id);
}

#[tokio::test]
async fn a_message_that_left_the_mailbox_is_not_found() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("leaving")).await;
    let call = Call::post("/v1/email/sync").query("awaitReady", true);
    let token = text(&mailbox.ok(call).await.json, "syncDeletedToken");
    let id = mailbox.id("leaving").await;
    mailbox.imap.select("INBOX").await.unwrap();
    mailbox.imap.expunge("1").await.unwrap();
    let delta = Call::get("/v1/email/sync/deleted").query("deltaToken", token);
    assert_eq!(mailbox.list(delta).await.len(), 1);
    let raw = Call::get("/v1/email/messages/{messageId}/raw").with("messageId", &id);
    mailbox.refused(raw, 404, "notFound").await;
    mailbox.refused(get(&id), 404, "notFound").await;
}

#[tokio::test]
async fn a_message_is_found_by_its_id_after_another_program_moved_it() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("wandering")).await;
    mailbox
        .ok(Call::post("/v1/email/sync").query("awaitReady", true))
        .await;
    let id = mailbox.id("wandering").await;
    mailbox.imap.select("INBOX").await.unwrap();
    mailbox.imap.move_to("1", "Archive").await.unwrap();
    let message = mailbox.ok(get(&id)).await.json;
    assert_eq!(mailbox.path(&message["folderId"]).await, "Archive");
    assert_eq!(mailbox.id("wandering").await, id);
}
