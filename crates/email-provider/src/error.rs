use std::time::Duration;

/// What went wrong, in the words that the gateway decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The mailbox refused the credentials.
    Unauthenticated,
    /// Signed in, but this is not allowed.
    Forbidden,
    /// The message, folder or part does not exist (any more).
    NotFound,
    /// The request makes no sense to this backend.
    Invalid,
    /// This mailbox cannot do that; the message names the capability.
    Unsupported,
    /// It exists already, or changed underneath.
    Conflict,
    /// Throttled; see `retry_after`.
    RateLimited,
    /// The cursor is no longer good: scan the scope anew.
    CursorExpired,
    /// Down, unreachable, connection lost, deadline passed.
    Unavailable,
    /// The request may or may not have had its effect.
    OutcomeUnknown,
    /// The backend broke its own protocol.
    Unexpected,
}

/// A failed call to a backend.
#[derive(Debug, thiserror::Error)]
#[error("{kind:?}: {message}")]
pub struct ProviderError {
    /// What to do about it.
    pub kind: ErrorKind,
    /// For people. Never holds a secret; text from a server is bounded and free of control characters.
    pub message: String,
    /// How long the backend asks to wait: at most a day.
    pub retry_after: Option<Duration>,
    /// The cause, for the operator's log.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of a call to a backend.
pub type ProviderResult<T> = Result<T, ProviderError>;

impl ProviderError {
    /// Longest message kept, in characters.
    const LONGEST: usize = 300;

    /// Longest wait that is believed. It is added to times, and servers write numbers that no time can hold.
    const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

    /// An error of this kind. The message is cut to 300 characters and cleaned of control characters.
    pub fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        let message = message
            .as_ref()
            .chars()
            .take(Self::LONGEST)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        Self {
            kind,
            message,
            retry_after: None,
            source: None,
        }
    }

    /// Adds the cause.
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds the wait that the backend asked for, cut to a day.
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait.min(Self::LONGEST_WAIT));
        self
    }

    /// Whether the same call may succeed later without anything else being done.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::RateLimited | ErrorKind::Unavailable)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn a_wait_that_no_time_can_hold_is_cut_to_a_day() {
        for asked in [Duration::from_secs(u64::MAX), Duration::MAX] {
            let error = ProviderError::new(ErrorKind::RateLimited, "slow").with_retry_after(asked);
            let wait = error.retry_after.unwrap();
            assert_eq!(wait.as_secs(), 24 * 60 * 60);
            assert!(Instant::now().checked_add(wait).is_some());
        }
        let hour = Duration::from_secs(3600);
        let error = ProviderError::new(ErrorKind::Unavailable, "down").with_retry_after(hour);
        assert_eq!(error.retry_after, Some(hour));
    }
}
