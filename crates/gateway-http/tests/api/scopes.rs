use serde_json::json;

use crate::support::{Api, Call, Connected};

async fn status(call: Call<'_>) -> u16 {
    call.send().await.status.as_u16()
}

async fn reads(account: &Connected<'_>) -> u16 {
    status(account.call("GET", "/v1/email/folders")).await
}

async fn writes(account: &Connected<'_>) -> u16 {
    let call = account.call("POST", "/v1/email/messages/0000000000000000/status");
    status(call.json(&json!({"unread": true}))).await
}

#[tokio::test]
async fn a_scope_allows_what_it_names_and_no_more() {
    let api = Api::new().await;
    let expected: [(&[&str], u16, u16); 6] = [
        (&[], 200, 404),
        (&["Mail.All"], 200, 404),
        (&["Mail.ReadWrite"], 200, 404),
        (&["Mail.Read"], 200, 403),
        (&["Mail.Send", "Mail.Drafts"], 403, 403),
        (&["Mail.Send", "Mail.Read"], 200, 403),
    ];
    for (number, (scopes, read, write)) in expected.into_iter().enumerate() {
        let account = api
            .connect(&format!("user{number}@example.org"), scopes)
            .await;
        assert_eq!(
            (reads(&account).await, writes(&account).await),
            (read, write),
            "{scopes:?}"
        );
        assert_eq!(status(account.call("GET", "/v1/account")).await, 200);
    }
}

const DRAFT: &str = "/v1/email/drafts/0000000000000000";
const REPLY: &str = "/v1/email/messages/0000000000000000/reply";

#[tokio::test]
async fn sending_and_drafts_have_scopes_of_their_own() {
    let api = Api::new().await;
    // What a send, an answer, a draft and the send of a draft come to.
    let expected: [(&[&str], [u16; 4]); 7] = [
        (&[], [422, 404, 404, 404]),
        (&["Mail.All"], [422, 404, 404, 404]),
        (&["Mail.Send", "Mail.Drafts"], [422, 404, 404, 404]),
        (&["Mail.Send"], [422, 404, 403, 403]),
        (&["Mail.Drafts"], [403, 403, 404, 403]),
        (&["Mail.ReadWrite"], [403, 403, 403, 403]),
        (&["Mail.Read"], [403, 403, 403, 403]),
    ];
    for (number, (scopes, allowed)) in expected.into_iter().enumerate() {
        let account = api
            .connect(&format!("user{number}@example.org"), scopes)
            .await;
        let post = |path: &str| status(account.call("POST", path).json(&json!({})));
        let found = [
            post("/v1/email/messages").await,
            post(REPLY).await,
            status(account.call("GET", DRAFT)).await,
            post(&format!("{DRAFT}/send")).await,
        ];
        assert_eq!(found, allowed, "{scopes:?}");
    }
}

#[tokio::test]
async fn writing_endpoints_refuse_a_reader() {
    let api = Api::new().await;
    let account = api.connect("reader@example.org", &["Mail.Read"]).await;
    for (method, path) in [
        ("DELETE", "/v1/email/messages/0000000000000000"),
        ("POST", "/v1/email/messages/0000000000000000/status"),
        ("POST", "/v1/email/folders"),
        ("POST", "/v1/email/messages"),
        ("POST", REPLY),
        ("POST", "/v1/email/drafts"),
        ("GET", DRAFT),
        ("PUT", DRAFT),
        ("DELETE", DRAFT),
        ("PATCH", "/v1/email/folders/wellKnown"),
    ] {
        let answer = account.call(method, path).send().await;
        assert_eq!(
            answer.failure(),
            (403, "forbidden".to_owned()),
            "{method} {path}"
        );
    }
}
