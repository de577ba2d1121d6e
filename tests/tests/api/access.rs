//! Who may call, and how calls may look.

use std::io::{Read, Write};

use polypost_tests::{
    Auth, CLIENT_ID, CLIENT_SECRET, Call, GatewayOptions, GatewayProcess, StoreKind,
};
use serde_json::json;
use test_servers::PASSWORD;

use crate::setting::{Mailbox, gateway, mail, program};

fn application(id: &str, secret: &str, account: Option<i64>) -> Auth {
    Auth::Basic {
        id: id.to_owned(),
        secret: secret.to_owned(),
        account,
    }
}

#[tokio::test]
async fn a_call_without_credentials_is_refused() {
    let api = gateway().await.application().signed_in(Auth::None);
    for call in [
        Call::get("/v1/email/messages"),
        Call::post("/v1/email/sync"),
        Call::get("/v1/account"),
    ] {
        let answer = api.call(call).await.unwrap();
        assert_eq!((answer.status, answer.code()), (401, "unauthorized"));
    }
}

#[tokio::test]
async fn endpoints_of_applications_ask_for_basic_credentials() {
    let api = gateway().await.application();
    for auth in [
        Auth::None,
        Auth::Bearer("no such token".to_owned()),
        application(CLIENT_ID, "not the secret", None),
        application("nobody", CLIENT_SECRET, None),
    ] {
        let call = Call::get("/v1/am/accounts");
        let answer = api.signed_in(auth).call(call).await.unwrap();
        assert_eq!((answer.status, answer.code()), (401, "unauthorized"));
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic "), "{challenge}");
    }
}

#[tokio::test]
async fn an_application_reaches_its_account_by_number() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("by number")).await;
    let basic = mailbox.basic();
    let answer = basic.call(Call::get("/v1/email/messages")).await.unwrap();
    assert_eq!(answer.records()[0]["subject"], "by number");
    // Beside a token the number means nothing.
    let call = Call::get("/v1/email/messages").header("x-aurinko-account-id", 1);
    assert_eq!(mailbox.ok(call).await.records().len(), 1);
}

#[tokio::test]
async fn an_account_that_the_application_does_not_have_is_not_found() {
    let api = gateway().await.application();
    let other = api.signed_in(application(CLIENT_ID, CLIENT_SECRET, Some(i64::MAX)));
    let answer = other.call(Call::get("/v1/email/folders")).await.unwrap();
    assert_eq!((answer.status, answer.code()), (404, "notFound"));
    // Nor is there one without a number.
    let answer = api.call(Call::get("/v1/email/folders")).await.unwrap();
    assert!((400..500).contains(&answer.status), "{}", answer.told());
}

#[tokio::test]
async fn an_offer_of_http_2_is_tolerated() {
    let mailbox = Mailbox::new().await;
    let address = mailbox.api.base().trim_start_matches("http://").to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        let request = format!(
            "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: \
             h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    })
    .await
    .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn an_empty_post_may_come_with_or_without_a_body() {
    let mailbox = Mailbox::new().await;
    mailbox.ok(Call::post("/v1/email/sync")).await;
    mailbox
        .ok(Call::post("/v1/email/sync").json(json!({})))
        .await;
}

#[tokio::test]
async fn unknown_fields_and_parameters_are_ignored() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("known")).await;
    let call = Call::get("/v1/email/messages").query("surprise", "yes");
    assert_eq!(mailbox.list(call).await.len(), 1);
    let id = mailbox.id("known").await;
    let call = Call::post("/v1/email/messages/{messageId}/status").with("messageId", id);
    mailbox
        .ok(call.json(json!({ "unread": false, "surprise": [null] })))
        .await;
}

#[tokio::test]
async fn hosts_that_nobody_allowed_are_refused_without_a_word_about_them() {
    let mut options = GatewayOptions::new(StoreKind::Sqlite);
    options.allow_loopback = false;
    let gateway = GatewayProcess::start(program(), options).await.unwrap();
    let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let open = listening.local_addr().unwrap().port();
    let mut told = Vec::new();
    for server in [
        "imaps://169.254.169.254:993".to_owned(),
        "imaps://127.0.0.1:1".to_owned(),
        format!("imaps://127.0.0.1:{open}"),
        format!("imaps://localhost:{open}"),
        format!("imaps://[::1]:{open}"),
        format!("imaps://[::ffff:127.0.0.1]:{open}"),
    ] {
        let body = json!({
            "serviceType": "IMAP", "active": true, "email": "a@example.org", "password": PASSWORD,
            "serverUrl": server,
        });
        for call in [
            Call::post("/v1/am/accounts").query("ensureAccess", true),
            Call::post("/v1/am/accounts/connect"),
        ] {
            let answer = gateway.application().call(call.json(body.clone())).await;
            let answer = answer.unwrap();
            assert!(answer.status >= 400, "{}", answer.told());
            let original = &answer.json["originalError"];
            let class = [json!(null), json!({ "class": "refused" })];
            assert!(class.contains(original), "{}", answer.told());
            told.push((answer.status, answer.json["message"].to_string()));
        }
    }
    // Nothing tells an open port from a closed one.
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn plain_text_connections_are_refused_unless_the_operator_named_the_host() {
    let mut options = GatewayOptions::new(StoreKind::Sqlite);
    options.allow_loopback = false;
    let gateway = GatewayProcess::start(program(), options).await.unwrap();
    let answer = gateway.connect("a@example.org", 143).await.unwrap();
    assert_eq!((answer.status, answer.code()), (400, "badRequest"));
}
