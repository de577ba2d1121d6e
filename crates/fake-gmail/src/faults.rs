//! What goes wrong on demand, and how the API behaves where its documentation leaves a choice.

use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::error::ApiError;

/// Faults, each on its own; the default is none. Probabilities are from 0 to 1.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// When `history.list` says that the start is too old.
    pub history_expired: HistoryExpired,
    /// How often a page of a list is empty although a next page is announced; at most three such pages in a row.
    pub empty_pages: f64,
    /// How often a page token is no longer good, and the walk must start again.
    pub expired_page_tokens: f64,
    /// The pages of a walk through the history show what was there at its first page, although their `historyId` is
    /// the current one.
    pub frozen_walks: bool,
    /// Errors instead of an answer.
    pub errors: Vec<ErrorFault>,
    /// How often `messages.get` does not find a message that is there.
    pub missing_messages: f64,
    /// How far readers are behind.
    pub lag: Lag,
    /// Base64url without `=` at its end.
    pub unpadded_base64: bool,
    /// How often a history record stands twice in a page, or again in the next one.
    pub duplicated_history: f64,
    /// How often a successful answer's body is cut in half, with a length to match.
    pub truncated_bodies: f64,
    /// How often the connection ends in the middle of a body, after the request took effect.
    pub cut_connections: f64,
    /// How often a request has no effect and the connection ends without an answer.
    pub dropped_requests: f64,
    /// How often an answer stops in the middle of its body for [`Self::stall_for`].
    pub stalls: f64,
    /// How long; nothing is an hour.
    pub stall_for: Option<Duration>,
    /// How long every answer waits.
    pub delay: Duration,
    /// How often the request takes effect and the answer is 503.
    pub failures_after_effect: f64,
    /// Parts of a batch answer stand in any order.
    pub shuffled_batches: bool,
    /// The methods, by the beginning of their ids, that these faults are for; none is all.
    pub only: Vec<String>,
}

/// When `history.list` answers 404.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistoryExpired {
    /// When it must.
    #[default]
    Never,
    /// Always.
    AtStart,
    /// To every request with a page token.
    MidWalk,
}

/// How far readers are behind the mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// The newest changes not seen yet.
    pub changes: usize,
    /// Changes not seen because they are younger.
    pub time: Duration,
    /// Which readers.
    pub readers: LagReaders,
}

/// Who is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LagReaders {
    /// History, lists and profile are one replica, behind as a whole.
    #[default]
    All,
    /// The history alone, its `historyId` included.
    History,
    /// The lists alone: a client that trusts the profile's `historyId` with them may miss messages.
    Lists,
}

/// An error that some requests get.
#[derive(Clone, Debug)]
pub struct ErrorFault {
    /// Which.
    pub kind: ErrorKind,
    /// How often.
    pub probability: f64,
    /// How many times at most.
    pub times: Option<u32>,
    /// The value of `Retry-After`, whatever it is.
    pub retry_after: Option<String>,
    /// The message in place of the usual one; some of this vendor's say there when to try again.
    pub message: Option<String>,
    /// The methods, by the beginning of their ids; none is all.
    pub methods: Vec<String>,
}

impl ErrorFault {
    /// An error that every request gets.
    #[must_use]
    pub fn always(kind: ErrorKind) -> Self {
        Self {
            kind,
            probability: 1.0,
            times: None,
            retry_after: None,
            message: None,
            methods: Vec::new(),
        }
    }

    /// At most so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// For methods whose id begins so.
    #[must_use]
    pub fn on(mut self, method: &str) -> Self {
        self.methods.push(method.to_owned());
        self
    }

    /// With this message.
    #[must_use]
    pub fn message(mut self, message: &str) -> Self {
        self.message = Some(message.to_owned());
        self
    }

    /// With a `Retry-After` header.
    #[must_use]
    pub fn retry_after(mut self, value: &str) -> Self {
        self.retry_after = Some(value.to_owned());
        self
    }
}

/// This vendor's errors that say nothing about the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// 429 `rateLimitExceeded`.
    TooManyRequests,
    /// 429: the user's concurrent requests.
    TooManyConcurrent,
    /// 403 `rateLimitExceeded`.
    RateLimit,
    /// 403 `userRateLimitExceeded`.
    UserRateLimit,
    /// 403 `dailyLimitExceeded`, which does not pass soon.
    DailyLimit,
    /// 403 `domainPolicy`, which does not pass at all.
    DomainPolicy,
    /// 500 `backendError`.
    Internal,
    /// 503 `backendError`.
    Unavailable,
}

impl ErrorKind {
    pub(crate) fn error(self, retry_after: Option<String>) -> ApiError {
        let (status, reason, message) = match self {
            Self::TooManyRequests => (429, "rateLimitExceeded", "Quota exceeded"),
            Self::TooManyConcurrent => (
                429,
                "rateLimitExceeded",
                "Too many concurrent requests for user",
            ),
            Self::RateLimit => (403, "rateLimitExceeded", "Rate Limit Exceeded"),
            Self::UserRateLimit => (403, "userRateLimitExceeded", "User Rate Limit Exceeded"),
            Self::DailyLimit => (403, "dailyLimitExceeded", "Daily Limit Exceeded"),
            Self::DomainPolicy => (
                403,
                "domainPolicy",
                "Disabled by the domain's administrator",
            ),
            Self::Internal => (500, "backendError", "Internal error encountered."),
            Self::Unavailable => (503, "backendError", "The service is currently unavailable."),
        };
        let mut error = ApiError::refused(status, reason, message);
        if matches!(status, 403 | 429) && self != Self::DomainPolicy {
            error.domain = "usageLimits";
        }
        error.retry_after = retry_after;
        error
    }
}

impl Faults {
    /// Whether they are for this method.
    pub(crate) fn concern(&self, method: &str) -> bool {
        covers(&self.only, method)
    }

    /// The error that this request gets, if any.
    pub(crate) fn error(&mut self, method: &str, rng: &mut ChaCha8Rng) -> Option<ApiError> {
        if !self.concern(method) {
            return None;
        }
        for fault in &mut self.errors {
            let left = fault.times != Some(0) && covers(&fault.methods, method);
            if left && strikes(fault.probability, rng) {
                fault.times = fault.times.map(|times| times - 1);
                let mut error = fault.kind.error(fault.retry_after.clone());
                if let Some(message) = &fault.message {
                    error.message.clone_from(message);
                }
                return Some(error);
            }
        }
        None
    }
}

fn covers(prefixes: &[String], method: &str) -> bool {
    prefixes.is_empty() || prefixes.iter().any(|prefix| method.starts_with(prefix))
}

/// Whether something of this probability happens now.
pub(crate) fn strikes(probability: f64, rng: &mut ChaCha8Rng) -> bool {
    probability > 0.0 && rng.random_bool(probability.min(1.0))
}
