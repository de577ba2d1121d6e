//! Keeps the sign-in of new accounts from being used to guess passwords or to look for servers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use gateway_store::ApplicationId;
use moka::sync::Cache;

use crate::{OperationError, OperationErrorKind, OperationResult};

/// How long a failure counts. Mailbox providers lock accounts for about as long.
const COUNTED_FOR: Duration = Duration::from_secs(15 * 60);
/// Failed sign-ins of one login at one server.
const OF_A_LOGIN: u32 = 5;
/// Failed sign-ins of one application at one server: many logins with one password each.
const OF_A_SERVER: u32 = 50;
/// Failed sign-ins of one application anywhere: many servers, one try each.
const OF_AN_APPLICATION: u32 = 200;
/// Most counters kept; the least used go first.
const MOST_COUNTERS: u64 = 50_000;
/// What a refused caller is told to wait.
const WAIT: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counter {
    Login {
        server: String,
        login: String,
    },
    Server {
        application: ApplicationId,
        server: String,
    },
    Application(ApplicationId),
}

/// Counts failed sign-ins of accounts that are being connected.
#[derive(Debug)]
pub(crate) struct ConnectThrottle {
    counters: Cache<Counter, Arc<AtomicU32>>,
}

impl Default for ConnectThrottle {
    fn default() -> Self {
        let counters = Cache::builder()
            .max_capacity(MOST_COUNTERS)
            .time_to_live(COUNTED_FOR)
            .build();
        Self { counters }
    }
}

/// A sign-in that is being tried. It counts as failed until it is told otherwise, so that tries at
/// the same time count too.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt(Vec<Arc<AtomicU32>>);

impl Attempt {
    /// The sign-in worked.
    pub fn succeeded(self) {
        for counter in self.0 {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl ConnectThrottle {
    /// Takes note of a try.
    ///
    /// # Errors
    /// `RateLimited` after too many failures.
    pub fn attempt(
        &self,
        application: ApplicationId,
        server: &str,
        login: &str,
    ) -> OperationResult<Attempt> {
        let server = server.to_lowercase();
        let login = Counter::Login {
            server: server.clone(),
            login: login.to_lowercase(),
        };
        let limits = [
            (login, OF_A_LOGIN),
            (
                Counter::Server {
                    application,
                    server,
                },
                OF_A_SERVER,
            ),
            (Counter::Application(application), OF_AN_APPLICATION),
        ];
        let mut attempt = Attempt(Vec::with_capacity(limits.len()));
        for (counter, limit) in limits {
            let count = self.counters.get_with(counter, Arc::default);
            let before = count.fetch_add(1, Ordering::Relaxed);
            attempt.0.push(count);
            if before >= limit {
                attempt.succeeded();
                return Err(OperationError::new(
                    OperationErrorKind::RateLimited,
                    "too many failed sign-ins",
                )
                .with_retry_after(WAIT));
            }
        }
        Ok(attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: ApplicationId = ApplicationId(1);

    #[test]
    fn a_login_is_refused_after_five_failures_whoever_asks() {
        let throttle = ConnectThrottle::default();
        for _ in 0..OF_A_LOGIN {
            let _failed = throttle.attempt(HERE, "imap.example.org", "ann").unwrap();
        }
        let refused = throttle
            .attempt(ApplicationId(2), "IMAP.example.org", "Ann")
            .unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::RateLimited);
        assert!(refused.retry_after.is_some());
        assert!(throttle.attempt(HERE, "imap.example.org", "bob").is_ok());
    }

    #[test]
    fn sign_ins_that_work_are_never_refused() {
        let throttle = ConnectThrottle::default();
        for _ in 0..1_000 {
            throttle
                .attempt(HERE, "imap.example.org", "ann")
                .unwrap()
                .succeeded();
        }
    }

    #[test]
    fn one_password_tried_on_many_logins_is_refused() {
        let throttle = ConnectThrottle::default();
        for n in 0..OF_A_SERVER {
            let _failed = throttle
                .attempt(HERE, "imap.example.org", &format!("user{n}"))
                .unwrap();
        }
        assert!(
            throttle
                .attempt(HERE, "imap.example.org", "another")
                .is_err()
        );
        assert!(
            throttle
                .attempt(HERE, "imap.example.net", "another")
                .is_ok()
        );
    }

    #[test]
    fn a_search_for_servers_is_refused() {
        let throttle = ConnectThrottle::default();
        for n in 0..OF_AN_APPLICATION {
            let _failed = throttle
                .attempt(HERE, &format!("10.0.0.{n}"), "ann")
                .unwrap();
        }
        assert!(throttle.attempt(HERE, "imap.example.net", "ann").is_err());
    }
}
