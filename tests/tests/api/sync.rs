//! The change feed, step by step.

use chrono::TimeDelta;
use polypost_tests::{Call, now};
use serde_json::{Value, json};

use crate::setting::{Mailbox, dovecot, mail, subjects, text, texts};

const UPDATED: &str = "/v1/email/sync/updated";
const DELETED: &str = "/v1/email/sync/deleted";

/// Where a client stands in both streams.
struct Feed {
    updated: String,
    deleted: String,
}

impl Feed {
    /// Begins and walks to the end.
    async fn begin(mailbox: &Mailbox) -> (Self, Vec<Value>) {
        Self::begin_with(mailbox, Call::post("/v1/email/sync")).await
    }

    async fn begin_with(mailbox: &Mailbox, call: Call) -> (Self, Vec<Value>) {
        let started = mailbox.ok(call.query("awaitReady", true)).await.json;
        assert_eq!(started["ready"], true);
        let mut feed = Self {
            updated: text(&started, "syncUpdatedToken"),
            deleted: text(&started, "syncDeletedToken"),
        };
        let (updated, deleted) = feed.next(mailbox).await;
        assert!(deleted.is_empty());
        (feed, updated)
    }

    /// What changed since.
    async fn next(&mut self, mailbox: &Mailbox) -> (Vec<Value>, Vec<Value>) {
        let updated = walk(mailbox, UPDATED, &mut self.updated).await;
        let deleted = walk(mailbox, DELETED, &mut self.deleted).await;
        (updated, deleted)
    }
}

async fn walk(mailbox: &Mailbox, template: &'static str, token: &mut String) -> Vec<Value> {
    let mut records = Vec::new();
    let mut call = Call::get(template).query("deltaToken", &token);
    loop {
        let page = mailbox.ok(call.query("limit", 2)).await;
        records.extend(page.records().to_vec());
        if let Some(next) = page.json["nextDeltaToken"].as_str() {
            *token = next.to_owned();
            return records;
        }
        let next = text(&page.json, "nextPageToken");
        call = Call::get(template).query("pageToken", next);
    }
}

#[tokio::test]
async fn a_first_walk_tells_everything_and_the_next_one_nothing() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("one")).await;
    mailbox.put("Trash", &mail("two"), &["\\Seen"]).await;
    mailbox.put("Junk", &mail("three"), &[]).await;
    let (mut feed, records) = Feed::begin(&mailbox).await;
    let mut told = subjects(&records);
    told.sort();
    assert_eq!(told, ["one", "three", "two"]);
    assert_eq!(feed.next(&mailbox).await, (vec![], vec![]));
    let call = Call::get(UPDATED).query("deltaToken", &feed.updated);
    let answer = mailbox.ok(call).await.json;
    assert_eq!(answer["length"], 0);
    assert_eq!(answer["records"], json!([]));
    assert!(answer.get("nextPageToken").is_none());
    assert!(answer["verifiedAt"].is_string());
}

#[tokio::test]
async fn a_move_is_one_update_under_the_same_id() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("mover")).await;
    let (mut feed, before) = Feed::begin(&mailbox).await;
    mailbox.imap.select("INBOX").await.unwrap();
    mailbox.imap.move_to("1", "Trash").await.unwrap();
    let (updated, deleted) = feed.next(&mailbox).await;
    assert_eq!((updated.len(), deleted.len()), (1, 0));
    assert_eq!(updated[0]["id"], before[0]["id"]);
    assert!(updated[0]["version"].as_i64() > before[0]["version"].as_i64());
    assert_eq!(mailbox.path(&updated[0]["folderId"]).await, "Trash");
    assert!(texts(&updated[0], "sysLabels").contains(&"trash".to_owned()));
}

#[tokio::test]
async fn a_copy_is_another_message() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("copied")).await;
    let (mut feed, before) = Feed::begin(&mailbox).await;
    mailbox.imap.select("INBOX").await.unwrap();
    mailbox.imap.copy("1", "Archive").await.unwrap();
    let (updated, deleted) = feed.next(&mailbox).await;
    assert_eq!((updated.len(), deleted.len()), (1, 0));
    assert_ne!(updated[0]["id"], before[0]["id"]);
    assert_eq!(
        updated[0]["internetMessageId"],
        before[0]["internetMessageId"]
    );
}

#[tokio::test]
async fn a_removal_is_told_with_what_it_was() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("removed")).await;
    let (mut feed, before) = Feed::begin(&mailbox).await;
    mailbox.imap.select("INBOX").await.unwrap();
    mailbox.imap.expunge("1").await.unwrap();
    let (updated, deleted) = feed.next(&mailbox).await;
    assert_eq!((updated.len(), deleted.len()), (0, 1));
    assert_eq!(deleted[0]["id"], before[0]["id"]);
    assert_eq!(deleted[0]["folderId"], before[0]["folderId"]);
    assert_eq!(deleted[0]["internetMessageId"], "<removed@example.org>");
    assert!(deleted[0]["timestamp"].is_string());
}

#[tokio::test]
async fn a_mark_counts_as_a_removal_and_its_clearing_brings_the_message_back() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("marked")).await;
    let (mut feed, before) = Feed::begin(&mailbox).await;
    mailbox.imap.select("INBOX").await.unwrap();
    let flag = &["\\Deleted"];
    mailbox.imap.store("1", "+FLAGS", flag).await.unwrap();
    let (updated, deleted) = feed.next(&mailbox).await;
    assert_eq!((updated.len(), deleted.len()), (0, 1));
    assert!(
        mailbox
            .list(Call::get("/v1/email/messages"))
            .await
            .is_empty()
    );
    mailbox.imap.store("1", "-FLAGS", flag).await.unwrap();
    let (back, gone) = feed.next(&mailbox).await;
    assert_eq!((back.len(), gone.len()), (1, 0));
    assert_eq!(back[0]["id"], before[0]["id"]);
    assert!(back[0]["version"].as_i64() > deleted[0]["version"].as_i64());
}

#[tokio::test]
async fn a_new_uidvalidity_changes_nothing() {
    let mut mailbox = Mailbox::new().await;
    for number in 0..5 {
        mailbox.receive(&mail(&format!("kept {number}"))).await;
    }
    let (mut feed, before) = Feed::begin(&mailbox).await;
    let server = dovecot().await;
    server
        .reset_uidvalidity(&mailbox.user, "INBOX")
        .await
        .unwrap();
    mailbox.receive(&mail("new")).await;
    let mut all = Vec::new();
    for _ in 0..20 {
        let (updated, deleted) = feed.next(&mailbox).await;
        assert_eq!(deleted, [] as [Value; 0]);
        all.extend(updated);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(subjects(&all), ["new"]);
    let (_, again) = Feed::begin(&mailbox).await;
    let kept = again
        .iter()
        .filter(|one| before.iter().any(|b| b["id"] == one["id"]));
    assert_eq!(kept.count(), 5);
}

#[tokio::test]
async fn a_message_that_a_list_met_first_is_announced_all_the_same() {
    let mut mailbox = Mailbox::new().await;
    let (mut feed, _) = Feed::begin(&mailbox).await;
    mailbox.receive(&mail("listed")).await;
    let id = mailbox.id("listed").await;
    let (updated, _) = feed.next(&mailbox).await;
    assert_eq!(updated.len(), 1);
    assert_eq!(updated[0]["id"], id.as_str());
}

#[tokio::test]
async fn our_own_changes_are_told_too() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("ours")).await;
    let (mut feed, before) = Feed::begin(&mailbox).await;
    let id = text(&before[0], "id");
    let call = Call::post("/v1/email/messages/{messageId}/status").with("messageId", &id);
    mailbox.ok(call.json(json!({ "unread": false }))).await;
    let (updated, deleted) = feed.next(&mailbox).await;
    assert_eq!((updated.len(), deleted.len()), (1, 0));
    assert_eq!(texts(&updated[0], "sysLabels"), ["inbox"]);
}

#[tokio::test]
async fn days_within_bounds_the_first_walk_only() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("young")).await;
    let date = (now() - TimeDelta::days(90)).fixed_offset();
    let raw = mail("old").replace('\n', "\r\n");
    let raw = raw.as_bytes();
    mailbox
        .imap
        .append("INBOX", raw, &[], Some(date))
        .await
        .unwrap();
    let call = Call::post("/v1/email/sync").query("daysWithin", 30);
    let (mut feed, first) = Feed::begin_with(&mailbox, call).await;
    assert_eq!(subjects(&first), ["young"]);
    mailbox.imap.select("INBOX").await.unwrap();
    mailbox
        .imap
        .store("2", "+FLAGS", &["\\Seen"])
        .await
        .unwrap();
    let (updated, _) = feed.next(&mailbox).await;
    assert_eq!(subjects(&updated), ["old"]);
    let (_, whole) = Feed::begin(&mailbox).await;
    assert_eq!(whole.len(), 2);
}

#[tokio::test]
async fn pages_carry_bodies_as_the_sync_or_the_page_says() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("bodied")).await;
    let (_, plain) = Feed::begin(&mailbox).await;
    assert!(plain[0].get("body").is_none());
    assert!(texts(&plain[0], "omitted").contains(&"body".to_owned()));
    let call = Call::post("/v1/email/sync").query("bodyType", "text");
    let (mut feed, with) = Feed::begin_with(&mailbox, call).await;
    assert!(text(&with[0], "body").contains("This is bodied."));
    // It is carried on with the token.
    mailbox.receive(&mail("later")).await;
    let (updated, _) = feed.next(&mailbox).await;
    assert!(text(&updated[0], "body").contains("This is later."));
    // And a page may say otherwise.
    let start = mailbox.ok(Call::post("/v1/email/sync")).await.json;
    let call = Call::get(UPDATED)
        .query("deltaToken", text(&start, "syncUpdatedToken"))
        .query("bodyType", "html");
    let page = mailbox.ok(call).await;
    assert!(page.records().iter().all(|one| one["body"].is_string()));
}

#[tokio::test]
async fn pages_can_be_fetched_again() {
    let mut mailbox = Mailbox::new().await;
    for number in 0..5 {
        mailbox.receive(&mail(&format!("page {number}"))).await;
    }
    let started = mailbox
        .ok(Call::post("/v1/email/sync").query("awaitReady", true))
        .await
        .json;
    let first = || {
        Call::get(UPDATED)
            .query("deltaToken", text(&started, "syncUpdatedToken"))
            .query("limit", 2)
    };
    let ids = |records: &[Value]| {
        records
            .iter()
            .map(|one| text(one, "id"))
            .collect::<Vec<_>>()
    };
    let (one, again) = (mailbox.ok(first()).await, mailbox.ok(first()).await);
    assert_eq!(ids(one.records()), ids(again.records()));
    for page in [one, again] {
        let call = Call::get(UPDATED)
            .query("pageToken", text(&page.json, "nextPageToken"))
            .query("limit", 500);
        assert_eq!(mailbox.ok(call).await.records().len(), 3);
    }
}
