//! What these tests do over and over.

use email_model::FolderKey;
use email_provider::{Cursor, EmailProvider, ScopeKey};
use provider_conformance::{Bench, Harness as _, Mail, call};

use crate::support::GmailHarness;

/// The inbox.
pub fn inbox() -> FolderKey {
    FolderKey("INBOX".into())
}

/// The one scope.
pub async fn scope(provider: &dyn EmailProvider) -> ScopeKey {
    let survey = provider.survey(call(), &[]).await.expect("a survey");
    survey.scopes[0].key.clone()
}

/// The scope, and a cursor for now.
pub async fn begun(provider: &dyn EmailProvider) -> (ScopeKey, Cursor) {
    let scope = scope(provider).await;
    let cursor = provider.begin(call(), &scope).await.expect("a beginning");
    (scope, cursor.expect("a cursor"))
}

/// Stores messages of these names in the inbox.
pub async fn append(harness: &GmailHarness, names: &[&str]) {
    for (at, name) in (0..).zip(names) {
        harness.append(&inbox(), Mail::new(name, at).stored()).await;
    }
}

/// The suite's own ways with the same mailbox.
pub async fn bench(harness: &GmailHarness) -> Bench {
    Bench::new(harness.again()).await
}
