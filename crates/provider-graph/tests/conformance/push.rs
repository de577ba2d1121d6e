//! Pushed hints: who is believed, what is made of it, and how a subscription is kept.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::Query,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use email_provider::{
    ConnectContext, EmailProvider, MailboxIdentity, ProviderPlugin as _,
    push::{PushAnswer, PushReceiver as _, PushRequest, PushedMailbox},
};
use fake_graph::{Lifecycle, When};
use futures::{StreamExt as _, stream::BoxStream};
use provider_conformance::{Harness as _, Mail};
use provider_graph::GraphPlugin;
use serde_json::json;

use crate::{steps::inbox, support::GraphHarness};

/// The gateway's address for pushes, and what came there.
struct Gateway {
    harness: GraphHarness,
    received: Arc<Mutex<Vec<(PushRequest, PushAnswer)>>>,
}

async fn receive(
    plugin: Arc<GraphPlugin>,
    context: ConnectContext,
    request: PushRequest,
    received: &Mutex<Vec<(PushRequest, PushAnswer)>>,
) -> Response {
    let answer = plugin.receive(&context, &request).await;
    received
        .lock()
        .expect("a lock")
        .push((request, answer.clone()));
    match answer {
        PushAnswer::Hints(_) => StatusCode::OK.into_response(),
        PushAnswer::Echo(text) => text.into_response(),
        PushAnswer::Refused => StatusCode::FORBIDDEN.into_response(),
    }
}

impl Gateway {
    async fn start() -> Self {
        let mut harness = GraphHarness::start(|_| {}).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let url = format!("http://{address}/v1/push/office365/email");
        let config = &mut harness.context.config;
        config["push_url"] = url.into();
        config["push_secret"] = "a secret of the operator's".into();
        let received: Arc<Mutex<Vec<_>>> = Arc::default();
        let (plugin, context) = (Arc::clone(&harness.plugin), harness.context.clone());
        let seen = Arc::clone(&received);
        let handler = move |Query(query): Query<Vec<(String, String)>>, body: Bytes| {
            let (plugin, context, seen) = (Arc::clone(&plugin), context.clone(), Arc::clone(&seen));
            async move {
                let request = PushRequest {
                    headers: Vec::new(),
                    query,
                    body,
                };
                receive(plugin, context, request, &seen).await
            }
        };
        let router = Router::new().route("/v1/push/office365/email", post(handler));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { harness, received }
    }

    /// What came that was no handshake, once so many did.
    async fn notifications(&self, count: usize) -> Vec<(PushRequest, PushAnswer)> {
        for _ in 0..50 {
            self.harness.server.deliver_notifications().await;
            let received = self.received.lock().expect("a lock").clone();
            let found: Vec<_> = received
                .into_iter()
                .filter(|(_, answer)| !matches!(answer, PushAnswer::Echo(_)))
                .collect();
            if found.len() >= count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{count} notifications");
    }

    /// A mailbox that is watched.
    async fn watched(&self) -> (Arc<dyn EmailProvider>, BoxStream<'static, ()>) {
        let provider = self.harness.provider().await;
        let watch = provider.notifier().expect("a notifier").watch().await;
        (provider.clone(), watch.expect("a watch"))
    }

    /// The one subscription.
    fn subscription(&self) -> String {
        let all = self.harness.user.subscriptions();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    /// The vendor says something about the subscription.
    async fn tell(&self, event: Lifecycle) {
        let server = &self.harness.server;
        server.lifecycle(&self.subscription(), event);
        let deliveries = server.deliver_notifications().await;
        assert!(
            deliveries.iter().all(|one| one.status == Some(200)),
            "{deliveries:?}"
        );
    }

    async fn subject(&self) -> MailboxIdentity {
        let settings = self.harness.connection().await.settings;
        let subject = settings["subject"].as_str().expect("a subject");
        MailboxIdentity {
            subject: subject.to_owned(),
        }
    }

    async fn answer(&self, body: serde_json::Value) -> PushAnswer {
        let request = PushRequest {
            headers: Vec::new(),
            query: Vec::new(),
            body: body.to_string().into(),
        };
        let receiver = self.harness.plugin.push().expect("a receiver");
        receiver.receive(&self.harness.context, &request).await
    }

    /// The word that a genuine notification carries.
    async fn word(&self) -> String {
        let inbox = inbox(&self.harness);
        self.harness
            .append(&inbox, Mail::new("pushed", 0).stored())
            .await;
        let (request, _) = self.notifications(1).await.remove(0);
        let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
        body["value"][0]["clientState"]
            .as_str()
            .expect("a word")
            .to_owned()
    }
}

#[tokio::test]
async fn a_subscription_is_made_its_address_proved_and_a_change_names_the_mailbox() {
    let gateway = Gateway::start().await;
    let harness = &gateway.harness;
    let provider = harness.provider().await;
    assert!(provider.capabilities().push);
    let watch = provider.notifier().expect("a notifier").watch().await;
    let mut watch = watch.expect("a watch");
    assert_eq!(harness.user.subscriptions().len(), 1);
    let handshakes = gateway.received.lock().expect("a lock").clone();
    assert!(!handshakes.is_empty());
    assert!(
        handshakes
            .iter()
            .all(|(_, answer)| matches!(answer, PushAnswer::Echo(_)))
    );
    gateway.word().await;
    let (_, answer) = gateway.notifications(1).await.remove(0);
    let mailbox = PushedMailbox::Identity(gateway.subject().await);
    assert_eq!(answer, PushAnswer::Hints(vec![mailbox]));
    let quiet = tokio::time::timeout(Duration::from_millis(100), watch.next()).await;
    assert!(quiet.is_err(), "the watch itself hints at nothing");
    let connection = harness.connection().await;
    harness
        .plugin
        .disconnect(&harness.context, &connection)
        .await;
    assert_eq!(harness.user.subscriptions().len(), 0);
}

#[tokio::test]
async fn a_second_watch_replaces_the_subscription_of_the_first() {
    let gateway = Gateway::start().await;
    let provider = gateway.harness.provider().await;
    let notifier = provider.notifier().expect("a notifier");
    let _first = notifier.watch().await.expect("a watch");
    let before = gateway.harness.user.subscriptions();
    let _second = notifier.watch().await.expect("a watch");
    let after = gateway.harness.user.subscriptions();
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after);
}

#[tokio::test]
async fn a_notification_counts_with_the_word_of_its_subscription_alone() {
    let gateway = Gateway::start().await;
    let provider = gateway.harness.provider().await;
    let _watch = provider
        .notifier()
        .expect("a notifier")
        .watch()
        .await
        .expect("a watch");
    let word = gateway.word().await;
    let mailbox = PushedMailbox::Identity(gateway.subject().await);
    let genuine = json!({"clientState": word, "subscriptionId": "x", "resource": "y"});
    let other = gateway
        .subject()
        .await
        .subject
        .replace(|c: char| c.is_ascii_digit(), "0");
    let (_, code) = word.rsplit_once('.').expect("a code");
    for forged in [
        json!({"value": [{"clientState": "", "resource": "y"}]}),
        json!({"value": [{"resource": "y"}]}),
        json!({"value": [{"clientState": format!("{other}.{code}")}]}),
        json!({"value": [{"clientState": &word[..word.len() - 1]}]}),
        json!({"value": [{"clientState": format!("{word}x")}]}),
        json!({"value": 5}),
        json!([]),
    ] {
        assert_eq!(
            gateway.answer(forged.clone()).await,
            PushAnswer::Refused,
            "{forged}"
        );
    }
    let mixed = json!({"value": [{"clientState": "x"}, genuine, genuine]});
    assert_eq!(
        gateway.answer(mixed).await,
        PushAnswer::Hints(vec![mailbox.clone()])
    );
    let begun = Instant::now();
    let many: Vec<_> = (0..2_000).map(|_| genuine.clone()).collect();
    let answer = gateway.answer(json!({"value": many})).await;
    assert_eq!(answer, PushAnswer::Hints(vec![mailbox]));
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_handshake_is_repeated_and_nothing_is_believed_without_an_address_and_a_secret() {
    let gateway = Gateway::start().await;
    let receiver = gateway.harness.plugin.push().expect("a receiver");
    let request = |token: &str| PushRequest {
        headers: Vec::new(),
        query: vec![("validationToken".into(), token.into())],
        body: Bytes::new(),
    };
    let context = &gateway.harness.context;
    let token = "Validation: Testing client application reachability. <b>é</b> + %20";
    let echo = receiver.receive(context, &request(token)).await;
    assert_eq!(echo, PushAnswer::Echo(token.to_owned()));
    let odd = receiver.receive(context, &request("a\r\nb")).await;
    assert_eq!(odd, PushAnswer::Refused);
    for setting in ["push_url", "push_secret"] {
        let mut context = context.clone();
        context.config[setting] = serde_json::Value::Null;
        let answer = receiver.receive(&context, &request(token)).await;
        assert_eq!(answer, PushAnswer::Refused, "without {setting}");
    }
}

#[tokio::test]
async fn what_was_missed_is_a_hint() {
    let gateway = Gateway::start().await;
    let harness = &gateway.harness;
    let provider = harness.provider().await;
    let _watch = provider
        .notifier()
        .expect("a notifier")
        .watch()
        .await
        .expect("a watch");
    harness
        .server
        .faults(|faults| faults.missed_notifications = When::Always);
    let inbox = inbox(harness);
    harness
        .append(&inbox, Mail::new("missed", 0).stored())
        .await;
    let (request, answer) = gateway.notifications(1).await.remove(0);
    let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(body["value"][0]["lifecycleEvent"], "missed");
    let mailbox = PushedMailbox::Identity(gateway.subject().await);
    assert_eq!(answer, PushAnswer::Hints(vec![mailbox]));
}

#[tokio::test]
async fn a_subscription_that_was_removed_is_made_again_and_its_mailbox_looked_at() {
    let gateway = Gateway::start().await;
    let (provider, mut watch) = gateway.watched().await;
    let before = gateway.subscription();
    gateway.tell(Lifecycle::SubscriptionRemoved).await;
    let hint = tokio::time::timeout(Duration::from_secs(10), watch.next()).await;
    assert_eq!(hint.expect("a hint in time"), Some(()));
    assert_ne!(gateway.subscription(), before);
    drop(provider);
}

#[tokio::test]
async fn a_subscription_is_prolonged_when_that_is_asked_for() {
    let gateway = Gateway::start().await;
    let (provider, mut watch) = gateway.watched().await;
    let before = gateway.subscription();
    gateway.harness.server.clear_requests();
    gateway.tell(Lifecycle::ReauthorizationRequired).await;
    let quiet = tokio::time::timeout(Duration::from_millis(500), watch.next()).await;
    assert!(quiet.is_err(), "nothing was lost");
    assert_eq!(gateway.subscription(), before);
    let asked = gateway.harness.server.requests();
    let asked: Vec<_> = asked.iter().filter_map(|one| one.method).collect();
    assert_eq!(asked, ["subscriptions.update"]);
    drop(provider);
}

#[tokio::test]
async fn a_subscription_that_went_without_a_word_is_missed_when_it_is_prolonged() {
    let gateway = Gateway::start().await;
    let (provider, mut watch) = gateway.watched().await;
    let before = gateway.subscription();
    let server = &gateway.harness.server;
    // Both are on their way: that it has to be authorised anew, and its end.
    server.lifecycle(&before, Lifecycle::ReauthorizationRequired);
    assert!(server.drop_subscription(&before));
    server.deliver_notifications().await;
    let hint = tokio::time::timeout(Duration::from_secs(10), watch.next()).await;
    assert_eq!(hint.expect("a hint in time"), Some(()));
    assert_ne!(gateway.subscription(), before);
    drop(provider);
}

/// Time passes for who waits.
async fn later(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_subscription_whose_end_another_process_was_told_of_is_missed_soon_after_a_pass() {
    let gateway = Gateway::start().await;
    let (provider, mut watch) = gateway.watched().await;
    let before = gateway.subscription();
    let word = gateway.word().await;
    let server = &gateway.harness.server;
    assert!(server.drop_subscription(&before));
    let told = json!({"value": [
        {"clientState": word, "subscriptionId": before, "lifecycleEvent": "subscriptionRemoved"},
    ]});
    let request = PushRequest {
        headers: Vec::new(),
        query: Vec::new(),
        body: told.to_string().into(),
    };
    let other = GraphPlugin::default();
    let answer = other.receive(&gateway.harness.context, &request).await;
    let mailbox = PushedMailbox::Identity(gateway.subject().await);
    assert_eq!(answer, PushAnswer::Hints(vec![mailbox]), "it starts a pass");
    provider
        .survey(provider_conformance::call(), &[])
        .await
        .expect("a survey");
    let quiet = tokio::time::timeout(Duration::from_millis(100), watch.next()).await;
    assert!(quiet.is_err(), "it was made a moment ago");
    server.clear_requests();
    let hint = async { tokio::join!(watch.next(), later(Duration::from_secs(601))).0 };
    let hint = tokio::time::timeout(Duration::from_secs(3_000), hint).await;
    assert_eq!(hint.expect("a hint in time"), Some(()));
    assert_ne!(gateway.subscription(), before);
}

#[tokio::test]
async fn a_subscription_is_prolonged_seldom_however_many_passes_there_are() {
    let gateway = Gateway::start().await;
    let (provider, mut watch) = gateway.watched().await;
    let server = &gateway.harness.server;
    let prolonged = || {
        let asked = server.requests();
        let asked = asked.iter().filter_map(|one| one.method);
        asked.filter(|one| *one == "subscriptions.update").count()
    };
    for _ in 0..5 {
        let survey = provider.survey(provider_conformance::call(), &[]).await;
        survey.expect("a survey");
        let quiet = tokio::time::timeout(Duration::from_millis(20), watch.next()).await;
        assert!(quiet.is_err(), "nothing was lost");
    }
    assert_eq!(prolonged(), 0);
    for expected in [1, 1] {
        later(Duration::from_secs(601)).await;
        for _ in 0..1_000 {
            let quiet = tokio::time::timeout(Duration::from_millis(20), watch.next()).await;
            assert!(quiet.is_err(), "nothing was lost");
            if prolonged() >= expected {
                break;
            }
        }
        let quiet = tokio::time::timeout(Duration::from_millis(100), watch.next()).await;
        assert!(quiet.is_err(), "nothing was lost");
        assert_eq!(prolonged(), expected);
    }
}
