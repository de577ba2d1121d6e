use serde_json::{Value, json};

use crate::support::{Api, Connected};

fn note(text: &str) -> Value {
    json!({"to": [{"address": "bob@example.org"}], "subject": "Note", "body": text})
}

/// The path of a new draft.
async fn draft(account: &Connected<'_>, text: &str) -> String {
    let call = account.call("POST", "/v1/email/drafts?bodyType=text");
    let kept = call.json(&note(text)).send().await.ok();
    format!("/v1/email/drafts/{}", kept["id"].as_str().unwrap())
}

async fn text_of(account: &Connected<'_>, path: &str) -> String {
    let draft = account.get(format!("{path}?bodyType=text")).await;
    draft["message"]["body"].as_str().unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_draft_is_kept_changed_and_removed_under_one_id() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let path = draft(&account, "first").await;
    let kept = account.get(&format!("{path}?nativeProperties=a")).await;
    assert!(path.ends_with(kept["id"].as_str().unwrap()));
    assert_eq!(kept["message"]["subject"], "Note");
    assert_eq!(kept["message"]["nativeProperties"], json!({}));
    let labels = kept["message"]["sysLabels"].as_array().unwrap();
    assert!(labels.contains(&json!("draft")), "{labels:?}");
    assert!(kept.get("scheduled").is_none());
    let changed = account.call("PUT", format!("{path}?bodyType=text"));
    let changed = changed.json(&note("second")).send().await.ok();
    assert_eq!(changed["id"], kept["id"]);
    assert_eq!(text_of(&account, &path).await, "second");
    assert_eq!(
        account.get(&path).await["message"]["id"],
        kept["message"]["id"]
    );
    let removed = account.call("DELETE", &path).send().await.ok();
    assert_eq!(removed, json!({"status": "Ok"}));
    for method in ["GET", "DELETE"] {
        let gone = account.call(method, &path).send().await;
        assert_eq!(gone.failure(), (404, "notFound".to_owned()));
    }
}

#[tokio::test]
async fn a_draft_may_have_nobody_to_go_to_until_it_is_sent() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let kept = account.call("POST", "/v1/email/drafts").send().await.ok();
    let path = format!("/v1/email/drafts/{}/send", kept["id"].as_str().unwrap());
    let refused = account.call("POST", &path).send().await;
    assert_eq!(refused.failure().0, 422);
    assert!(account.mailbox.sent_mail().is_empty());
}

#[tokio::test]
async fn a_draft_is_sent_with_any_kind_of_empty_body() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    for number in 0..3 {
        let path = draft(&account, "x").await;
        let send = account.call("POST", format!("{path}/send?returnIds=true"));
        let send = match number {
            0 => send,
            1 => send.header("content-length", "0"),
            _ => send.json(&json!({"tracking": null})),
        };
        let sent = send.send().await.ok();
        assert_eq!(
            (&sent["status"], &sent["processingStatus"]),
            (&json!("Ok"), &json!("Ok"))
        );
        assert!(sent["id"].is_string(), "{sent}");
        assert_eq!(account.mailbox.sent_mail().len(), number + 1);
    }
}

#[tokio::test]
async fn a_draft_can_be_sent_later_and_that_be_cancelled() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let path = draft(&account, "x").await;
    let at = |time: &str| {
        account
            .call("POST", format!("{path}/send?sendTime={time}"))
            .send()
    };
    let tomorrow = api.gateway.now() + chrono::TimeDelta::days(1);
    let tomorrow = tomorrow.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert_eq!(at(&tomorrow).await.ok(), json!({"status": "Scheduled"}));
    let scheduled = account.get(&path).await["scheduled"].clone();
    assert_eq!(
        (&scheduled["status"], &scheduled["sendTime"]),
        (&json!("scheduled"), &json!(tomorrow))
    );
    assert!(scheduled["jobId"].is_i64());
    account.call("DELETE", &path).send().await.ok();
    assert!(account.mailbox.sent_mail().is_empty());
    let path = draft(&account, "x").await;
    let at = |time: &str| {
        account
            .call("POST", format!("{path}/send?sendTime={time}"))
            .send()
    };
    assert_eq!(at("tomorrow").await.failure().0, 400);
    assert_eq!(at("2999-01-01T00:00:00Z").await.failure().0, 422);
    let past = at("2020-01-01T00:00:00+01:00").await.ok();
    assert_eq!(past["status"], "Ok");
    assert_eq!(account.mailbox.sent_mail().len(), 1);
}

#[tokio::test]
async fn a_draft_with_a_key_is_sent_once_and_never_tracked() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let path = draft(&account, "x").await;
    let tracked = account.call("POST", format!("{path}/send"));
    let tracked = tracked
        .json(&json!({"tracking": {"links": true}}))
        .send()
        .await;
    assert_eq!(tracked.failure(), (501, "notSupported".to_owned()));
    let keyed = || {
        let call = account.call("POST", format!("{path}/send"));
        call.header("idempotency-key", "k").send()
    };
    let first = keyed().await.ok();
    assert_eq!(keyed().await.ok(), first);
    assert_eq!(account.mailbox.sent_mail().len(), 1);
}

#[tokio::test]
async fn a_draft_that_is_scheduled_with_a_key_is_scheduled_once() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let path = draft(&account, "x").await;
    let in_ = |hours| {
        let time = api.gateway.now() + chrono::TimeDelta::hours(hours);
        time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let keyed = |time: &str| {
        let call = account.call("POST", format!("{path}/send?sendTime={time}"));
        call.header("idempotency-key", "k").send()
    };
    let (soon, later) = (in_(1), in_(2));
    for answer in futures::future::join_all((0..50).map(|_| keyed(&soon))).await {
        match answer.status.as_u16() {
            200 => assert_eq!(answer.ok(), json!({"status": "Scheduled"})),
            // Another one is at it.
            _ => {
                assert_eq!(answer.failure(), (409, "conflict".to_owned()));
                assert_eq!(answer.header("retry-after"), "1");
            }
        }
    }
    assert_eq!(keyed(&soon).await.ok(), json!({"status": "Scheduled"}));
    let job = account.get(&path).await["scheduled"]["jobId"].clone();
    assert_eq!(keyed(&soon).await.ok(), json!({"status": "Scheduled"}));
    let kept = account.get(&path).await["scheduled"].clone();
    assert_eq!(
        (&kept["jobId"], &kept["sendTime"], &kept["status"]),
        (&job, &json!(soon), &json!("scheduled"))
    );
    let other = keyed(&later).await;
    assert_eq!(other.failure(), (422, "unprocessable".to_owned()));
    account.call("DELETE", &path).send().await.ok();
    let called_off = keyed(&soon).await;
    assert_eq!(called_off.failure(), (409, "conflict".to_owned()));
    assert!(account.mailbox.sent_mail().is_empty());
}

#[tokio::test]
async fn a_draft_that_is_sent_with_a_key_by_many_at_once_is_sent_once() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let path = draft(&account, "x").await;
    let keyed = || {
        let call = account.call("POST", format!("{path}/send?returnIds=true"));
        call.header("idempotency-key", "k").send()
    };
    let mut sent = Vec::new();
    for answer in futures::future::join_all((0..50).map(|_| keyed())).await {
        match answer.status.as_u16() {
            200 => sent.push(answer.ok()),
            _ => assert_eq!(answer.failure(), (409, "conflict".to_owned())),
        }
    }
    sent.push(keyed().await.ok());
    assert!(sent[0]["id"].is_string());
    assert!(sent.iter().all(|answer| *answer == sent[0]), "{sent:?}");
    assert_eq!(account.mailbox.sent_mail().len(), 1);
}
