//! An account's connections to its sending server: few, and kept for a short while.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use email_provider::network::Network;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

use super::{
    connect::SmtpConfig,
    connection::Connection,
    envelope::Envelope,
    error::{Error, Result},
    offer::Offer,
    transaction::{Accepted, Content},
};
use crate::protocol::Tls;

/// Connections at the same time.
const MOST: usize = 2;
/// An unused connection is closed after this time.
const KEEP: Duration = Duration::from_secs(30);

/// See the module.
pub(crate) struct SmtpPool(Arc<Inner>);

struct Inner {
    config: SmtpConfig,
    tls: Tls,
    network: Arc<dyn Network>,
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The longest idle first.
    idle: Vec<Connection>,
    offer: Option<Offer>,
    closed: bool,
}

impl SmtpPool {
    /// A pool without connections. `offer` is what is known of the server.
    pub(crate) fn new(
        config: SmtpConfig,
        tls: Tls,
        network: Arc<dyn Network>,
        offer: Option<Offer>,
    ) -> Self {
        Self(Arc::new(Inner {
            config,
            tls,
            network,
            permits: Semaphore::new(MOST),
            state: Mutex::new(State {
                offer,
                ..State::default()
            }),
        }))
    }

    pub(crate) fn host(&self) -> &str {
        &self.0.config.host
    }

    /// What the server offered last, as far as is known.
    pub(crate) fn offer(&self) -> Option<Offer> {
        self.0.state().offer
    }

    /// Closes what is idle, and everything else as it becomes so. No connection is made afterwards.
    pub(crate) fn close(&self) {
        let mut state = self.0.state();
        state.closed = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        farewell(idle);
    }

    /// Hands a message over, once. An idle connection that turns out to be dead before the server took as much as the
    /// sender is replaced.
    ///
    /// # Errors
    /// `OutcomeUnknown` where the server may have taken the message; after any other nobody gets it.
    pub(crate) async fn send(
        &self,
        envelope: &Envelope,
        content: Content,
        deadline: Instant,
    ) -> Result<Accepted> {
        let _permit = timeout_at(deadline, self.0.permits.acquire())
            .await
            .map_err(|_| Error::Timeout("a free connection"))?
            .map_err(|_| Error::Closed)?;
        let mut lease = Lease {
            connection: None,
            pool: Arc::clone(&self.0),
        };
        if let Some(connection) = self.idle(deadline).await? {
            let begun = lease
                .take(connection)
                .mail(envelope, content.facts, deadline)
                .await;
            match begun {
                Ok(()) => return lease.deliver(envelope, content, deadline).await,
                Err(error) if error.is_lost() => lease.connection = None,
                Err(error) => return Err(error),
            }
        }
        let config = &self.0.config;
        let opened = Connection::open(config, &self.0.tls, &*self.0.network, deadline).await?;
        self.0.state().offer = Some(opened.offer());
        let connection = lease.take(opened);
        connection.mail(envelope, content.facts, deadline).await?;
        lease.deliver(envelope, content, deadline).await
    }

    /// An idle connection that answers.
    async fn idle(&self, deadline: Instant) -> Result<Option<Connection>> {
        loop {
            let found = {
                let mut state = self.0.state();
                if state.closed {
                    return Err(Error::Closed);
                }
                state.idle.pop()
            };
            match found {
                None => return Ok(None),
                Some(mut connection) => {
                    if connection.last_used().elapsed() < KEEP
                        && connection.is_alive(deadline).await
                    {
                        return Ok(Some(connection));
                    }
                }
            }
        }
    }
}

impl fmt::Debug for SmtpPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SmtpPool").field(&self.0.config).finish()
    }
}

impl Drop for SmtpPool {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_back(self: &Arc<Self>, connection: Connection) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if !connection.is_usable() {
            return;
        }
        let mut state = self.state();
        if state.closed {
            drop(state);
            return farewell([connection]);
        }
        state.idle.push(connection);
        drop(state);
        runtime.spawn(reap(Arc::downgrade(self)));
    }
}

/// Closes what has been idle for too long by then.
async fn reap(pool: Weak<Inner>) {
    sleep(KEEP).await;
    let Some(pool) = pool.upgrade() else { return };
    let old: Vec<Connection> = pool
        .state()
        .idle
        .extract_if(.., |connection| connection.last_used().elapsed() >= KEEP)
        .collect();
    farewell(old);
}

/// Closes connections politely, where there is a runtime to do it in.
fn farewell(connections: impl IntoIterator<Item = Connection>) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        for connection in connections {
            runtime.spawn(connection.close());
        }
    }
}

/// A connection in use. It goes back when this is dropped, unless it has become unusable.
struct Lease {
    connection: Option<Connection>,
    pool: Arc<Inner>,
}

impl Lease {
    fn take(&mut self, connection: Connection) -> &mut Connection {
        self.connection.insert(connection)
    }

    async fn deliver(
        &mut self,
        envelope: &Envelope,
        content: Content,
        deadline: Instant,
    ) -> Result<Accepted> {
        match &mut self.connection {
            Some(connection) => connection.deliver(envelope, content, deadline).await,
            None => Err(Error::Closed),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.put_back(connection);
        }
    }
}
