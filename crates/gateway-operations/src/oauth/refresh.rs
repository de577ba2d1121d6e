//! Refreshing a grant: one at a time over all processes, and nothing is used that is not stored.
//!
//! A provider may take every refresh token back when an old one comes again (RFC 9700 section 4.14.2). So
//! a refresh is begun by who holds the grant in the store alone, on the grant that is there then; what it
//! gives is written before it is used; and it comes to its end although nobody waits for it any more.

use std::{sync::Arc, time::Duration};

use email_provider::{
    ErrorKind, ProviderError, ProviderResult,
    oauth::{Grant, Refusal},
};
use gateway_store::{
    AccountId, CredentialState, GrantRow, LeaseRequest, StoreError, StoreResult, TokenStatus,
    sealing::Place,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout};

use super::{
    endpoint::{self, TokenFailure},
    tokens::{AccountTokens, Kept, Verdict, unavailable},
};
use crate::{Gateway, OperationError, OperationResult};

/// How long a grant is held; prolonged while a server is waited for. A process that was killed keeps it
/// from the others for no longer than this.
const HELD: Duration = Duration::from_secs(10);
/// After how much of that it is prolonged.
const PROLONGED: Duration = Duration::from_secs(3);
/// Between two looks at a grant that another process holds.
const LOOK: Duration = Duration::from_millis(100);
/// How often storing what was given is tried before the caller is told.
const STORING: u32 = 5;
/// How long a refusal that is no end of the grant is answered from memory.
const REFUSED_FOR: Duration = Duration::from_secs(15 * 60);

/// What a try to refresh came to; counted.
#[derive(Clone, Copy)]
enum Outcome {
    Refreshed,
    Ended,
    Refused,
    NoAnswer,
    NotStored,
}

impl Outcome {
    fn count(self, kind: &'static str) {
        let outcome = match self {
            Self::Refreshed => "refreshed",
            Self::Ended => "ended",
            Self::Refused => "refused",
            Self::NoAnswer => "no_answer",
            Self::NotStored => "not_stored",
        };
        metrics::counter!("polypost_token_refreshes_total", "kind" => kind, "outcome" => outcome)
            .increment(1);
    }
}

fn broken(error: StoreError) -> ProviderError {
    ProviderError::new(ErrorKind::Unavailable, "the gateway's database failed").with_source(error)
}

fn refused(why: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Unauthenticated, why)
}

impl Gateway {
    /// Seals a grant for an account and its mailbox: what is sealed for one never opens for another.
    pub(crate) fn seal_grant(
        &self,
        account: AccountId,
        mailbox: &str,
        grant: &Grant,
    ) -> OperationResult<Vec<u8>> {
        let (row, secret) = (row(account, mailbox), grant.to_secret());
        let sealed = self
            .inner
            .sealer
            .seal(place(&row), secret.expose_secret().as_bytes());
        sealed.map_err(|_| OperationError::internal("sealing failed"))
    }

    /// Opens a grant as it is stored for an account and its mailbox.
    pub(crate) fn open_grant(
        &self,
        account: AccountId,
        mailbox: &str,
        kept: &GrantRow,
    ) -> ProviderResult<Grant> {
        let row = row(account, mailbox);
        let opened = self.inner.sealer.open(place(&row), &kept.secret);
        let text = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| {
            ProviderError::new(ErrorKind::Unexpected, "the stored grant cannot be opened")
        })?;
        Grant::from_secret(&SecretString::from(text))
    }

    /// A token of an account that has none in memory: of the store, else of the provider.
    pub(super) async fn refreshed_token(&self, account: AccountId) -> ProviderResult<SecretString> {
        let gone = || refused("the account is not connected any more");
        let tokens = self.inner.grants.known(account).ok_or_else(gone)?;
        let gateway = self.clone();
        let refreshing = self.inner.tasks.spawn(async move {
            let _one_at_a_time = tokens.refreshing.lock().await;
            match tokens.good(gateway.now()) {
                Some(token) => Ok(token),
                None => gateway.refresh(&tokens).await,
            }
        });
        refreshing.await.unwrap_or_else(|_| {
            Err(ProviderError::new(
                ErrorKind::Unexpected,
                "a refresh broke off",
            ))
        })
    }

    async fn refresh(&self, tokens: &Arc<AccountTokens>) -> ProviderResult<SecretString> {
        let waiting = Instant::now();
        loop {
            let kept = self.stored_grant(tokens).await?;
            if let Some(token) = tokens.good(self.now()) {
                return Ok(token);
            }
            if let Some(error) = tokens.restraint(kept.version) {
                return Err(error);
            }
            if tokens.refused_when_new() {
                return Err(refused("a token that was just given is refused"));
            }
            if kept.grant.refresh_token.is_none() && tokens.unstored().is_none() {
                return Err(refused("the grant has ended: it has no refresh token"));
            }
            match self.hold_grant(tokens).await {
                Ok(Some(row)) => {
                    let done = self.refresh_held(tokens, row).await;
                    // After a success it is free already.
                    if done.is_err() {
                        self.release_grant(tokens).await;
                    }
                    return done;
                }
                Ok(None) if waiting.elapsed() > HELD => return Err(unavailable(LOOK)),
                Ok(None) => tokio::time::sleep(LOOK).await,
                Err(StoreError::NotFound) => {
                    return Err(refused("the account is not connected any more"));
                }
                Err(error) => return Err(broken(error)),
            }
        }
    }

    /// The grant as it is stored now.
    async fn stored_grant(&self, tokens: &AccountTokens) -> ProviderResult<Kept> {
        let row = self.inner.store.grant(tokens.account).await;
        let row = row.map_err(broken)?;
        let row = row.ok_or_else(|| refused("the account is not connected any more"))?;
        self.taken_note(tokens, &row)
    }

    fn taken_note(&self, tokens: &AccountTokens, row: &GrantRow) -> ProviderResult<Kept> {
        let kept = Kept {
            version: row.version,
            grant: self.open_grant(tokens.account, &tokens.mailbox, row)?,
        };
        tokens.stored(kept.clone());
        Ok(kept)
    }

    async fn refresh_held(
        &self,
        tokens: &Arc<AccountTokens>,
        row: GrantRow,
    ) -> ProviderResult<SecretString> {
        let kept = self.taken_note(tokens, &row)?;
        // Another process may have refreshed it since it was looked at.
        if let Some(token) = tokens.good(self.now()) {
            self.release_grant(tokens).await;
            return Ok(token);
        }
        if let Some(given) = tokens.unstored() {
            return self.store_grant(tokens, given).await;
        }
        let account = self.inner.store.account(tokens.account).await;
        let account = account.map_err(broken)?;
        let account = account.ok_or_else(|| refused("the account is not connected any more"))?;
        if account.credentials.status == TokenStatus::Dead {
            let why = account.credentials.error.unwrap_or_default();
            return Err(refused(&why));
        }
        let Some(refresh_token) = kept.grant.refresh_token.clone() else {
            return Err(refused("the grant has ended: it has no refresh token"));
        };
        let client = self
            .oauth_client(tokens.plugin.as_ref())
            .map_err(|error| ProviderError::new(ErrorKind::Unavailable, error.message))?;
        let http = self.token_http();
        let asked = endpoint::refresh(http, &client, &kept.grant, &refresh_token, self.now());
        match self.holding(tokens, asked).await {
            Ok(grant) => {
                let version = kept.version;
                self.store_grant(tokens, Kept { version, grant }).await
            }
            Err(failure) => self.refresh_failed(tokens, kept.version, failure).await,
        }
    }

    async fn hold_grant(&self, tokens: &AccountTokens) -> StoreResult<Option<GrantRow>> {
        let hold = LeaseRequest {
            account: tokens.account,
            holder: tokens.holder.clone(),
            now: self.now(),
            lasts: HELD,
        };
        self.inner.store.hold_grant(&hold).await
    }

    /// Waits for an answer, and prolongs the hold meanwhile.
    async fn holding<T>(&self, tokens: &AccountTokens, answer: impl Future<Output = T>) -> T {
        let mut answer = std::pin::pin!(answer);
        loop {
            match timeout(PROLONGED, &mut answer).await {
                Ok(answer) => return answer,
                Err(_) => match self.hold_grant(tokens).await {
                    Ok(Some(_)) => {}
                    Ok(None) => tracing::warn!("a grant is held by another process meanwhile"),
                    Err(error) => tracing::warn!(%error, "the hold of a grant is not prolonged"),
                },
            }
        }
    }

    /// Stores what the server gave in the place of this version. It is not used before, and tried again
    /// later: the refresh token that it replaces may not be good any more.
    async fn store_grant(
        &self,
        tokens: &Arc<AccountTokens>,
        given: Kept,
    ) -> ProviderResult<SecretString> {
        let sealed = self
            .seal_grant(tokens.account, &tokens.mailbox, &given.grant)
            .map_err(|error| ProviderError::new(ErrorKind::Unexpected, error.message))?;
        let version = given.version;
        let mut tries = 0;
        let replaced = loop {
            let store = &self.inner.store;
            match store.replace_grant(tokens.account, version, &sealed).await {
                Ok(replaced) => break replaced,
                Err(error) => {
                    tries += 1;
                    tracing::error!(%error, tries, "a refreshed grant could not be stored");
                    if tries == STORING {
                        Outcome::NotStored.count(tokens.kind());
                        tokens.keep_unstored(given);
                        tokens.back_off(None);
                        return Err(broken(error));
                    }
                    tokio::time::sleep(LOOK * tries).await;
                }
            }
        };
        if replaced {
            Outcome::Refreshed.count(tokens.kind());
            let token = given.grant.access_token.clone();
            tokens.refreshed(Kept {
                version: version + 1,
                grant: given.grant,
            });
            return Ok(token);
        }
        self.token_of_others(tokens).await
    }

    /// Meanwhile the account was connected anew, refreshed by another process, or removed.
    async fn token_of_others(&self, tokens: &AccountTokens) -> ProviderResult<SecretString> {
        self.stored_grant(tokens).await?;
        let good = tokens.good(self.now());
        good.ok_or_else(|| unavailable(LOOK))
    }

    async fn refresh_failed(
        &self,
        tokens: &Arc<AccountTokens>,
        version: i64,
        failure: TokenFailure,
    ) -> ProviderResult<SecretString> {
        let kind = tokens.kind();
        let (refusal, verdict) = match failure {
            TokenFailure::Passing { why, retry_after } => {
                Outcome::NoAnswer.count(kind);
                tracing::warn!(kind, why, "no answer to a refresh");
                return Err(tokens.back_off(retry_after));
            }
            TokenFailure::Refused(refusal) => {
                let oauth = tokens.plugin.oauth();
                let verdict = oauth.map_or(Refusal::Passing, |oauth| oauth.refusal(&refusal));
                (refusal, verdict)
            }
        };
        let code = &refusal.code;
        tracing::warn!(
            kind,
            code,
            description = refusal.description,
            "a refresh was refused"
        );
        match verdict {
            Refusal::Passing => {
                Outcome::NoAnswer.count(kind);
                Err(tokens.back_off(None))
            }
            Refusal::NotAllowed => {
                Outcome::Refused.count(kind);
                let why = format!("the provider refuses to refresh the grant: {code}");
                tokens.judge(Verdict {
                    version,
                    why: why.clone(),
                    until: Some(Instant::now() + REFUSED_FOR),
                });
                Err(refused(&why))
            }
            Refusal::GrantEnded => {
                Outcome::Ended.count(kind);
                self.grant_ended(tokens, version, format!("the grant has ended: {code}"))
                    .await
            }
        }
    }

    /// Notes the end of a grant, unless another one is there by now.
    async fn grant_ended(
        &self,
        tokens: &Arc<AccountTokens>,
        version: i64,
        why: String,
    ) -> ProviderResult<SecretString> {
        let state = CredentialState {
            status: TokenStatus::Dead,
            error: Some(why.clone()),
            refused_at: Some(self.now()),
        };
        let store = &self.inner.store;
        match store.set_grant_state(tokens.account, version, &state).await {
            Ok(true) => {}
            Ok(false) => return self.token_of_others(tokens).await,
            Err(error) => tracing::error!(%error, "the end of a grant could not be noted"),
        }
        tokens.judge(Verdict {
            version,
            why: why.clone(),
            until: None,
        });
        Err(refused(&why))
    }

    async fn release_grant(&self, tokens: &AccountTokens) {
        let store = &self.inner.store;
        if let Err(error) = store.release_grant(tokens.account, &tokens.holder).await {
            tracing::debug!(%error, "a grant is not given back before its time");
        }
    }
}

fn row(account: AccountId, mailbox: &str) -> String {
    format!("{account} {mailbox}")
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: "account_grant",
        row,
        column: "secret",
    }
}
