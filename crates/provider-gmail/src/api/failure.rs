//! Failed requests, before the gateway's terms.

use std::{
    error::Error as _,
    sync::{Arc, Mutex, PoisonError},
};

use email_model::Timestamp;
use email_provider::{ErrorKind, ProviderError, network::NetworkError};
use google_apis_common as common;
use hyper_util::client::legacy;
use serde_json::Value;

use crate::error::{self, Effect, Refusal};

/// What went wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection came about: nothing was sent.
    Unreached { is_forbidden: bool },
    /// The connection or a part of the answer was lost.
    Lost,
    /// An answer that is none.
    Unreadable,
    /// The server refused.
    Refused(Refusal),
    /// What was to be sent could not be read.
    Unsendable(ProviderError),
}

impl Failure {
    pub(crate) fn is_of_token(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_of_token())
    }

    pub(crate) fn into_error(self, effect: Effect) -> ProviderError {
        match self {
            Self::Unreached { is_forbidden: true } => ProviderError::new(
                ErrorKind::Unexpected,
                "this gateway may not connect to the address of the API",
            ),
            Self::Unreached { .. } => {
                ProviderError::new(ErrorKind::Unavailable, "the mailbox cannot be reached")
            }
            Self::Lost => error::lost(effect),
            Self::Unreadable => error::unreadable(),
            Self::Refused(refusal) => refusal.into_error(effect),
            Self::Unsendable(error) => error,
        }
    }
}

impl From<legacy::Error> for Failure {
    fn from(error: legacy::Error) -> Self {
        if !error.is_connect() {
            return Self::Lost;
        }
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(network) = error.downcast_ref::<NetworkError>() {
                return Self::Unreached {
                    is_forbidden: *network == NetworkError::Forbidden,
                };
            }
            cause = error.source();
        }
        Self::Unreached {
            is_forbidden: false,
        }
    }
}

/// Keeps what the client library forgets of a refusal: its status and headers.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    now: Timestamp,
    refusal: Arc<Mutex<Option<Refusal>>>,
}

impl Seen {
    pub(crate) fn at(now: Timestamp) -> Self {
        Self {
            now,
            refusal: Arc::default(),
        }
    }

    /// What the library's error means. Its texts are not used: they may hold whole answers.
    pub(crate) fn failure(&self, error: common::Error) -> Failure {
        let refusal = self
            .refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match (error, refusal) {
            (_, Some(refusal)) => Failure::Refused(refusal),
            (common::Error::HttpError(error), _) => error.into(),
            // An answer that was cut off looks to the library like one of nothing.
            (common::Error::JsonDecodeError(_, error), _) if error.is_eof() => Failure::Lost,
            (common::Error::Io(_), _) => Failure::Lost,
            _ => Failure::Unreadable,
        }
    }
}

impl common::Delegate for Seen {
    fn http_failure(&mut self, answer: &common::Response, body: Option<&Value>) -> common::Retry {
        let header = answer.headers().get(hyper::header::RETRY_AFTER);
        let header = header.and_then(|value| value.to_str().ok());
        let refusal = Refusal::new(answer.status(), header, body, self.now);
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
        common::Retry::Abort
    }
}
