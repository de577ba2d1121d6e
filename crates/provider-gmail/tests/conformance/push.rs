//! Pushed hints: who is believed, and what is made of it.

use crate::support::GmailHarness;
use email_provider::{
    ConnectContext, ProviderPlugin as _,
    push::{PushAnswer, PushRequest, PushedMailbox},
};
use fake_gmail::{PushFlaw, PushIdentity};
use futures::StreamExt as _;
use provider_conformance::{Harness as _, Mail};

const AUDIENCE: &str = "https://gateway.example/v1/push/google/email";
const ACCOUNT: &str = "bus@project.example";
const TOPIC: &str = "projects/ours/topics/mail";

async fn start() -> GmailHarness {
    let mut harness = GmailHarness::start(|_| {}).await;
    let certs = harness.server.certs_url();
    let config = &mut harness.context.config;
    config["jwks_url"] = certs.into();
    config["push_audience"] = AUDIENCE.into();
    config["push_service_account"] = ACCOUNT.into();
    config["pubsub_topic"] = TOPIC.into();
    harness
}

async fn receive(
    harness: &GmailHarness,
    context: &ConnectContext,
    identity: &PushIdentity,
) -> PushAnswer {
    let data = "eyJlbWFpbEFkZHJlc3MiOiJhbm5AZ21haWwuZXhhbXBsZSIsImhpc3RvcnlJZCI6OX0=";
    let body = serde_json::json!({"message": {"data": data}});
    let token = identity.token(harness.server.clock().now_ms());
    let header = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}").into()));
    let request = PushRequest {
        headers: header.into_iter().collect(),
        query: Vec::new(),
        body: body.to_string().into(),
    };
    let receiver = harness.plugin.push().expect("a receiver");
    receiver.receive(context, &request).await
}

#[tokio::test]
async fn a_genuine_push_names_the_mailbox() {
    let harness = start().await;
    let identity = PushIdentity::new(AUDIENCE, ACCOUNT);
    let answer = receive(&harness, &harness.context, &identity).await;
    let mailbox = PushedMailbox::Email("ann@gmail.example".into());
    assert_eq!(answer, PushAnswer::Hints(vec![mailbox]));
}

#[tokio::test]
async fn a_push_with_any_flaw_is_refused() {
    let harness = start().await;
    let genuine = || PushIdentity::new(AUDIENCE, ACCOUNT);
    let flaws = [
        PushFlaw::Missing,
        PushFlaw::UnknownKey,
        PushFlaw::WrongKey,
        PushFlaw::Unsigned,
        PushFlaw::Expired,
        PushFlaw::Tampered,
    ];
    let mut identities: Vec<PushIdentity> = flaws.map(|flaw| genuine().with(flaw)).to_vec();
    identities.push(PushIdentity::new("https://other.example", ACCOUNT));
    identities.push(PushIdentity::new(AUDIENCE, "other@project.example"));
    let mut unverified = genuine();
    unverified.email_verified = false;
    let mut foreign = genuine();
    foreign.issuer = "https://accounts.other.example".into();
    identities.extend([unverified, foreign]);
    for identity in identities {
        let answer = receive(&harness, &harness.context, &identity).await;
        assert_eq!(answer, PushAnswer::Refused, "{identity:?}");
    }
    let answer = receive(&harness, &harness.context, &genuine()).await;
    assert!(matches!(answer, PushAnswer::Hints(_)), "genuine ones go on");
}

#[tokio::test]
async fn nothing_is_believed_where_nobody_said_whom_to_expect() {
    let harness = start().await;
    let identity = PushIdentity::new(AUDIENCE, ACCOUNT);
    for setting in ["push_audience", "push_service_account"] {
        let mut context = harness.context.clone();
        context.config[setting] = serde_json::Value::Null;
        let answer = receive(&harness, &context, &identity).await;
        assert_eq!(answer, PushAnswer::Refused, "without {setting}");
    }
}

#[tokio::test]
async fn a_watch_makes_the_mailbox_push_and_disconnecting_ends_it() {
    let harness = start().await;
    let provider = harness.provider().await;
    let watch = provider.notifier().expect("a notifier").watch().await;
    let mut watch = watch.expect("a watch");
    assert_eq!(harness.user.watched_topic().as_deref(), Some(TOPIC));
    let inbox = email_model::FolderKey("INBOX".into());
    harness
        .append(&inbox, Mail::new("pushed", 0).stored())
        .await;
    assert_eq!(harness.server.take_pushes().len(), 1);
    let quiet = tokio::time::timeout(std::time::Duration::from_millis(100), watch.next()).await;
    assert!(quiet.is_err(), "the watch itself hints at nothing");
    let connection = harness.connection().await;
    harness
        .plugin
        .disconnect(&harness.context, &connection)
        .await;
    assert_eq!(harness.user.watched_topic(), None);
}
