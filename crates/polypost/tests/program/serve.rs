use std::time::Duration;

use reqwest::StatusCode;
use test_servers::Postgres;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::sleep};

use crate::process::{Scene, client};

#[tokio::test]
async fn the_first_signal_ends_the_gateway_in_order() {
    let (process, serving) = Scene::new().serve().await;
    let url = format!("http://{}/readyz", serving["address"].as_str().unwrap());
    assert_eq!(
        client().get(&url).send().await.unwrap().status(),
        StatusCode::OK
    );
    process.signal("TERM").await;
    assert_eq!(process.ended().await, 0);
}

/// A request whose body does not come.
async fn hanging_request(address: &str) -> TcpStream {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test's own client on loopback"
    )]
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /v1/am/accounts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Authorization: Basic YXBwOmh1bnRlcjI=\r\nContent-Length: 9\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(500)).await;
    stream
}

fn with_application() -> Scene {
    Scene::new()
        .with("POLYPOST_CLIENT_ID", "app")
        .with("POLYPOST_CLIENT_SECRET", "hunter2")
}

#[tokio::test]
async fn the_second_signal_breaks_off_what_still_runs_and_the_exit_code_tells() {
    let scene = with_application();
    let (mut process, serving) = scene.serve().await;
    let _request = hanging_request(serving["address"].as_str().unwrap()).await;
    process.signal("TERM").await;
    process.logged("stopping: no more requests are taken").await;
    process.signal("INT").await;
    assert_eq!(process.ended().await, 3);
}

#[tokio::test]
async fn the_end_of_the_grace_breaks_off_what_still_runs() {
    let scene = with_application().with("POLYPOST_STOP_GRACE", "1s");
    let (process, serving) = scene.serve().await;
    let _request = hanging_request(serving["address"].as_str().unwrap()).await;
    process.signal("TERM").await;
    assert_eq!(process.ended().await, 3);
}

#[tokio::test]
async fn an_application_that_a_command_adds_or_removes_is_so_in_the_running_gateway() {
    let scene = with_application();
    let (process, serving) = scene.serve().await;
    let url = format!(
        "http://{}/v1/am/accounts",
        serving["address"].as_str().unwrap()
    );
    let ask = async |id: &str, secret: &str| {
        let request = client().get(&url).basic_auth(id, Some(secret));
        request.send().await.unwrap().status()
    };
    assert_eq!(
        ask("app", "hunter2").await,
        StatusCode::OK,
        "the configured one"
    );
    let printed = scene.done(&["app", "add", "shop"]).await;
    let secret = printed.split_whitespace().last().unwrap();
    assert_eq!(ask("shop", secret).await, StatusCode::OK);
    scene.done(&["app", "remove", "shop"]).await;
    assert_eq!(ask("shop", secret).await, StatusCode::UNAUTHORIZED);
    process.signal("TERM").await;
    assert_eq!(process.ended().await, 0);
}

#[tokio::test]
async fn metrics_are_served_on_a_listener_of_their_own() {
    let scene = Scene::new().with("POLYPOST_METRICS_LISTEN", "127.0.0.1:0");
    let (process, serving) = scene.serve().await;
    let [api, metrics] = ["address", "metrics"].map(|name| serving[name].as_str().unwrap());
    let client = client();
    client
        .get(format!("http://{api}/healthz"))
        .send()
        .await
        .unwrap();
    let text = client
        .get(format!("http://{metrics}/metrics"))
        .send()
        .await
        .unwrap();
    let text = text.text().await.unwrap();
    assert!(
        text.contains("polypost_http_request_seconds_bucket"),
        "{text}"
    );
    assert!(text.contains("polypost_build_info"), "{text}");
    let elsewhere = client
        .get(format!("http://{api}/metrics"))
        .send()
        .await
        .unwrap();
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
    process.signal("TERM").await;
    assert_eq!(process.ended().await, 0);
}

#[tokio::test]
async fn health_tells_whether_the_gateway_takes_requests() {
    let (process, serving) = Scene::new().serve().await;
    let asking = Scene::new().with("POLYPOST_LISTEN", serving["address"].as_str().unwrap());
    assert!(asking.done(&["health"]).await.contains("ready"));
    process.signal("INT").await;
    assert_eq!(process.ended().await, 0);
    asking.refused(&["health"]).await;
}

#[tokio::test]
async fn two_gateways_on_one_postgresql_start_at_once_and_know_the_same() {
    let database = Postgres::shared()
        .await
        .unwrap()
        .create_database()
        .await
        .unwrap();
    let scene = Scene::new().with("POLYPOST_DATABASE_URL", &database);
    let complaint = scene.refused(&["serve"]).await;
    assert!(complaint.contains("secret_key is missing"), "{complaint}");
    let scene = scene.with("POLYPOST_SECRET_KEY", &"5a".repeat(32));
    let gateways = tokio::join!(scene.serve(), scene.serve());
    let printed = scene.done(&["app", "add", "shop"]).await;
    let secret = printed.split_whitespace().last().unwrap();
    for (process, serving) in [gateways.0, gateways.1] {
        let url = format!(
            "http://{}/v1/am/accounts",
            serving["address"].as_str().unwrap()
        );
        let answer = client()
            .get(&url)
            .basic_auth("shop", Some(secret))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        process.signal("TERM").await;
        assert_eq!(process.ended().await, 0);
    }
    let other = scene.with("POLYPOST_SECRET_KEY", &"5b".repeat(32));
    let complaint = other.refused(&["serve"]).await;
    assert!(complaint.contains("is not the one"), "{complaint}");
}

#[tokio::test]
async fn a_second_gateway_on_one_embedded_database_is_refused_while_the_first_serves() {
    let scene = Scene::new();
    let (process, _) = scene.serve().await;
    let complaint = scene.refused(&["serve"]).await;
    assert!(complaint.contains("another gateway serves"), "{complaint}");
    process.signal("KILL").await;
    process.ended_by_force().await;
    let (process, _) = scene.serve().await;
    process.signal("TERM").await;
    assert_eq!(process.ended().await, 0);
}
