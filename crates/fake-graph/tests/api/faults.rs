//! What goes wrong on demand.

use std::time::Duration;

use fake_graph::{ErrorFault, ErrorKind, Faults, When};

use crate::support::{Api, ids};

#[tokio::test]
async fn errors_come_as_often_as_asked_with_what_they_say() {
    let api = Api::start().await;
    for (kind, status) in [
        (ErrorKind::TooManyRequests, 429),
        (ErrorKind::MailboxConcurrency, 429),
        (ErrorKind::InvalidToken, 401),
        (ErrorKind::AccessDenied, 403),
        (ErrorKind::MailboxNotEnabled, 404),
        (ErrorKind::HtmlPage, 500),
        (ErrorKind::Internal, 500),
        (ErrorKind::BadGateway, 502),
        (ErrorKind::Unavailable, 503),
        (ErrorKind::MailboxMove, 503),
        (ErrorKind::Timeout, 504),
    ] {
        api.graph.faults(|faults| {
            faults.errors = vec![
                ErrorFault::when(kind, When::once())
                    .on("mailFolders")
                    .retry_after("soon"),
            ];
        });
        assert_eq!(api.try_get("/me").await.status, 200);
        let reply = api.try_get("/me/mailFolders").await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.headers["retry-after"], "soon");
        assert_eq!(
            reply.body.is_null(),
            matches!(kind, ErrorKind::HtmlPage | ErrorKind::BadGateway)
        );
        api.get("/me/mailFolders").await;
    }
    api.assert_no_violations();
}

#[tokio::test]
async fn faults_come_once_every_nth_time_or_by_chance_from_a_seed() {
    let api = Api::start().await;
    let statuses = async || {
        let mut statuses = Vec::new();
        for _ in 0..12 {
            statuses.push(api.try_get("/me").await.status);
        }
        statuses
    };
    let fault = |when| Faults {
        errors: vec![ErrorFault::when(ErrorKind::Unavailable, when)],
        ..Faults::default()
    };
    api.graph.set_faults(fault(When::every(3)));
    let every = statuses().await;
    assert_eq!(every.iter().filter(|status| **status == 503).count(), 4);
    assert_eq!(every[..3], [200, 200, 503]);
    api.graph.set_faults(fault(When::Chance(0.5)));
    api.graph.seed(7);
    let first = statuses().await;
    api.graph.seed(7);
    assert_eq!(statuses().await, first);
    assert!(first.contains(&200) && first.contains(&503));
}

#[tokio::test]
async fn bodies_are_cut_and_connections_end() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    let read = async || {
        let path = format!("/me/messages/{id}/permanentDelete");
        let response = api.request(reqwest::Method::POST, &path).send().await?;
        response.text().await
    };
    api.graph
        .faults(|faults| faults.dropped_requests = When::once());
    assert!(read().await.is_err());
    assert!(api.alice.message(&id).is_some(), "without effect");
    api.graph
        .faults(|faults| faults.cut_connections = When::once());
    assert!(read().await.is_err());
    assert!(api.alice.message(&id).is_none(), "with effect");
    api.graph
        .faults(|faults| faults.truncated_bodies = When::once());
    let half = api.try_get("/me/mailFolders").await;
    assert!(half.status == 200 && half.body.is_null());
    api.graph.faults(|faults| {
        faults.stalls = When::once();
        faults.stall_for = Some(Duration::from_millis(80));
    });
    let before = std::time::Instant::now();
    api.get("/me/mailFolders").await;
    assert!(before.elapsed() >= Duration::from_millis(80));
    api.assert_no_violations();
}

#[tokio::test]
async fn a_failure_may_come_after_the_effect() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    api.graph
        .faults(|faults| faults.failures_after_effect = When::once());
    let reply = api
        .call(
            reqwest::Method::DELETE,
            &format!("/me/messages/{id}"),
            serde_json::Value::Null,
        )
        .await;
    assert_eq!(reply.status, 503);
    assert_eq!(
        api.alice.message(&id).unwrap().folder,
        api.alice.folder_id("deleteditems").unwrap()
    );
}

#[tokio::test]
async fn large_pages_with_bodies_take_too_long() {
    let api = Api::start().await;
    for n in 0..5 {
        api.append(&format!("m{n}"), "inbox");
    }
    api.graph.faults(|faults| faults.slow_pages = Some(3));
    assert_eq!(api.try_get("/me/messages?$top=5").await.status, 504);
    assert_eq!(
        api.get("/me/messages?$top=3").await["value"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        api.get("/me/messages?$top=5&$select=id").await["value"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    assert_eq!(
        api.try_get("/me/mailFolders/inbox/messages/delta")
            .await
            .status,
        504
    );
}

#[tokio::test]
async fn faults_are_for_some_methods_alone() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    api.graph.faults(|faults| {
        faults.only = vec!["messages.get".to_owned()];
        faults.missing_messages = When::Always;
        faults.truncated_bodies = When::Always;
    });
    assert_eq!(
        ids(&api.all("/me/messages?$select=id").await),
        std::slice::from_ref(&id)
    );
    assert_eq!(api.try_get(&format!("/me/messages/{id}")).await.status, 404);
}
