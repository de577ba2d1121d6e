//! The change feed.

use crate::support::{Api, NOON_MS, mail, text};
use reqwest::Method;
use serde_json::{Value, json};

async fn walk(api: &Api, start: u64, more: &str) -> Vec<Value> {
    api.all(&format!("history?startHistoryId={start}{more}"), "history")
        .await
}

#[tokio::test]
async fn every_change_has_a_record_with_the_labels_at_the_time() {
    let api = Api::start().await;
    let start = api.alice.history_id();
    let id = api.append("one", &["INBOX", "UNREAD"]);
    api.alice.modify(&id, &["STARRED"], &["UNREAD"]);
    api.alice.trash(&id);
    api.alice.delete(&id);
    let records = walk(&api, start, "").await;
    assert_eq!(records.len(), 4);
    let message = |labels: Value| json!({"id": id, "threadId": id, "labelIds": labels});
    assert_eq!(
        records[0]["messagesAdded"],
        json!([{"message": message(json!(["INBOX", "UNREAD"]))}])
    );
    assert_eq!(
        records[1]["labelsAdded"],
        json!([{"message": message(json!(["INBOX", "STARRED"])), "labelIds": ["STARRED"]}])
    );
    assert_eq!(
        records[1]["labelsRemoved"][0]["labelIds"],
        json!(["UNREAD"])
    );
    assert_eq!(records[2]["labelsAdded"][0]["labelIds"], json!(["TRASH"]));
    assert_eq!(records[2]["labelsRemoved"][0]["labelIds"], json!(["INBOX"]));
    assert_eq!(records[3]["messagesDeleted"][0]["message"]["id"], json!(id));
    let numbers: Vec<u64> = records
        .iter()
        .map(|record| text(&record["id"]).parse().unwrap())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    assert_eq!(numbers[3], api.alice.history_id());
    let last = api
        .get(&format!("history?startHistoryId={}", numbers[3]))
        .await;
    assert_eq!(last, json!({"historyId": numbers[3].to_string()}));
    api.assert_no_violations();
}

#[tokio::test]
async fn pages_keep_their_start_and_tell_the_current_id() {
    let api = Api::start().await;
    let start = api.alice.history_id();
    for number in 0..5 {
        api.append(&format!("n{number}"), &["INBOX"]);
    }
    let path = format!("history?startHistoryId={start}&maxResults=2");
    let first = api.get(&path).await;
    assert_eq!(first["history"].as_array().unwrap().len(), 2);
    assert_eq!(first["historyId"], api.alice.history_id().to_string());
    assert_eq!(walk(&api, start, "&maxResults=2").await.len(), 5);
    api.assert_no_violations();
    let token = text(&first["nextPageToken"]);
    let other = start + 1;
    let mixed = api
        .status(&format!("history?startHistoryId={other}&pageToken={token}"))
        .await;
    assert_eq!(mixed, 400);
}

#[tokio::test]
async fn types_and_label_filter_the_entries() {
    let api = Api::start().await;
    let start = api.alice.history_id();
    let id = api.append("one", &["INBOX", "UNREAD"]);
    api.alice.modify(&id, &[], &["UNREAD"]);
    api.alice.modify(&id, &[], &["INBOX"]);
    assert_eq!(
        walk(&api, start, "&historyTypes=messageAdded").await.len(),
        1
    );
    assert_eq!(
        walk(
            &api,
            start,
            "&historyTypes=messageAdded&historyTypes=labelRemoved"
        )
        .await
        .len(),
        3
    );
    // The message that leaves the label has it no longer.
    assert_eq!(walk(&api, start, "&labelId=INBOX").await.len(), 2);
}

#[tokio::test]
async fn what_is_too_old_or_was_never_is_not_found() {
    let api = Api::start().await;
    let start = api.alice.history_id();
    api.append("one", &["INBOX"]);
    let of = |id: u64| format!("history?startHistoryId={id}");
    assert_eq!(api.status(&of(0)).await, 404);
    assert_eq!(api.status(&of(u64::MAX)).await, 404);
    assert_eq!(api.status(&of(start)).await, 200);
    let newest = api.alice.history_id();
    api.alice.expire_history();
    assert_eq!(api.status(&of(newest)).await, 404);
    assert_eq!(api.status(&of(api.alice.history_id())).await, 200);
    api.assert_no_violations();
    assert_eq!(api.status("history").await, 400);
}

#[tokio::test]
async fn a_change_that_changes_nothing_leaves_no_record() {
    let api = Api::start().await;
    let id = api.append("one", &["INBOX"]);
    let start = api.alice.history_id();
    api.post(
        &format!("messages/{id}/modify"),
        json!({"addLabelIds": ["INBOX"], "removeLabelIds": ["UNREAD"]}),
    )
    .await;
    assert_eq!(walk(&api, start, "").await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_draft_update_is_a_deletion_and_an_addition() {
    let api = Api::start().await;
    let draft = api.alice.create_draft(&mail("draft"));
    let old = api.alice.messages()[0].clone();
    let start = api.alice.history_id();
    let new = api.alice.edit_draft(&draft, &mail("draft two")).unwrap();
    let records = walk(&api, start, "").await;
    assert_eq!(records[0]["messagesDeleted"][0]["message"]["id"], old.id);
    assert_eq!(records[1]["messagesAdded"][0]["message"]["id"], new);
    let now = api.alice.message(&new).unwrap();
    assert_eq!(now.draft_id, Some(draft));
    assert_eq!(now.thread_id, old.thread_id);
    assert_eq!(now.labels, ["DRAFT"]);
}

#[tokio::test]
async fn a_batch_of_changes_shares_records() {
    let api = Api::start().await;
    let ids: Vec<String> = (0..12)
        .map(|number| api.append(&format!("n{number}"), &["INBOX"]))
        .collect();
    let start = api.alice.history_id();
    let reply = api
        .call(
            Method::POST,
            "messages/batchModify",
            json!({"ids": ids, "addLabelIds": ["STARRED"]}),
        )
        .await;
    assert_eq!(reply.status, 204);
    let records = walk(&api, start, "").await;
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["labelsAdded"].as_array().unwrap().len(), 10);
    api.assert_no_violations();
}

#[tokio::test]
async fn history_ids_may_be_beyond_what_a_double_holds() {
    let api = Api::start().await;
    api.alice.raise_history_id((1 << 53) + 1);
    let start = api.alice.history_id();
    api.alice.append(&mail("one"), &["INBOX"], NOON_MS);
    assert_eq!(walk(&api, start, "").await.len(), 1);
}
