//! Requests of one mailbox: each with a token, paid from the budgets, ended by its deadline, its failure
//! put into the gateway's terms.
//!
//! Most are made by the client library ([`Api::ask`], [`Api::write`]). By hand, over the same client, are made
//! those that it cannot make: batches, messages (it refuses base64 without padding), byte streams and what is sent.

mod batch;
mod by_hand;
mod failure;
mod outgo;
mod session;
mod spent;
mod upload;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use email_provider::{Call, Clock, ErrorKind, ProviderError, ProviderResult, layers::Budget};
use google_apis_common as common;
use google_gmail1::Gmail;
use hyper_rustls::HttpsConnector;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, timeout_at};

pub(crate) use batch::Batched;
pub(crate) use failure::{Failure, Seen};
pub(crate) use upload::{LARGEST_MESSAGE, Upload};

use crate::{
    client::Client,
    connector::Dialer,
    error::{self, Effect},
    quota::{Method, Quota},
    token::Tokens,
};

/// The client library's own, with a token for one request.
pub(crate) type Hub = Gmail<HttpsConnector<Dialer>>;

/// As which the gateway introduces itself.
const USER_AGENT: &str = concat!("polypost/", env!("CARGO_PKG_VERSION"));
/// Longest pause after throttled requests that named none.
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

/// One mailbox's requests. Clones are the same.
#[derive(Clone)]
pub(crate) struct Api(Arc<Parts>);

/// What an [`Api`] is made of.
pub(crate) struct Parts {
    pub client: Client,
    /// Root of the API, with a slash at its end.
    pub root: String,
    pub tokens: Tokens,
    pub clock: Arc<dyn Clock>,
    pub quota: Quota,
    /// The mailbox's budget, and that of all mailboxes.
    pub account: Arc<Budget>,
    pub project: Arc<Budget>,
    /// Throttled requests in a row.
    pub throttled: AtomicU32,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({})", self.0.root)
    }
}

impl Api {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// A request of the client library that changes nothing. `ask` makes it with the hub and the delegate
    /// that are handed to it; it may be made twice.
    pub(crate) async fn ask<T, F, R>(&self, call: Call, method: Method, ask: F) -> ProviderResult<T>
    where
        F: Fn(Hub, Seen) -> R,
        R: Future<Output = common::Result<T>>,
    {
        let units = self.0.quota.units(method);
        self.attempt(call, units, Effect::None, |token| {
            let (seen, asked) = self.begin(&token, &ask);
            async move { asked.await.map_err(|error| seen.failure(error)) }
        })
        .await
    }

    /// A request of the client library that changes the mailbox and whose answer tells nothing more than
    /// that it is done: an answer of success that cannot be read is good enough.
    pub(crate) async fn write<T, F, R>(
        &self,
        call: Call,
        method: Method,
        ask: F,
    ) -> ProviderResult<()>
    where
        F: Fn(Hub, Seen) -> R,
        R: Future<Output = common::Result<T>>,
    {
        let units = self.0.quota.units(method);
        self.attempt(call, units, Effect::Write, |token| {
            let (seen, asked) = self.begin(&token, &ask);
            async move {
                match asked.await {
                    Ok(_) | Err(common::Error::JsonDecodeError(..)) => Ok(()),
                    Err(error) => Err(seen.failure(error)),
                }
            }
        })
        .await
    }

    /// A request of the client library that makes something, and tells what.
    pub(crate) async fn make<T, F, R>(
        &self,
        call: Call,
        method: Method,
        ask: F,
    ) -> ProviderResult<T>
    where
        F: Fn(Hub, Seen) -> R,
        R: Future<Output = common::Result<T>>,
    {
        let units = self.0.quota.units(method);
        self.attempt(call, units, Effect::Write, |token| {
            let (seen, asked) = self.begin(&token, &ask);
            async move { asked.await.map_err(|error| seen.failure(error)) }
        })
        .await
    }

    fn begin<R>(&self, token: &SecretString, ask: impl Fn(Hub, Seen) -> R) -> (Seen, R) {
        let seen = Seen::at(self.0.clock.now());
        let asked = ask(self.hub_with(token), seen.clone());
        (seen, asked)
    }

    fn hub_with(&self, token: &SecretString) -> Hub {
        let mut hub = Gmail::new(self.0.client.clone(), token.expose_secret().to_owned());
        hub.base_url(self.0.root.clone());
        hub.root_url(self.0.root.clone());
        hub.user_agent(USER_AGENT.to_owned());
        hub
    }

    async fn attempt<T, R>(
        &self,
        call: Call,
        units: u32,
        effect: Effect,
        send: impl Fn(SecretString) -> R,
    ) -> ProviderResult<T>
    where
        R: Future<Output = Result<T, Failure>>,
    {
        self.attempt_watched(call, units, || effect, send).await
    }

    /// Pays, sends, and sends once more with another token where the first was refused. `effect` is asked
    /// when a request has failed.
    async fn attempt_watched<T, R>(
        &self,
        call: Call,
        units: u32,
        effect: impl Fn() -> Effect,
        send: impl Fn(SecretString) -> R,
    ) -> ProviderResult<T>
    where
        R: Future<Output = Result<T, Failure>>,
    {
        let mut token = within(call, self.0.tokens.token()).await?;
        let mut is_first = true;
        loop {
            let paid = self.pay(call, units).await?;
            if Instant::now() >= call.deadline {
                return Err(error::late(Effect::None));
            }
            let sent = timeout_at(call.deadline, send(token.clone())).await;
            drop(paid);
            let failure = match sent {
                Err(_) => return Err(error::late(effect())),
                Ok(Err(failure)) => failure,
                Ok(Ok(answer)) => {
                    self.0.throttled.store(0, Ordering::Relaxed);
                    return Ok(answer);
                }
            };
            if is_first
                && failure.is_of_token()
                && let Some(other) = within(call, self.0.tokens.after(&token)).await?
            {
                (token, is_first) = (other, false);
                continue;
            }
            return Err(self.note(failure, effect()));
        }
    }

    /// Takes the units from both budgets; the permits hold a place until they are dropped.
    async fn pay(&self, call: Call, units: u32) -> ProviderResult<impl Drop> {
        let in_time = |error: ProviderError| match Instant::now() >= call.deadline {
            true => error::late(Effect::None),
            false => error,
        };
        let account = self.0.account.enter(call, units).await.map_err(in_time)?;
        let project = self.0.project.enter(call, units).await;
        spent::tell(&self.0.project, units, project.is_ok());
        Ok(Paid(account, project.map_err(in_time)?))
    }

    /// A failure as the gateway understands it. Throttling holds the whole mailbox back.
    fn note(&self, failure: Failure, effect: Effect) -> ProviderError {
        let throttling = matches!(
            &failure,
            Failure::Refused(refusal) if refusal.is_throttling() && !refusal.is_of_sending()
        );
        let error = failure.into_error(effect);
        if !throttling {
            return error;
        }
        let times = self.0.throttled.fetch_add(1, Ordering::Relaxed).min(16);
        let usual = self.0.quota.throttle_pause() * 2_u32.pow(times);
        let wait = error.retry_after.unwrap_or_else(|| {
            usual
                .min(LONGEST_PAUSE)
                .mul_f64(rand::random_range(1.0..1.5))
        });
        self.0.account.pause(wait);
        error.with_retry_after(wait)
    }

    /// The time now.
    pub(crate) fn now(&self) -> email_model::Timestamp {
        self.0.clock.now()
    }
}

/// Places in both budgets.
struct Paid<A, P>(A, P);

impl<A, P> Drop for Paid<A, P> {
    fn drop(&mut self) {}
}

/// What another server is waited for no longer than the call.
async fn within<T>(
    call: Call,
    tokens: impl Future<Output = ProviderResult<T>>,
) -> ProviderResult<T> {
    timeout_at(call.deadline, tokens).await.unwrap_or_else(|_| {
        Err(ProviderError::new(
            ErrorKind::Unavailable,
            "no access token in time",
        ))
    })
}
