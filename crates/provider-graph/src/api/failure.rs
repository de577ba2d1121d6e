//! Failed requests, before the gateway's terms.

use email_provider::{ErrorKind, ProviderError};

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
}

impl Failure {
    pub(crate) fn unreached(is_forbidden: bool) -> Self {
        Self::Unreached { is_forbidden }
    }

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
        }
    }
}
