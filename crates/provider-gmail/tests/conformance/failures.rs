//! Answers that are lost, and tokens that are refused.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use email_provider::{Detail, ErrorKind, ProviderResult, Removal, oauth::AccessTokens};
use futures::TryStreamExt as _;
use provider_conformance::{Harness as _, Mail, call};
use secrecy::SecretString;

use crate::{
    steps::{append, bench, inbox},
    support::{EMAIL, GmailHarness, SCOPE},
};

#[tokio::test]
async fn a_write_whose_answer_fails_has_an_unknown_outcome() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    append(&harness, &["kept"]).await;
    let bench = bench(&harness).await;
    let at = bench.list(&inbox()).await.remove(0);
    harness
        .server
        .faults(|faults| faults.failures_after_effect = 1.0);
    let removed = provider.remove(call(), &at, Removal::Trash).await;
    assert_eq!(
        removed.err().map(|error| error.kind),
        Some(ErrorKind::OutcomeUnknown)
    );
    harness
        .server
        .faults(|faults| faults.failures_after_effect = 0.0);
    assert!(bench.list(&inbox()).await.is_empty(), "it was done");
}

#[tokio::test]
async fn a_raw_message_that_is_cut_off_is_never_short() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let mut large = Mail::new("large", 0);
    large.attachments.push(("a.bin".into(), vec![7; 400_000]));
    harness.append(&inbox(), large.stored()).await;
    let at = bench(&harness).await.list(&inbox()).await.remove(0);
    for fault in ["truncated", "cut"] {
        harness.server.faults(|faults| {
            faults.truncated_bodies = if fault == "truncated" { 1.0 } else { 0.0 };
            faults.cut_connections = if fault == "cut" { 1.0 } else { 0.0 };
        });
        let read = match provider.raw(call(), &at).await {
            Ok(stream) => stream.try_collect::<Vec<_>>().await.map(|_| ()),
            Err(error) => Err(error),
        };
        let kind = read.err().map(|error| error.kind);
        assert_eq!(kind, Some(ErrorKind::Unavailable), "{fault}");
    }
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
    let harness = GmailHarness::start(|_| {}).await;
    append(&harness, &["one", "two"]).await;
    let refs = bench(&harness).await.list(&inbox()).await;
    let token = || harness.server.token(EMAIL, &[SCOPE]);
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
