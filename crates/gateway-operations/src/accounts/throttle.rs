//! Keeps the sign-in of new accounts from being used to guess passwords or to look for servers.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use gateway_store::ApplicationId;
use moka::sync::Cache;

use super::resolve::Asker;
use crate::{OperationError, OperationErrorKind, OperationResult};

/// How long a failure counts. Mailbox providers lock accounts for about as long.
const COUNTED_FOR: Duration = Duration::from_secs(15 * 60);
/// Failed sign-ins of one login at one server.
const OF_A_LOGIN: u32 = 5;
/// Failed sign-ins of one application at one server: many logins with one password each.
const OF_A_SERVER: u32 = 50;
/// Failed sign-ins of one application anywhere: many servers, one try each.
const OF_AN_APPLICATION: u32 = 200;
/// Failed sign-ins from one address in the browser.
const OF_A_VISITOR: u32 = 20;
/// Failed sign-ins at one server in the browser, from any address.
const OF_A_VISITED_SERVER: u32 = 100;
/// Sign-ins begun from one address, whatever becomes of them.
const BEGUN: u32 = 300;
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
    Visitor(Option<IpAddr>),
    VisitedServer(String),
    Begun(Option<IpAddr>),
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
    /// Takes note of a try. Where no login is known yet the provider's own page signs its user in and says
    /// which mailbox it is: no password is guessed then, and all sign-ins of the provider would share the
    /// counters of a login and of a server. Who asks is counted all the same.
    ///
    /// # Errors
    /// `RateLimited` after too many failures.
    pub fn attempt(&self, asker: Asker, server: &str, login: &str) -> OperationResult<Attempt> {
        // Visitors do not use up what an application may do: they could keep it from connecting.
        let whose = match asker {
            Asker::Application(application) => {
                (Counter::Application(application), OF_AN_APPLICATION)
            }
            Asker::Visitor(address) => (Counter::Visitor(network(address)), OF_A_VISITOR),
        };
        if login.is_empty() {
            return self.count([whose]);
        }
        let server = server.to_lowercase();
        let login = Counter::Login {
            server: server.clone(),
            login: login.to_lowercase(),
        };
        let there = match asker {
            Asker::Application(application) => (
                Counter::Server {
                    application,
                    server,
                },
                OF_A_SERVER,
            ),
            Asker::Visitor(_) => (Counter::VisitedServer(server), OF_A_VISITED_SERVER),
        };
        self.count([(login, OF_A_LOGIN), there, whose])
    }

    /// Takes note of a sign-in that is about to be worked out in the browser: servers are looked for, or a code
    /// is exchanged.
    ///
    /// # Errors
    /// `RateLimited` after too many failures.
    pub fn visit(&self, address: Option<IpAddr>) -> OperationResult<Attempt> {
        self.count([(Counter::Visitor(network(address)), OF_A_VISITOR)])
    }

    /// Takes note of a sign-in that begins.
    ///
    /// # Errors
    /// `RateLimited` where too many begin.
    pub fn begin(&self, address: Option<IpAddr>) -> OperationResult<()> {
        let begun = self.count([(Counter::Begun(network(address)), BEGUN)])?;
        // It counts whatever becomes of it.
        drop(begun);
        Ok(())
    }

    fn count(&self, limits: impl IntoIterator<Item = (Counter, u32)>) -> OperationResult<Attempt> {
        let mut attempt = Attempt(Vec::new());
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

/// Whom an address stands for: of IPv6 a caller has a whole network (RFC 6177).
fn network(address: Option<IpAddr>) -> Option<IpAddr> {
    match address?.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            Some(Ipv6Addr::from(network).into())
        }
        address => Some(address),
    }
}

#[cfg(test)]
mod tests;
