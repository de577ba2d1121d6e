use std::time::Duration;

use email_provider::ErrorKind;
use tokio::time::Instant;

use crate::protocol::{error::Error, refusal::is_throttle};

/// Keeps an account from knocking again too soon where the server has refused a connection: many servers
/// lock an account, or the whole address, after repeated attempts.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    refusals: u32,
    last: Option<Refused>,
}

#[derive(Debug)]
struct Refused {
    kind: ErrorKind,
    message: String,
    until: Instant,
}

/// The first wait after too many connections, and after refused credentials.
const THROTTLED: Duration = Duration::from_secs(10);
const CREDENTIALS: Duration = Duration::from_secs(60);
/// The longest wait, unless the server asks for more.
const LONGEST: Duration = Duration::from_secs(15 * 60);

impl Backoff {
    /// Notes a failed connection. An unreachable server is no refusal.
    pub(super) fn note(&mut self, error: &Error, now: Instant) {
        let first = match error {
            Error::Credentials(_) => CREDENTIALS,
            // BYE instead of a greeting is how many servers say "too many".
            Error::Bye(_) => THROTTLED,
            Error::No(status) | Error::Bad(status) if is_throttle(status) => THROTTLED,
            Error::NotNow(_) => THROTTLED,
            _ => return,
        };
        let doubled = first
            .saturating_mul(1 << self.refusals.min(10))
            .min(LONGEST);
        let wait = error.retry_after().unwrap_or_default().max(doubled);
        self.refusals += 1;
        self.last = Some(Refused {
            kind: error.kind(),
            message: error.to_string(),
            until: now + wait,
        });
    }

    /// The refusal that still stands, and until when.
    pub(super) fn refusal(&self, now: Instant) -> Option<(Error, Instant)> {
        let last = self.last.as_ref().filter(|last| last.until > now)?;
        let error = Error::Backoff {
            kind: last.kind,
            message: last.message.clone(),
            wait: last.until - now,
        };
        Some((error, last.until))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::protocol::parse_tagged;

    fn refused(line: &'static str) -> Error {
        Error::sign_in_refused(parse_tagged(&Bytes::from(line)).unwrap().1)
    }

    #[test]
    fn waits_grow_and_end() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        assert!(backoff.refusal(now).is_none());
        backoff.note(&refused("A1 NO [LIMIT] Too many"), now);
        assert!(backoff.refusal(now + Duration::from_secs(9)).is_some());
        assert!(backoff.refusal(now + Duration::from_secs(11)).is_none());
        for _ in 0..40 {
            backoff.note(&refused("A1 NO [LIMIT] Too many"), now);
        }
        let (error, _) = backoff.refusal(now).unwrap();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert_eq!(error.retry_after(), Some(LONGEST));
    }

    #[test]
    fn refused_credentials_are_not_tried_again_at_once() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        backoff.note(&refused("A1 NO [AUTHENTICATIONFAILED] no"), now);
        assert_eq!(
            backoff.refusal(now).unwrap().0.kind(),
            ErrorKind::Unauthenticated
        );
    }

    #[test]
    fn the_wait_that_the_server_names_counts() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        backoff.note(
            &refused("A1 BAD Request is throttled. Suggested Backoff Time: 1800000 milliseconds"),
            now,
        );
        assert_eq!(
            backoff.refusal(now).unwrap().0.retry_after(),
            Some(Duration::from_secs(1800))
        );
        backoff = Backoff::default();
        backoff.note(&Error::Closed, now);
        assert!(backoff.refusal(now).is_none());
    }
}
