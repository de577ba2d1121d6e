use email_model::FolderRole;
use serde_json::json;

use crate::{
    mail::{new_mail, plain, with_attachments},
    support::Api,
};

#[tokio::test]
async fn messages_are_listed_newest_first_in_pages() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    for number in 0..5 {
        account.deliver(new_mail(i64::from(number), plain(number)));
    }
    let mut path = "/v1/email/messages?limit=2".to_owned();
    let mut subjects = Vec::new();
    loop {
        let page = account.get(&path).await;
        let records = page["records"].as_array().unwrap();
        assert_eq!(page["length"], records.len());
        assert!(page.get("nextDeltaToken").is_none());
        subjects.extend(
            records
                .iter()
                .map(|r| r["subject"].as_str().unwrap().to_owned()),
        );
        let Some(token) = page["nextPageToken"].as_str() else {
            break;
        };
        assert!(!records.is_empty());
        path = format!("/v1/email/messages?limit=2&pageToken={token}");
    }
    assert_eq!(
        subjects,
        ["Letter 4", "Letter 3", "Letter 2", "Letter 1", "Letter 0"]
    );
}

#[tokio::test]
async fn an_empty_mailbox_is_an_empty_page() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    assert_eq!(
        account.get("/v1/email/messages").await,
        json!({"length": 0, "records": []})
    );
}

#[tokio::test]
async fn a_search_is_taken_as_written_and_refused_by_its_term() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    for number in 0..3 {
        account.deliver(new_mail(i64::from(number), plain(number)));
    }
    let found = account
        .get("/v1/email/messages?q=from:ann@example.org%20subject:%22Letter%201%22")
        .await;
    assert_eq!(found["length"], 1);
    assert_eq!(account.get("/v1/email/messages?q=").await["length"], 3);
    let refused = account
        .call("GET", "/v1/email/messages?q=after:yesteryear")
        .send()
        .await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let token = account
        .call("GET", "/v1/email/messages?pageToken=abc")
        .send()
        .await;
    assert_eq!(token.failure(), (400, "token.notValid".to_owned()));
}

#[tokio::test]
async fn a_message_is_read_in_the_type_asked_for() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, plain(1)));
    let id = account.newest().await;
    let html = account.get(format!("/v1/email/messages/{id}")).await;
    assert!(html["body"].as_str().unwrap().contains("<"), "{html:#}");
    assert_eq!(html["sysLabels"], json!(["inbox", "unread"]));
    assert_eq!(html["internetMessageId"], "<m1@example.org>");
    assert_eq!(html["receivedAt"], "2023-11-14T22:13:20Z");
    assert_eq!(html["from"]["raw"], "Ann Example <ann@example.org>");
    let text = account
        .get(format!(
            "/v1/email/messages/{id}?bodyType=text&nativeProperties=a,b"
        ))
        .await;
    assert_eq!(text["body"].as_str().unwrap().trim(), "Text of letter 1.");
    assert_eq!(text["nativeProperties"], json!({}));
    let wrong = account
        .call("GET", format!("/v1/email/messages/{id}?bodyType=pdf"))
        .send()
        .await;
    assert_eq!(wrong.failure(), (400, "badRequest".to_owned()));
}

#[tokio::test]
async fn an_id_may_be_percent_encoded_and_a_malformed_one_names_nothing() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, plain(1)));
    let id = account.newest().await;
    let encoded: String = id.bytes().map(|b| format!("%{b:02X}")).collect();
    assert_eq!(
        account.get(format!("/v1/email/messages/{encoded}")).await["id"],
        id
    );
    for wrong in [
        "x",
        "0000000000000000",
        "..%2F..%2Fetc",
        "%FF%FE",
        &format!("{id}0"),
        &"a".repeat(5000),
    ] {
        let answer = account
            .call("GET", format!("/v1/email/messages/{wrong}"))
            .send()
            .await;
        assert_eq!(answer.failure(), (404, "notFound".to_owned()), "{wrong}");
    }
}

#[tokio::test]
async fn a_message_is_served_raw_octet_for_octet() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, with_attachments()));
    let id = account.newest().await;
    let raw = account
        .call("GET", format!("/v1/email/messages/{id}/raw"))
        .send()
        .await;
    assert_eq!(raw.body, with_attachments());
    assert_eq!(raw.header("content-type"), "text/plain");
    assert_eq!(raw.header("x-content-type-options"), "nosniff");
    let absent = account
        .call("GET", "/v1/email/messages/0123456789abcdef/raw")
        .send()
        .await;
    assert_eq!(absent.failure(), (404, "notFound".to_owned()));
}

#[tokio::test]
async fn a_status_changes_what_it_names_only() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, plain(1)));
    let id = account.newest().await;
    let path = format!("/v1/email/messages/{id}");
    let change = |body| {
        account
            .call("POST", format!("{path}/status"))
            .json(&body)
            .send()
    };
    let answer = change(
        json!({"unread": false, "flagged": true, "keywords": ["blue", null], "threadId": "x"}),
    )
    .await;
    assert_eq!(answer.ok(), json!({"status": "Ok"}));
    let message = account.get(&path).await;
    assert_eq!(message["sysLabels"], json!(["inbox", "flagged"]));
    assert_eq!(message["keywords"], json!(["blue"]));
    change(json!({"unread": true})).await.ok();
    let message = account.get(&path).await;
    assert_eq!(message["sysLabels"], json!(["inbox", "unread", "flagged"]));
    let empty = account
        .call("POST", format!("{path}/status"))
        .header("content-length", "0");
    empty.send().await.ok();
    change(json!({"archived": true})).await.ok();
    assert_eq!(
        account.get(&path).await["sysLabels"],
        json!(["unread", "flagged"])
    );
}

#[tokio::test]
async fn a_message_is_deleted_to_the_trash_first() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, plain(1)));
    let id = account.newest().await;
    let path = format!("/v1/email/messages/{id}");
    assert_eq!(
        account.call("DELETE", &path).send().await.ok(),
        json!({"status": "Ok"})
    );
    assert_eq!(
        account.get(&path).await["sysLabels"],
        json!(["trash", "unread"])
    );
    assert_eq!(account.get("/v1/email/messages").await["length"], 0);
    let everything = account
        .get("/v1/email/messages?includeTrashAndJunk=true")
        .await;
    assert_eq!(everything["length"], 1);
    account
        .call("DELETE", format!("{path}?permanent=true"))
        .send()
        .await
        .ok();
    assert_eq!(account.call("GET", &path).send().await.failure().0, 404);
    assert!(
        account
            .mailbox
            .contents(&account.mailbox.folder(FolderRole::Trash).unwrap())
            .is_empty()
    );
}

#[tokio::test]
async fn a_conversation_is_its_messages_oldest_first() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, plain(1)));
    let answer = plain(2).replace(
        "\r\nDate",
        "\r\nIn-Reply-To: <m1@example.org>\r\nReferences: <m1@example.org>\r\nDate",
    );
    account.deliver(new_mail(1, answer));
    account
        .call("POST", "/v1/email/sync?awaitReady=true")
        .send()
        .await
        .ok();
    let id = account.newest().await;
    let message = account
        .get(format!("/v1/email/messages/{id}?requireThreadId=true"))
        .await;
    let thread = message["threadId"].as_str().unwrap();
    let page = account
        .get(format!("/v1/email/conversations/{thread}?bodyType=text"))
        .await;
    let subjects: Vec<_> = page["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["subject"].clone())
        .collect();
    assert_eq!(subjects, ["Letter 1", "Letter 2"]);
    assert_eq!(page["records"][1]["references"], "<m1@example.org>");
    let unknown = account
        .call("GET", "/v1/email/conversations/0123456789abcdef")
        .send()
        .await;
    assert_eq!(unknown.failure().0, 404);
}
