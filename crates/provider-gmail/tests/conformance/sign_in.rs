//! Signing in: whose mailbox it is, and what a token may do.

use crate::support::{EMAIL, GmailHarness};
use std::sync::atomic::Ordering;

use email_provider::{ConnectedMailbox, ErrorKind, ProviderPlugin as _, SignIn, SignInError};
use secrecy::SecretString;

const FULL: &str = "https://mail.google.com/";

async fn prove(
    harness: &GmailHarness,
    token: String,
    granted: &[&str],
) -> Result<ConnectedMailbox, SignInError> {
    let sign_in = SignIn {
        access_token: Some(SecretString::from(token)),
        granted_scopes: granted.iter().map(|&scope| scope.to_owned()).collect(),
        ..SignIn::default()
    };
    let context = &harness.context;
    let mailbox = harness.plugin.resolve(context, &sign_in).await?;
    harness.plugin.prove(context, mailbox).await
}

#[tokio::test]
async fn the_identity_is_the_address_whatever_a_token_was_granted() {
    let harness = GmailHarness::start(|_| {}).await;
    let all = [FULL, "openid", "email"];
    for (scopes, told) in [
        (&all[..], &all[..]),
        (&all[..], &[]),
        (&all[..1], &all[..1]),
        (&all[..1], &[]),
    ] {
        let token = harness.server.token(EMAIL, scopes);
        let mailbox = prove(&harness, token, told).await.expect("a mailbox");
        assert_eq!(mailbox.email.as_deref(), Some(EMAIL));
        assert_eq!(mailbox.identity.subject, EMAIL, "{scopes:?} {told:?}");
    }
}

#[tokio::test]
async fn where_both_tokens_tell_the_subject_it_decides_what_is_the_same_mailbox() {
    let harness = GmailHarness::start(|_| {}).await;
    let of = async |email: &str, scopes: &[&str]| {
        let token = harness.server.token(email, scopes);
        let mailbox = prove(&harness, token, scopes).await.expect("a mailbox");
        mailbox.connection.settings
    };
    let told = of(EMAIL, &[FULL, "openid"]).await;
    let again = of(EMAIL, &[FULL, "openid", "email"]).await;
    let untold = of(EMAIL, &[FULL]).await;
    let other = serde_json::json!({"subject": "1"});
    let is_same = |one, other| harness.plugin.is_same_mailbox(one, other);
    assert_eq!(is_same(&told, &again), Some(true));
    assert_eq!(is_same(&told, &other), Some(false));
    for (one, other) in [(&told, &untold), (&untold, &told), (&untold, &untold)] {
        assert_eq!(is_same(one, other), None);
    }
}

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    let harness = GmailHarness::start(|_| {}).await;
    harness.is_careless.store(true, Ordering::Relaxed);
    let refused = prove(&harness, "no-token".into(), &[]).await;
    let Err(SignInError::Provider(error)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_token_for_nothing_of_the_mailbox_is_forbidden() {
    let harness = GmailHarness::start(|_| {}).await;
    harness.is_careless.store(true, Ordering::Relaxed);
    let refused = prove(&harness, harness.server.token(EMAIL, &["openid"]), &[]).await;
    let Err(SignInError::Provider(error)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.kind, ErrorKind::Forbidden);
}
