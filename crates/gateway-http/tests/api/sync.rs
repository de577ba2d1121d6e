use serde_json::{Value, json};

use crate::{
    mail::{new_mail, plain},
    support::{Api, Connected},
};

async fn start(account: &Connected<'_>) -> Value {
    let started = account
        .call("POST", "/v1/email/sync?awaitReady=true")
        .send()
        .await
        .ok();
    assert_eq!(started["ready"], true);
    started
}

/// Walks a stream; its records and the next delta token.
async fn walk(account: &Connected<'_>, stream: &str, token: &str) -> (Vec<Value>, String) {
    let mut query = format!("deltaToken={token}&limit=2");
    let mut all = Vec::new();
    loop {
        let page = account
            .get(format!("/v1/email/sync/{stream}?{query}"))
            .await;
        let records = page["records"].as_array().unwrap();
        assert_eq!(page["length"], records.len());
        assert!(page["verifiedAt"].as_str().unwrap().ends_with('Z'));
        all.extend(records.iter().cloned());
        match (
            page["nextPageToken"].as_str(),
            page["nextDeltaToken"].as_str(),
        ) {
            (Some(page), None) => query = format!("pageToken={page}&limit=2"),
            (None, Some(delta)) => return (all, delta.to_owned()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_first_walk_gives_everything_and_the_next_only_changes() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    for number in 0..5 {
        account.deliver(new_mail(i64::from(number), plain(number)));
    }
    let started = start(&account).await;
    let token = started["syncUpdatedToken"].as_str().unwrap();
    let (records, delta) = walk(&account, "updated", token).await;
    assert_eq!(records.len(), 5);
    for record in &records {
        let omitted = record["omitted"].as_array().unwrap();
        assert!(omitted.contains(&json!("body")), "{record:#}");
        assert!(record["version"].is_i64());
        assert!(record.get("body").is_none());
    }
    let (records, delta) = walk(&account, "updated", &delta).await;
    assert_eq!(records.len(), 0);
    let id = account.newest().await;
    let path = format!("/v1/email/messages/{id}/status");
    account
        .call("POST", path)
        .json(&json!({"unread": false}))
        .send()
        .await
        .ok();
    let (records, _) = walk(&account, "updated", &delta).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["id"], id);
}

#[tokio::test]
async fn a_page_carries_bodies_where_it_is_asked_to() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, plain(1)));
    let started = start(&account).await;
    let token = started["syncUpdatedToken"].as_str().unwrap();
    let page = account
        .get(format!(
            "/v1/email/sync/updated?deltaToken={token}&bodyType=text"
        ))
        .await;
    assert_eq!(
        page["records"][0]["body"].as_str().unwrap().trim(),
        "Text of letter 1."
    );
    assert!(!page["records"][0]["omitted"].to_string().contains("body"));
}

#[tokio::test]
async fn a_message_that_is_gone_is_in_the_other_stream() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, plain(1)));
    let started = start(&account).await;
    let token = started["syncDeletedToken"].as_str().unwrap();
    let (records, delta) = walk(&account, "deleted", token).await;
    assert!(records.is_empty());
    let id = account.newest().await;
    let path = format!("/v1/email/messages/{id}?permanent=true");
    account.call("DELETE", path).send().await.ok();
    let (records, _) = walk(&account, "deleted", &delta).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["id"], id);
    assert_eq!(records[0]["internetMessageId"], "<m1@example.org>");
}

#[tokio::test]
async fn a_token_is_needed_and_has_to_be_of_this_stream() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let started = start(&account).await;
    let code = async |path: &str| account.call("GET", path).send().await.failure();
    let not_valid = (400, "token.notValid".to_owned());
    assert_eq!(
        code("/v1/email/sync/updated").await,
        (400, "badRequest".to_owned())
    );
    assert_eq!(
        code("/v1/email/sync/deleted?deltaToken=").await,
        (400, "badRequest".to_owned())
    );
    assert_eq!(
        code("/v1/email/sync/updated?deltaToken=abc").await,
        not_valid
    );
    let deleted = started["syncDeletedToken"].as_str().unwrap();
    assert_eq!(
        code(&format!("/v1/email/sync/updated?deltaToken={deleted}")).await,
        not_valid
    );
}

#[tokio::test]
async fn progress_is_shown_with_the_account() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    assert!(account.get("/v1/account").await.get("sync").is_none());
    account.deliver(new_mail(0, plain(1)));
    start(&account).await;
    let sync = account.get("/v1/account").await["sync"].clone();
    assert_eq!(
        (&sync["ready"], &sync["messages"]),
        (&json!(true), &json!(1)),
        "{sync:#}"
    );
}

#[tokio::test]
async fn a_sync_is_started_with_any_kind_of_empty_body() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let start = || account.call("POST", "/v1/email/sync?daysWithin=30&bodyType=html");
    start().header("content-length", "0").send().await.ok();
    start().json(&json!({})).send().await.ok();
    start().send().await.ok();
    let wrong = account
        .call("POST", "/v1/email/sync?daysWithin=-1")
        .send()
        .await;
    assert_eq!(wrong.failure(), (400, "badRequest".to_owned()));
}
