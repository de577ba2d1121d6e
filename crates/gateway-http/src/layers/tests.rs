use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    routing::get,
};
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;

fn router() -> Router {
    let options = HttpOptions {
        concurrency: 1,
        longest_wait: Duration::from_secs(1),
        deadline: Duration::from_secs(10),
        ..HttpOptions::default()
    };
    let api = Router::new()
        .route("/fast", get(|| async { "fast" }))
        .route(
            "/slow",
            get(|| async { tokio::time::sleep(Duration::from_secs(5)).await }),
        )
        .route("/never", get(std::future::pending::<()>))
        .route("/arrives", get(arrives))
        .route("/panics", get(panics));
    observe(admit(api, &options))
}

/// Takes a minute to arrive, and then as long as `?` says.
async fn arrives(request: Request) {
    let arriving = AnswerClock::stopped(request.extensions());
    tokio::time::sleep(Duration::from_secs(60)).await;
    drop(arriving);
    let seconds = request.uri().query().unwrap().parse().unwrap();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

async fn panics() {
    std::panic::panic_any("the s3cret of a handler");
}

async fn ask(router: &Router, path: &str) -> (u16, String, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let retry = response.headers().get("retry-after");
    let retry = retry.map_or("", |value| value.to_str().unwrap()).to_owned();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap(), retry)
}

fn code(body: &str) -> Value {
    serde_json::from_str::<Value>(body).unwrap()["code"].clone()
}

#[tokio::test]
async fn a_handler_that_panics_fails_its_own_request_only() {
    let router = router();
    let (status, body, _) = ask(&router, "/panics").await;
    assert_eq!((status, code(&body)), (500, "internal".into()));
    assert!(!body.contains("s3cret"));
    assert_eq!(ask(&router, "/fast").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_place_waits_a_little_and_is_refused() {
    let router = router();
    let (slow, refused) = tokio::join!(ask(&router, "/slow"), ask(&router, "/fast"));
    assert_eq!(slow.0, 200);
    assert_eq!((refused.0, code(&refused.1)), (429, "rateLimited".into()));
    assert_eq!(refused.2, "1");
    assert_eq!(ask(&router, "/fast").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn the_time_in_which_a_request_arrives_does_not_count() {
    let router = router();
    assert_eq!(ask(&router, "/arrives?9").await.0, 200);
    assert_eq!(ask(&router, "/arrives?11").await.0, 503);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_to_no_end_is_given_up_with_its_place() {
    let router = router();
    let (status, body, retry) = ask(&router, "/never").await;
    assert_eq!((status, code(&body)), (503, "mailbox.unavailable".into()));
    assert_eq!(retry, "5");
    assert_eq!(ask(&router, "/fast").await.0, 200);
}
