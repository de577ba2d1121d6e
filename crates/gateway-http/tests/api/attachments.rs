use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    mail::{attachment_octets, new_mail, with_attachments},
    support::{Api, Call, Connected},
};

/// Path of the attachment that is not inline.
async fn attachment(account: &Connected<'_>) -> String {
    account.deliver(new_mail(0, with_attachments()));
    let id = account.newest().await;
    let message = account.get(format!("/v1/email/messages/{id}")).await;
    let all = message["attachments"].as_array().unwrap();
    let part = all.iter().find(|a| a["inline"] == false).unwrap();
    format!(
        "/v1/email/messages/{id}/attachments/{}",
        part["id"].as_str().unwrap()
    )
}

fn octets(call: Call<'_>) -> Call<'_> {
    call.header("accept", "application/octet-stream")
}

#[tokio::test]
async fn an_attachment_comes_in_base64_unless_octets_are_asked_for() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let path = attachment(&account).await;
    let expected = json!({"content": STANDARD.encode(attachment_octets())});
    for accept in [
        "*/*",
        "application/json",
        "application/json, application/octet-stream",
        "text/html",
    ] {
        let answer = account
            .call("GET", &path)
            .header("accept", accept)
            .send()
            .await;
        assert_eq!(answer.ok(), expected, "{accept}");
    }
    assert_eq!(account.get(&path).await, expected);
    let by_type = octets(account.call("GET", &path)).send().await;
    let by_query = account
        .call("GET", format!("{path}?alt=media"))
        .send()
        .await;
    assert!(by_type.body == attachment_octets() && by_query.body == attachment_octets());
}

#[tokio::test]
async fn octets_are_never_given_out_as_something_that_browsers_run() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let path = attachment(&account).await;
    let answer = octets(account.call("GET", &path)).send().await;
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"r_sum_ _1_.html\"; filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.html"
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").contains("sandbox"));
}

#[tokio::test]
async fn a_range_is_exactly_those_octets() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let path = attachment(&account).await;
    let whole = attachment_octets();
    for (range, from, to) in [
        ("0-0", 0, 1),
        ("10-19", 10, 20),
        ("4990-", 4990, 5000),
        ("-5", 4995, 5000),
        ("4999-9999", 4999, 5000),
    ] {
        let answer = octets(account.call("GET", &path))
            .header("range", format!("bytes={range}"))
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
        assert!(answer.body == whole[from..to], "{range}");
        assert_eq!(
            answer.header("content-range"),
            format!("bytes {from}-{}/5000", to - 1)
        );
        assert_eq!(answer.header("content-length"), (to - from).to_string());
    }
}

#[tokio::test]
async fn a_range_beyond_the_end_is_refused_with_the_size() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let path = attachment(&account).await;
    let answer = octets(account.call("GET", &path))
        .header("range", "bytes=5000-")
        .send()
        .await;
    assert_eq!(answer.failure(), (416, "rangeNotSatisfiable".to_owned()));
    assert_eq!(answer.header("content-range"), "bytes */5000");
}

#[tokio::test]
async fn a_range_of_something_else_or_without_sense_is_the_whole() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let path = attachment(&account).await;
    let tag = octets(account.call("GET", &path))
        .send()
        .await
        .header("etag")
        .to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'));
    let ranged = |tag: &str| {
        let call = octets(account.call("GET", &path)).header("range", "bytes=0-1");
        call.header("if-range", tag).send()
    };
    assert_eq!(ranged(&tag).await.body.len(), 2);
    assert_eq!(ranged("\"other\"").await.body.len(), 5000);
    for range in ["bytes=0-1,4-5", "bytes=9-1", "pages=1-2", "bytes=x"] {
        let answer = octets(account.call("GET", &path))
            .header("range", range)
            .send()
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.len()),
            (200, 5000),
            "{range}"
        );
    }
    let whole = octets(account.call("GET", &path)).send().await;
    assert_eq!(whole.header("content-length"), "5000");
}

#[tokio::test]
async fn an_attachment_that_is_not_there_is_not_found() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let path = attachment(&account).await;
    let message = path.rsplit_once('/').unwrap().0;
    for part in ["9", "0", "1.1.1.1", "x", "..%2f1", "%00"] {
        let answer = account
            .call("GET", format!("{message}/{part}"))
            .send()
            .await;
        assert_eq!(answer.failure(), (404, "notFound".to_owned()), "{part}");
    }
}

#[tokio::test]
async fn inline_pictures_come_with_the_message_if_asked_for() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, with_attachments()));
    let id = account.newest().await;
    let message = account
        .get(format!("/v1/email/messages/{id}?loadInlines=true"))
        .await;
    let all = message["attachments"].as_array().unwrap();
    let content = |inline: bool| {
        all.iter()
            .find(|a| a["inline"] == inline)
            .unwrap()
            .get("content")
    };
    assert_eq!(content(true).unwrap(), "iVBORw0KGgo=");
    assert_eq!(content(false), None);
    assert_eq!(message["hasAttachments"], true);
}
