use reqwest::StatusCode;
use serde_json::Value;
use test_servers::{Dovecot, DovecotOptions, PASSWORD};

use crate::process::{Scene, client};

const USER: &str = "alice@test.local";
const MAIL: &str = "From: Bob <bob@test.local>\r\nTo: alice@test.local\r\nSubject: Hello\r\n\
                    Date: Sun, 1 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@test.local>\r\n\r\nHi.\r\n";

async fn ask(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let body = answer.text().await.unwrap();
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn a_mailbox_that_a_command_connects_is_synchronised_by_the_running_gateway_until_removed() {
    let server = Dovecot::start(DovecotOptions::default()).await.unwrap();
    let mut imap = server.client(USER).await.unwrap();
    imap.append("INBOX", MAIL.as_bytes(), &[], None)
        .await
        .unwrap();

    let scene = Scene::new()
        .with("POLYPOST_ALLOW_HOSTS", "127.0.0.0/8")
        .with("POLYPOST_PUBLIC_URL", "https://mail.example.org/");
    let (process, serving) = scene.serve().await;
    let base = format!("http://{}/v1", serving["address"].as_str().unwrap());
    scene.done(&["app", "add", "shop"]).await;
    std::fs::write(
        scene.directory.path().join("password"),
        format!("{PASSWORD}\r\n"),
    )
    .unwrap();
    let reading = format!("--server=imaps://127.0.0.1:{}", server.imaps_port());
    let arguments = [
        "account",
        "add",
        "--app=shop",
        "--email=alice@test.local",
        "--password-file=password",
        &reading,
        "--smtp-server=smtps://127.0.0.1:465",
        "--trust-server",
    ];
    let printed = scene.done(&arguments).await;
    assert!(
        printed.contains("'https://mail.example.org/v1/email/sync"),
        "{printed}"
    );
    let value = |name: &str| {
        let line = printed.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    let (id, token) = (value("account id"), value("account token"));

    let client = client();
    let start = client
        .post(format!("{base}/email/sync?awaitReady=true"))
        .bearer_auth(&token);
    let (status, started) = ask(start).await;
    assert_eq!(
        (status, &started["ready"]),
        (StatusCode::OK, &Value::Bool(true)),
        "{started}"
    );
    let delta = started["syncUpdatedToken"].as_str().unwrap();
    let walk = client.get(format!("{base}/email/sync/updated?deltaToken={delta}"));
    let (status, page) = ask(walk.bearer_auth(&token)).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert_eq!(page["records"][0]["subject"], "Hello", "{page}");

    let listed = scene.done(&["account", "list", "--app=shop"]).await;
    assert!(listed.contains(&id) && listed.contains(USER), "{listed}");
    scene.done(&["account", "remove", &id]).await;
    let (status, _) = ask(client.get(format!("{base}/account")).bearer_auth(&token)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    process.signal("TERM").await;
    assert_eq!(process.ended().await, 0);
}
