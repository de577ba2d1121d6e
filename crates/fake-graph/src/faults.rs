//! What goes wrong on demand, and how the API behaves where its documentation leaves a choice.

use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::error::ApiError;

/// How often something happens; each switch counts its own occasions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum When {
    /// On no occasion.
    #[default]
    Never,
    /// On the next so many occasions.
    Times(u32),
    /// On every nth occasion, beginning with the nth: how many there were, and n.
    Nth(u32, u32),
    /// By chance, with a probability from 0 to 1, from the seed given to [`crate::FakeGraph::seed`].
    Chance(f64),
    /// On every occasion.
    Always,
}

impl When {
    /// On the next occasion alone.
    #[must_use]
    pub const fn once() -> Self {
        Self::Times(1)
    }

    /// On every nth occasion.
    #[must_use]
    pub const fn every(n: u32) -> Self {
        Self::Nth(0, n)
    }

    /// Whether it happens on this occasion.
    pub(crate) fn strikes(&mut self, rng: &mut ChaCha8Rng) -> bool {
        match self {
            Self::Never => false,
            Self::Times(left) => {
                let strikes = *left > 0;
                *left = left.saturating_sub(1);
                strikes
            }
            Self::Nth(seen, n) => {
                *seen += 1;
                let strikes = *seen >= *n;
                if strikes {
                    *seen = 0;
                }
                strikes
            }
            Self::Chance(probability) => {
                *probability > 0.0 && rng.random_bool(probability.min(1.0))
            }
            Self::Always => true,
        }
    }
}

/// Faults, each on its own; the default is none.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// A request with a `$deltatoken` finds that it is no longer good: the round must start anew.
    pub expired_deltas: When,
    /// A request with a `$skiptoken` of a delta finds that it is no longer good, in the middle of a round.
    pub expired_walks: When,
    /// How both are said.
    pub expiry: Expiry,
    /// An item of a delta round stands in it twice, anywhere: the last occurrence counts. An item that left and came
    /// back stands first as removed.
    pub duplicates: When,
    /// A round repeats changes from before its token.
    pub replays: When,
    /// A change of the read flag alone comes with `id`, `isRead` and `parentFolderId`, whatever was selected.
    pub partial_items: When,
    /// A message that was moved is reported as removed where it was, and not where it is now, until it changes again.
    /// Only with immutable ids. Decided at the move.
    pub unreported_arrivals: When,
    /// A message that left a folder and came back between two rounds is reported as removed, and not again until it
    /// changes. Only with immutable ids.
    pub lost_returns: When,
    /// A message that came into a folder and left it between two rounds is not told of at all; otherwise it is reported
    /// as removed. A client that learned of it meanwhile by a read must find out by itself.
    pub untold_visits: When,
    /// A page of a delta or list is empty although a next page is announced; at most three such pages in a row.
    pub empty_pages: When,
    /// How far deltas are behind.
    pub lag: Lag,
    /// `mailFolders/delta` also reports folders of which only the counts changed.
    pub folder_noise: bool,
    /// Folders reported by `mailFolders/delta` come without their counts and hidden flag.
    pub partial_folders: When,
    /// A part of a batch gets 429 `ApplicationThrottled` inside of the batch's 200.
    pub throttled_parts: When,
    /// The `Retry-After` of such a part, whatever it is; none is absent.
    pub part_retry_after: Option<String>,
    /// Parts of a batch answer stand in any order, as the documentation says they may.
    pub shuffled_batches: bool,
    /// Errors instead of an answer.
    pub errors: Vec<ErrorFault>,
    /// A page of more than so many messages with their bodies is 504.
    pub slow_pages: Option<usize>,
    /// `messages.get` does not find a message that is there; asked for again, it does.
    pub missing_messages: When,
    /// A successful answer's body is cut in half, with a length to match.
    pub truncated_bodies: When,
    /// The connection ends in the middle of a body, after the request took effect.
    pub cut_connections: When,
    /// A request has no effect and the connection ends without an answer.
    pub dropped_requests: When,
    /// An answer stops in the middle of its body for [`Self::stall_for`].
    pub stalls: When,
    /// How long; nothing is an hour.
    pub stall_for: Option<Duration>,
    /// How long every answer waits; that long a request is in flight.
    pub delay: Duration,
    /// The request takes effect and the answer is 503.
    pub failures_after_effect: When,
    /// A change notification is dropped, and the lifecycle notification `missed` goes out in its place.
    pub missed_notifications: When,
    /// A change notification stands twice in its collection.
    pub duplicated_notifications: When,
    /// A message handed over with `send` stays a draft for this time before it is in Sent Items; meanwhile it is
    /// in the Outbox, where `messages.get` does not find it.
    pub slow_sending: Duration,
    /// The methods, by the beginning of their ids, that these faults are for; none is all.
    pub only: Vec<String>,
}

/// How a token that is no longer good is refused ("Use delta query", Synchronization reset).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// 410 with the code `syncStateNotFound`, and a `Location` with an empty `$deltatoken`.
    #[default]
    Gone,
    /// 410 with the code `resyncRequired`, without a `Location`.
    ResyncRequired,
    /// 400 `SyncStateNotFound`.
    SyncStateNotFound,
    /// 400 `SyncStateInvalid`.
    SyncStateInvalid,
    /// 404 `syncStateNotFound`.
    NotFound,
}

/// How far deltas are behind the mailbox; everything else shows it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// The newest changes of a mailbox not seen yet.
    pub changes: usize,
    /// Changes not seen because they are younger.
    pub time: Duration,
}

/// An error that some requests get.
#[derive(Clone, Debug)]
pub struct ErrorFault {
    /// Which.
    pub kind: ErrorKind,
    /// How often.
    pub when: When,
    /// The value of `Retry-After`, whatever it is.
    pub retry_after: Option<String>,
    /// The methods, by the beginning of their ids; none is all.
    pub methods: Vec<String>,
}

impl ErrorFault {
    /// An error that every request gets.
    #[must_use]
    pub const fn always(kind: ErrorKind) -> Self {
        Self::when(kind, When::Always)
    }

    /// An error that some requests get.
    #[must_use]
    pub const fn when(kind: ErrorKind, when: When) -> Self {
        Self {
            kind,
            when,
            retry_after: None,
            methods: Vec::new(),
        }
    }

    /// On the next so many occasions.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.when = When::Times(times);
        self
    }

    /// For methods whose id begins so.
    #[must_use]
    pub fn on(mut self, method: &str) -> Self {
        self.methods.push(method.to_owned());
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
    /// 429 `ApplicationThrottled`: over the limit of requests.
    TooManyRequests,
    /// 429 `ApplicationThrottled`: over the limit of concurrent requests of a mailbox.
    MailboxConcurrency,
    /// 401 `InvalidAuthenticationToken`, although the token is good.
    InvalidToken,
    /// 403 `ErrorAccessDenied`, although the scopes suffice.
    AccessDenied,
    /// 404 `MailboxNotEnabledForRESTAPI`: the mailbox is inactive, soft-deleted or on-premises.
    MailboxNotEnabled,
    /// 500 with a page in HTML.
    HtmlPage,
    /// 500 `ErrorInternalServerError`.
    Internal,
    /// 502 without a body.
    BadGateway,
    /// 503 `ErrorMailboxStoreUnavailable`.
    Unavailable,
    /// 503 `ErrorMailboxMoveInProgress`.
    MailboxMove,
    /// 504 `UnknownError` without a message.
    Timeout,
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
            if covers(&fault.methods, method) && fault.when.strikes(rng) {
                let mut error = ApiError::of(fault.kind);
                error.retry_after.clone_from(&fault.retry_after);
                return Some(error);
            }
        }
        None
    }
}

fn covers(prefixes: &[String], method: &str) -> bool {
    prefixes.is_empty() || prefixes.iter().any(|prefix| method.starts_with(prefix))
}
