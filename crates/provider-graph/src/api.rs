//! Requests of one mailbox: each with a token, paid from its budget, ended by its deadline, its failure put into
//! the gateway's terms.

mod batch;
mod failure;
mod places;
mod request;
mod upload;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use email_provider::{
    Call, Clock, ErrorKind, ProviderError, ProviderResult,
    layers::{Budget, BudgetPermit},
};
use reqwest::{Method, Response};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

pub(crate) use batch::MOST_PARTS;
pub(crate) use failure::Failure;
use places::Wish;
pub(crate) use places::{Place, Places};
pub(crate) use request::{Body, Prefer};
use request::{LARGEST_GATHERED, Sent, parsed};
pub(crate) use upload::{Chunk, Interrupted, Uploaded};

use crate::{
    address::{Address, Root},
    error::{self, Effect, Refusal},
    quota::Quota,
    token::Tokens,
    transport::{Transport, gathered},
};

/// Longest pause after throttled requests that named none.
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

/// The least to which pages shrink.
const SMALLEST_PAGE: usize = 5;

/// One mailbox's requests. Clones are the same.
#[derive(Clone)]
pub(crate) struct Api(Arc<Parts>);

/// What an [`Api`] is made of.
pub(crate) struct Parts {
    pub transport: Transport,
    pub root: Root,
    pub tokens: Tokens,
    pub clock: Arc<dyn Clock>,
    pub quota: Quota,
    /// The mailbox's budget.
    pub account: Arc<Budget>,
    /// Places for requests under way at the mailbox.
    pub places: Arc<Places>,
    /// Throttled requests in a row.
    pub throttled: AtomicU32,
    /// Largest page that the mailbox gave in time.
    pub page: AtomicUsize,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Api({})", self.0.root.as_str())
    }
}

impl Api {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Reads JSON.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        call: Call,
        address: Address,
        prefer: Prefer,
    ) -> ProviderResult<T> {
        let sent = &Sent::get(address, prefer);
        self.attempt(call, Effect::None, |token| async move {
            let answer = self.send(&token, sent).await?;
            parsed(&gathered(answer, LARGEST_GATHERED).await?)
        })
        .await
    }

    /// The same on the way to a change, which nobody repeats: what fails for the moment is asked again.
    pub(crate) async fn read_to_write<T: DeserializeOwned>(
        &self,
        call: Call,
        address: Address,
    ) -> ProviderResult<T> {
        const WAITS: [u64; 3] = [50, 200, 800];
        for wait in WAITS {
            match self.read(call, address.clone(), Prefer::default()).await {
                Err(error) if error.is_transient() => {
                    let wait = error.retry_after.unwrap_or(Duration::from_millis(wait));
                    if Instant::now() + wait >= call.deadline {
                        return Err(error);
                    }
                    sleep(wait).await;
                }
                answer => return answer,
            }
        }
        self.read(call, address, Prefer::default()).await
    }

    /// Opens a stream: the answer's body as it arrives, and the place that it has at the mailbox until its end.
    pub(crate) async fn open(
        &self,
        call: Call,
        address: Address,
    ) -> ProviderResult<(Response, Option<Place>)> {
        let sent = &Sent::get(address, Prefer::default());
        let opened = self.attempt_in(call, Wish::Stream, Effect::None, |token, _| async move {
            self.send(&token, sent).await
        });
        let (answer, place) = opened.await?;
        Ok((answer, place.kept()))
    }

    /// Changes something. The answer's body, `None` where it was lost after the change was said to be done.
    pub(crate) async fn write(
        &self,
        call: Call,
        method: Method,
        address: Address,
        body: Option<&Value>,
    ) -> ProviderResult<Option<Bytes>> {
        let body = body.map(Body::json);
        self.change(call, method, address, body, None).await
    }

    /// The same with any body, and of one version alone where one is named: `Conflict` where it is another one by now.
    pub(crate) async fn change(
        &self,
        call: Call,
        method: Method,
        address: Address,
        body: Option<Body>,
        version: Option<&str>,
    ) -> ProviderResult<Option<Bytes>> {
        let sent = &Sent {
            method,
            address,
            prefer: Prefer::default(),
            body,
            version: version.map(str::to_owned),
        };
        self.attempt(call, Effect::Write, |token| async move {
            let answer = self.send(&token, sent).await?;
            Ok(gathered(answer, LARGEST_GATHERED).await.ok())
        })
        .await
    }

    /// Makes something, and tells what.
    pub(crate) async fn make<T: DeserializeOwned>(
        &self,
        call: Call,
        address: Address,
        body: &Value,
    ) -> ProviderResult<T> {
        let body = Body::json(body);
        self.change_and_read(call, Method::POST, address, body, None)
            .await
    }

    /// Changes something, and tells what it is now.
    pub(crate) async fn change_and_read<T: DeserializeOwned>(
        &self,
        call: Call,
        method: Method,
        address: Address,
        body: Body,
        version: Option<&str>,
    ) -> ProviderResult<T> {
        let changed = self.change(call, method, address, Some(body), version);
        let told = changed.await?.and_then(|body| parsed(&body).ok());
        told.ok_or_else(|| error::lost(Effect::Write))
    }

    /// How large a page to ask for: fewer items than wanted after one that took the server too long.
    pub(crate) fn page_size(&self, wanted: usize) -> usize {
        wanted.clamp(1, self.0.page.load(Ordering::Relaxed).max(SMALLEST_PAGE))
    }

    /// The next page may be larger again.
    pub(crate) fn page_was_read(&self) {
        let grow = |page: usize| Some((page + page / 4 + 1).min(Prefer::LARGEST_PAGE));
        let page = &self.0.page;
        // It always changes.
        let _ = page.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow);
    }

    /// A link that the API gave.
    pub(crate) fn link(&self, link: &str) -> ProviderResult<Address> {
        Address::linked(&self.0.root, link)
    }

    /// The time now.
    pub(crate) fn now(&self) -> email_model::Timestamp {
        self.0.clock.now()
    }

    /// One request; its place is given back with its answer.
    async fn attempt<T, R>(
        &self,
        call: Call,
        effect: Effect,
        send: impl Fn(SecretString) -> R,
    ) -> ProviderResult<T>
    where
        R: Future<Output = Result<T, Failure>>,
    {
        let attempt = self.attempt_in(call, Wish::One, effect, |token, _| send(token));
        attempt.await.map(|(answer, _)| answer)
    }

    /// Pays, sends as much as is granted, and sends once more with another token where the first was refused.
    async fn attempt_in<T, R>(
        &self,
        call: Call,
        wish: Wish,
        effect: Effect,
        send: impl Fn(SecretString, usize) -> R,
    ) -> ProviderResult<(T, Place)>
    where
        R: Future<Output = Result<T, Failure>>,
    {
        let mut token = within(call, self.0.tokens.token()).await?;
        let mut is_first = true;
        loop {
            let (paid, place) = self.pay(call, wish).await?;
            if Instant::now() >= call.deadline {
                return Err(error::late(Effect::None));
            }
            let sent = timeout_at(call.deadline, send(token.clone(), place.requests)).await;
            drop(paid);
            let failure = match sent {
                Err(_) => return Err(error::late(effect)),
                Ok(Err(failure)) => failure,
                Ok(Ok(answer)) => {
                    self.0.throttled.store(0, Ordering::Relaxed);
                    return Ok((answer, place));
                }
            };
            drop(place);
            if is_first
                && failure.is_of_token()
                && let Some(other) = within(call, self.0.tokens.after(&token)).await?
            {
                (token, is_first) = (other, false);
                continue;
            }
            return Err(self.note(failure, effect));
        }
    }

    /// Takes what will be granted of a wish from the budget, and its places.
    async fn pay(&self, call: Call, wish: Wish) -> ProviderResult<(BudgetPermit<'_>, Place)> {
        let in_time = |error: ProviderError| match Instant::now() >= call.deadline {
            true => error::late(Effect::None),
            false => error,
        };
        let requests = self.0.places.granted(call.priority, wish);
        let units = u32::try_from(requests).unwrap_or(u32::MAX);
        let account = self.0.account.enter(call, units).await.map_err(in_time)?;
        let place = self.0.places.enter(call, wish, requests).await?;
        Ok((account, place))
    }

    /// A failure as the gateway understands it. Throttling holds the whole mailbox back, and so does a server that asks to wait.
    fn note(&self, failure: Failure, effect: Effect) -> ProviderError {
        let refusal = match &failure {
            Failure::Refused(refusal) => Some(refusal),
            _ => None,
        };
        let throttling = refusal.is_some_and(Refusal::is_throttling);
        if refusal.is_some_and(Refusal::is_too_slow) {
            let shrink = |page: usize| Some((page / 4).max(SMALLEST_PAGE));
            let page = &self.0.page;
            let _ = page.fetch_update(Ordering::Relaxed, Ordering::Relaxed, shrink);
        }
        if let Some(wait) = refusal.and_then(Refusal::outage) {
            self.0.account.pause(wait);
        }
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
