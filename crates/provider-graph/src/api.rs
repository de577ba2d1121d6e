//! Requests of one mailbox: each with a token, paid from its budget, ended by its deadline, its failure put into
//! the gateway's terms.

mod batch;
mod failure;
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
use email_provider::{Call, Clock, ErrorKind, ProviderError, ProviderResult, layers::Budget};
use reqwest::{Method, Response};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

pub(crate) use batch::MOST_PARTS;
pub(crate) use failure::Failure;
pub(crate) use request::{Body, Prefer};
use request::{LARGEST_GATHERED, Sent, parsed};
pub(crate) use upload::{Chunk, Interrupted, Uploaded};

use crate::{
    address::{Address, Root},
    error::{self, Effect},
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
    /// Places for requests under way at the mailbox: one for each, and one for each part of a batch that runs there at the
    /// same time as others.
    pub places: Arc<Semaphore>,
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
        self.attempt(call, 1, Effect::None, |token| async move {
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

    /// Opens a stream: the answer's body as it arrives.
    pub(crate) async fn open(&self, call: Call, address: Address) -> ProviderResult<Response> {
        let sent = &Sent::get(address, Prefer::default());
        self.attempt(call, 1, Effect::None, |token| async move {
            self.send(&token, sent).await
        })
        .await
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
        self.attempt(call, 1, Effect::Write, |token| async move {
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

    /// Pays, sends, and sends once more with another token where the first was refused.
    async fn attempt<T, R>(
        &self,
        call: Call,
        requests: usize,
        effect: Effect,
        send: impl Fn(SecretString) -> R,
    ) -> ProviderResult<T>
    where
        R: Future<Output = Result<T, Failure>>,
    {
        let mut token = within(call, self.0.tokens.token()).await?;
        let mut is_first = true;
        loop {
            let paid = self.pay(call, requests).await?;
            if Instant::now() >= call.deadline {
                return Err(error::late(Effect::None));
            }
            let sent = timeout_at(call.deadline, send(token.clone())).await;
            drop(paid);
            let failure = match sent {
                Err(_) => return Err(error::late(effect)),
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
            return Err(self.note(failure, effect));
        }
    }

    /// Takes the requests from the budget and as many places as run at the same time.
    async fn pay(&self, call: Call, requests: usize) -> ProviderResult<impl Drop> {
        let in_time = |error: ProviderError| match Instant::now() >= call.deadline {
            true => error::late(Effect::None),
            false => error,
        };
        let units = u32::try_from(requests).unwrap_or(u32::MAX);
        let account = self.0.account.enter(call, units).await.map_err(in_time)?;
        let most = u32::try_from(self.0.quota.concurrency()).unwrap_or(1);
        let places = self.0.places.acquire_many(units.clamp(1, most));
        let places = timeout_at(call.deadline, places).await;
        match places {
            Ok(Ok(places)) => Ok(Paid(account, places)),
            _ => Err(error::late(Effect::None)),
        }
    }

    /// A failure as the gateway understands it. Throttling holds the whole mailbox back.
    fn note(&self, failure: Failure, effect: Effect) -> ProviderError {
        let throttling = matches!(&failure, Failure::Refused(refusal) if refusal.is_throttling());
        if matches!(&failure, Failure::Refused(refusal) if refusal.is_too_slow()) {
            let shrink = |page: usize| Some((page / 4).max(SMALLEST_PAGE));
            let page = &self.0.page;
            let _ = page.fetch_update(Ordering::Relaxed, Ordering::Relaxed, shrink);
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

/// A place in the budget and places at the mailbox.
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
