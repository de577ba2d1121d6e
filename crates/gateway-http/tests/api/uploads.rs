use std::{future::pending, sync::Arc, time::Duration};

use axum::body::Body;
use futures::{StreamExt as _, stream};
use gateway_http::HttpOptions;
use serde_json::json;
use tokio::sync::Notify;

use crate::support::{Answer, Api, Connected};

/// The beginning of a message that is too large to be taken in without a place.
fn beginning() -> String {
    let body = "x".repeat(300 << 10);
    format!(r#"{{"to":[{{"address":"bob@example.org"}}],"subject":"Large","body":"{body}"#)
}

async fn post(account: &Connected<'_>, body: impl Into<Body>) -> Answer {
    let call = account.call("POST", "/v1/email/messages");
    let call = call.header("content-type", "application/json");
    call.body(body).send().await
}

#[tokio::test]
async fn an_account_that_holds_its_places_leaves_room_for_others() {
    let api = Api::with(HttpOptions {
        uploads_per_account: 1,
        longest_wait: Duration::from_millis(100),
        ..HttpOptions::default()
    })
    .await;
    let ann = api.connect("ann@example.org", &[]).await;
    let carl = api.connect("carl@example.org", &[]).await;
    let large = || beginning() + "\"}";
    let has_its_place = Arc::new(Notify::new());
    let told = Arc::clone(&has_its_place);
    // More than the beginning is asked for once there is a place.
    let stalls = stream::once(async move {
        told.notify_one();
        pending().await
    });
    let begins = stream::once(async { Ok::<_, std::io::Error>(beginning()) });
    let stalled = post(&ann, Body::from_stream(begins.chain(stalls)));
    let others = async {
        has_its_place.notified().await;
        let refused = post(&ann, large()).await;
        assert_eq!(refused.failure(), (429, "rateLimited".to_owned()));
        assert_eq!(refused.header("retry-after"), "5");
        post(&carl, large()).await.created();
        let small = json!({"to": [{"address": "bob@example.org"}], "subject": "Small"});
        post(&ann, small.to_string()).await.created();
    };
    tokio::select! {
        answer = stalled => panic!("{answer:?}"),
        () = others => {}
    }
    post(&ann, large()).await.created();
    assert_eq!(ann.mailbox.sent_mail().len(), 2);
}
