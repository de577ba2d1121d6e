//! A sent message in the change feed.

use std::time::{Duration, Instant};

use polypost_tests::sending::Way;
use polypost_tests::{Call, StoreKind};
use serde_json::Value;

use crate::run;
use crate::setting::Mailbox;

const PATIENCE: Duration = Duration::from_secs(30);

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Every record from a token on, to its end, and the next token.
async fn walk(mailbox: &Mailbox, token: &str) -> (Vec<Value>, String) {
    let mut records = Vec::new();
    let updated = || Call::get("/v1/email/sync/updated");
    let mut page = mailbox.ok(updated().query("deltaToken", token)).await;
    loop {
        records.extend(page.records().to_vec());
        match page.json["nextPageToken"].as_str() {
            Some(next) => page = mailbox.ok(updated().query("pageToken", next)).await,
            None => return (records, text(&page.json["nextDeltaToken"])),
        }
    }
}

async fn is_told_of(way: Way) {
    let mailbox = Mailbox::new(way, StoreKind::Sqlite).await;
    let sync = Call::post("/v1/email/sync").query("awaitReady", true);
    let sync = mailbox.ok(sync).await;
    let (_, mut token) = walk(&mailbox, &text(&sync.json["syncUpdatedToken"])).await;

    let word = mailbox.word();
    let call = Call::post("/v1/email/messages").query("returnIds", true);
    let sent = mailbox.ok(call.json(mailbox.letter(&word))).await;
    let draft_word = mailbox.word();
    let draft = mailbox.draft(mailbox.letter(&draft_word)).await;
    let read = Call::get("/v1/email/drafts/{draftId}").with("draftId", &draft);
    let as_draft = text(&mailbox.ok(read).await.json["message"]["id"]);
    let send = Call::post("/v1/email/drafts/{draftId}/send").with("draftId", &draft);
    let sent_draft = mailbox.ok(send.query("returnIds", true)).await;
    assert_eq!(
        sent_draft.json["id"],
        as_draft.as_str(),
        "a draft keeps its id"
    );

    let mut wanted = vec![
        (
            text(&sent.json["id"]),
            text(&sent.json["submittedMessageId"]),
        ),
        (as_draft, text(&sent_draft.json["submittedMessageId"])),
    ];
    let start = Instant::now();
    while !wanted.is_empty() {
        let (records, next) = walk(&mailbox, &token).await;
        token = next;
        for record in records {
            let labels = record["sysLabels"].as_array().expect("labels").clone();
            if labels.iter().any(|label| label == "sent") {
                let found = wanted
                    .iter()
                    .position(|(id, _)| record["id"] == id.as_str());
                let found = found.unwrap_or_else(|| panic!("another id: {record}"));
                let (_, message_id) = wanted.remove(found);
                assert_eq!(record["internetMessageId"], message_id.as_str());
            }
        }
        assert!(start.elapsed() < PATIENCE, "not told of: {wanted:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let read = Call::get("/v1/email/messages/{messageId}");
    for answer in [&sent, &sent_draft] {
        let message = mailbox
            .ok(read.clone().with("messageId", text(&answer.json["id"])))
            .await;
        assert_eq!(message.json["threadId"], answer.json["threadId"]);
        let told = message.json["bcc"].as_array().expect("bcc");
        assert_eq!(
            told.len(),
            1,
            "the sender's copy tells of the blind copy: {}",
            message.told()
        );
    }
}

#[test]
fn a_sent_message_is_told_with_the_id_that_sending_gave_by_imap() {
    run(is_told_of(Way::Smtp));
}

#[test]
fn a_sent_message_is_told_with_the_id_that_sending_gave_by_gmail() {
    run(is_told_of(Way::Gmail));
}

#[test]
fn a_sent_message_is_told_with_the_id_that_sending_gave_by_graph() {
    run(is_told_of(Way::Graph));
}
