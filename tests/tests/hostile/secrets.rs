//! What is within stays within: hosts, banners, secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polypost_tests::{Answer, Auth, Call, GatewayOptions, StoreKind};
use serde_json::Value;
use test_servers::ScriptedImap;

use crate::support::{
    BANNER, CANARY, USUAL, alive, clear, gateway, heard, recording, sign_in, started,
};

/// N01, N03.
#[tokio::test(flavor = "multi_thread")]
async fn no_host_within_is_reached_however_it_is_written() {
    let mut options = GatewayOptions::new(StoreKind::Sqlite);
    options.allow_loopback = false;
    let gateway = started(options).await;
    let (server, _) = recording("* OK banner-77ab", USUAL).await;
    let port = server.port();
    for host in [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "localhost",
        "LOCALHOST.",
        "127.0.0.1.",
        "１２７.0.0.1",
        "a@127.0.0.1",
        "10.0.0.1",
        "100.64.0.1",
    ] {
        let answer = sign_in(&gateway, &format!("imaps://{host}:{port}"), false).await;
        let told = answer.told();
        assert!(matches!(answer.status, 400 | 503), "{host}: {told}");
        assert!(!told.contains(BANNER), "{host}: {told}");
        for way in ["?security=none", "?security=starttls"] {
            let url = format!("imap://{host}:{port}{way}");
            let answer = sign_in(&gateway, &url, false).await;
            assert!(matches!(answer.status, 400 | 503), "{}", answer.told());
        }
    }
    assert_eq!(server.connections(), 0);
    alive(&gateway).await;
}

/// The answer but for what differs with each request.
fn comparable(answer: &Answer) -> Value {
    let mut json = answer.json.clone();
    if let Some(members) = json.as_object_mut() {
        members.remove("requestId");
    }
    json
}

/// N05.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_server_is_told_before_a_sign_in() {
    let gateway = gateway().await;
    let closed = test_servers::free_port().expect("a port");
    let url = format!("imap://127.0.0.1:{closed}?security=none");
    let expected = sign_in(&gateway, &url, false).await;
    assert_eq!(expected.status, 503, "{}", expected.told());
    for greeting in [
        "SSH-2.0-banner-77ab",
        "* BYE banner-77ab",
        "HTTP/1.1 200 banner-77ab",
        "-ERR banner-77ab",
        "\u{0}banner-77ab\u{1b}[31m",
    ] {
        let server = ScriptedImap::start(move |mut stream| async move {
            stream.line(greeting).await?;
            stream.close().await
        });
        let server = server.await.expect("a server");
        let answer = sign_in(&gateway, &clear(&server), false).await;
        assert!(!answer.told().contains(BANNER), "{}", answer.told());
        assert_eq!(comparable(&answer), comparable(&expected), "{greeting}");
    }
    alive(&gateway).await;
}

/// A07.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_reaches_the_log_at_any_level() {
    let options = GatewayOptions::new(StoreKind::Sqlite).set("POLYPOST_LOG", "trace");
    let gateway = started(options).await;
    let (server, told) = recording("* OK ready", USUAL).await;
    let answer = sign_in(&gateway, &clear(&server), false).await;
    assert_eq!(answer.status, 200, "{}", answer.told());
    assert!(heard(&told).contains(CANARY), "it did sign in");
    let token = answer.json["accessToken"].as_str().expect("a token");
    let api = gateway.application();
    let api = api.signed_in(Auth::Bearer(token.to_owned()));
    for path in ["/v1/account", "/v1/email/folders"] {
        let answer = api.call(Call::get(path)).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.told());
    }
    alive(&gateway).await;
    let log = gateway.log();
    assert!(log.len() > 1_000, "it does log");
    let plain = format!("\0a@test.local\0{CANARY}");
    for secret in [
        CANARY,
        &STANDARD.encode(CANARY),
        &STANDARD.encode(plain),
        token,
        polypost_tests::CLIENT_SECRET,
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{line:?}");
    }
}
