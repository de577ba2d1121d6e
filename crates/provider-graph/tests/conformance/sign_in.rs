//! Signing in: whose mailbox it is, and what a token may do.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use email_provider::{
    ConnectedMailbox, Detail, ErrorKind, ProviderPlugin as _, ProviderResult, SignIn, SignInError,
    oauth::AccessTokens,
};
use provider_conformance::call;
use secrecy::SecretString;

use crate::{
    steps::{append, bench, inbox},
    support::{EMAIL, GraphHarness, SCOPES},
};

async fn prove(harness: &GraphHarness, token: String) -> Result<ConnectedMailbox, SignInError> {
    let sign_in = SignIn {
        access_token: Some(SecretString::from(token)),
        ..SignIn::default()
    };
    let context = &harness.context;
    let mailbox = harness.plugin.resolve(context, &sign_in).await?;
    harness.plugin.prove(context, mailbox).await
}

#[tokio::test]
async fn the_identity_is_the_users_id_and_the_address_the_mailboxs_own() {
    let harness = GraphHarness::start(|_| {}).await;
    let mailbox = prove(&harness, harness.server.token(EMAIL, &SCOPES)).await;
    let mailbox = mailbox.expect("a mailbox");
    assert_eq!(mailbox.email.as_deref(), Some(EMAIL));
    assert!(
        !mailbox.identity.subject.contains('@'),
        "{:?}",
        mailbox.identity
    );
    let again = prove(&harness, harness.server.token(EMAIL, &SCOPES)).await;
    assert_eq!(again.expect("a mailbox").identity, mailbox.identity);
    let other = "bob@contoso.example";
    let _ = harness.server.user(other);
    let other = prove(&harness, harness.server.token(other, &SCOPES)).await;
    assert_ne!(other.expect("a mailbox").identity, mailbox.identity);
}

#[tokio::test]
async fn a_mailbox_is_known_by_tenant_and_object_where_the_authorisation_server_names_them() {
    let harness = GraphHarness::start(|_| {}).await;
    let (tenant, object) = harness.oauth.microsoft_ids(EMAIL).expect("a user");
    let claims = serde_json::json!({"aud": "the-gateway", "tid": tenant, "oid": object});
    let mut context = harness.context.clone();
    context.config["client_id"] = "the-gateway".into();
    let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    let sign_in = SignIn {
        access_token: Some(harness.server.token(EMAIL, &SCOPES).into()),
        id_token: Some(format!("e30.{claims}.c2ln").into()),
        ..SignIn::default()
    };
    let plugin = &harness.plugin;
    let resolved = plugin.resolve(&context, &sign_in).await;
    let proved = plugin.prove(&context, resolved.expect("a sign-in")).await;
    let proved = proved.expect("a mailbox");
    assert_eq!(proved.identity.subject, format!("{tenant}:{object}"));
    let by_tokens = prove(&harness, harness.server.token(EMAIL, &SCOPES)).await;
    let by_tokens = by_tokens.expect("a mailbox");
    assert_eq!(by_tokens.identity.subject, object);
    let settings = |mailbox: &ConnectedMailbox| mailbox.connection.settings.clone();
    let is_same = plugin.is_same_mailbox(&settings(&by_tokens), &settings(&proved));
    assert_eq!(is_same, Some(true));
}

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    let harness = GraphHarness::start(|_| {}).await;
    harness.is_careless.store(true, Ordering::Relaxed);
    let refused = prove(&harness, "no-token".into()).await;
    let Err(SignInError::Provider(error)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_token_for_nothing_of_the_mailbox_is_forbidden() {
    let harness = GraphHarness::start(|_| {}).await;
    harness.is_careless.store(true, Ordering::Relaxed);
    let refused = prove(&harness, harness.server.token(EMAIL, &["User.Read"])).await;
    let Err(SignInError::Provider(error)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.kind, ErrorKind::Forbidden);
}

#[tokio::test]
async fn a_mailbox_is_opened_without_asking_for_anything() {
    let harness = GraphHarness::start(|_| {}).await;
    harness.server.clear_requests();
    let provider = harness.open(&harness.context).await;
    assert!(
        provider
            .capabilities()
            .roles
            .contains(&email_model::FolderRole::Inbox)
    );
    assert_eq!(harness.server.requests().len(), 0);
}

/// An account's tokens: a new one each time that one is refused.
#[derive(Debug)]
struct Renewed {
    tokens: Vec<String>,
    refused: AtomicUsize,
}

#[async_trait]
impl AccessTokens for Renewed {
    async fn token(&self) -> ProviderResult<SecretString> {
        let at = self
            .refused
            .load(Ordering::SeqCst)
            .min(self.tokens.len() - 1);
        Ok(self.tokens[at].clone().into())
    }

    async fn refused(&self, _: &SecretString) {
        self.refused.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let harness = GraphHarness::start(|_| {}).await;
    let inbox = inbox(&harness);
    append(&harness, &inbox, &["one", "two"]).await;
    let refs = bench(&harness).await.list(&inbox).await;
    let token = || harness.server.token(EMAIL, &SCOPES);
    let (old, older) = (token(), token());
    harness.oauth.expire_access_tokens(EMAIL);
    for (tokens, works) in [
        (vec![old.clone(), token()], true),
        (vec![old, older], false),
    ] {
        let tokens = Arc::new(Renewed {
            tokens,
            refused: AtomicUsize::new(0),
        });
        let mut context = harness.context.clone();
        context.tokens = Some(tokens.clone());
        let provider = harness.open(&context).await;
        let fetched = provider.fetch(call(), &refs, Detail::State).await;
        match works {
            true => assert_eq!(fetched.expect("an answer").len(), 2),
            false => {
                let kind = fetched.err().map(|error| error.kind);
                assert_eq!(kind, Some(ErrorKind::Unauthenticated));
            }
        }
        assert_eq!(tokens.refused.load(Ordering::SeqCst), 1);
    }
}
