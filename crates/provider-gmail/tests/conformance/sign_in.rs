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
async fn the_identity_is_the_subject_and_the_address_the_mailboxs_own() {
    let harness = GmailHarness::start(|_| {}).await;
    let scopes = [FULL, "openid", "email"];
    let mailbox = prove(&harness, harness.server.token(EMAIL, &scopes), &scopes).await;
    let mailbox = mailbox.expect("a mailbox");
    assert_eq!(mailbox.email.as_deref(), Some(EMAIL));
    assert!(
        !mailbox.identity.subject.contains('@'),
        "{:?}",
        mailbox.identity
    );
    let again = prove(&harness, harness.server.token(EMAIL, &scopes), &[]).await;
    assert_eq!(again.expect("a mailbox").identity, mailbox.identity);
}

#[tokio::test]
async fn without_a_subject_the_identity_is_the_address_in_lower_case() {
    let harness = GmailHarness::start(|_| {}).await;
    let mailbox = prove(&harness, harness.server.token(EMAIL, &[FULL]), &[FULL]).await;
    assert_eq!(mailbox.expect("a mailbox").identity.subject, EMAIL);
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
