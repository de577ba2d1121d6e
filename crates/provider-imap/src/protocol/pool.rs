//! The connections of an account: few, shared, and thrown away at the first doubt.

mod backoff;

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use email_provider::network::Network;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout_at},
};

use self::backoff::Backoff;
use super::{
    command::Command,
    config::{Auth, ImapConfig},
    connection::Connection,
    error::{Error, Result},
    mailbox::MailboxName,
    tls::Tls,
};

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// To wait for changes, for hours.
    Watch,
    /// Someone waits for the answer.
    Interactive,
    /// A scan or a large transfer.
    Bulk,
}

/// An account's connections. [`PoolOptions`](super::PoolOptions) says how many there are of each class.
///
/// An interactive use takes a bulk connection that is free, but no bulk use takes the last way for
/// interactive ones. What is idle serves any class, best the one that has the mailbox selected.
pub struct Pool(Arc<Inner>);

struct Inner {
    config: Mutex<Arc<ImapConfig>>,
    tls: Tls,
    network: Arc<dyn Network>,
    /// Permits to use a connection.
    watch: Arc<Semaphore>,
    interactive: Arc<Semaphore>,
    bulk: Arc<Semaphore>,
    state: Mutex<State>,
    /// A connection was put back or thrown away.
    returned: Notify,
}

#[derive(Default)]
struct State {
    /// Idle connections, the longest idle first.
    idle: Vec<Connection>,
    in_use: usize,
    /// Of these, the ones that come back soon: all but those that watch.
    lent: usize,
    backoff: Backoff,
    reaping: bool,
    closed: bool,
    /// Grows when the credentials change: connections of before are not kept.
    generation: u64,
}

impl Pool {
    /// A pool without connections: the first is made when it is wanted.
    ///
    /// # Errors
    /// When the account's certificate authorities cannot be read.
    pub fn new(config: ImapConfig, network: Arc<dyn Network>) -> Result<Self> {
        let (tls, options) = (Tls::new(&config)?, config.pool);
        let permits = |count: usize| Arc::new(Semaphore::new(count));
        Ok(Self(Arc::new(Inner {
            config: Mutex::new(Arc::new(config)),
            tls,
            network,
            watch: permits(options.watch),
            interactive: permits(options.interactive.max(1)),
            bulk: permits(options.bulk),
            state: Mutex::default(),
            returned: Notify::new(),
        })))
    }

    /// Replaces the credentials. Connections that are signed in with the old ones are closed when they
    /// become idle, and an earlier refusal is forgotten.
    pub fn set_auth(&self, auth: Auth) {
        let mut config = lock(&self.0.config);
        *config = Arc::new(ImapConfig {
            auth,
            ..ImapConfig::clone(&config)
        });
        drop(config);
        let mut state = self.0.state();
        state.generation += 1;
        state.backoff = Backoff::default();
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        self.0.returned.notify_waiters();
        farewell(idle);
    }

    /// A connection, ready for a command, if possible one with this mailbox selected.
    ///
    /// # Errors
    /// `Timeout` where all are in use until the deadline; `Backoff` while an earlier refusal stands; and
    /// those of [`Connection::open`].
    pub async fn acquire(
        &self,
        class: Class,
        deadline: Instant,
        mailbox: Option<&MailboxName>,
    ) -> Result<PooledConnection> {
        let permit = timeout_at(deadline, self.permit(class))
            .await
            .map_err(|_| Error::Timeout("a free connection"))?;
        loop {
            let returned = self.0.returned.notified();
            let mut returned = std::pin::pin!(returned);
            returned.as_mut().enable();
            let mut seat = match self.seat(class, mailbox)? {
                Seat::Taken(seat) => *seat,
                Seat::Full(until) => {
                    // As many connections as the server allows are in use: one of them will do. Who waits may be
                    // the one who holds it, so that another is tried once the refusal is over.
                    let waited = timeout_at(deadline.min(until), returned).await;
                    if waited.is_err() && deadline <= until {
                        return Err(Error::Timeout("a free connection"));
                    }
                    continue;
                }
            };
            if let Some(mut connection) = seat.connection.take() {
                if !self.is_alive(&mut connection, deadline).await {
                    continue;
                }
                seat.connection = Some(connection);
            } else {
                // In a box of its own: whoever watches for hours keeps no room for it.
                seat.connection = Some(Box::pin(self.open(seat.generation, deadline)).await?);
            }
            return Ok(PooledConnection {
                seat,
                _permit: permit,
            });
        }
    }

    /// Closes what is idle, and everything else as it becomes so. No connection is made afterwards.
    pub fn close(&self) {
        let mut state = self.0.state();
        state.closed = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        farewell(idle);
    }

    /// For connections of the account that are not its own.
    pub fn tls(&self) -> Tls {
        self.0.tls.clone()
    }

    /// Connections now: in use, and idle.
    pub fn connections(&self) -> (usize, usize) {
        let state = self.0.state();
        (state.in_use, state.idle.len())
    }

    async fn permit(&self, class: Class) -> Option<OwnedSemaphorePermit> {
        let (first, second) = match class {
            Class::Watch => (&self.0.watch, None),
            Class::Bulk => (&self.0.bulk, None),
            Class::Interactive => (&self.0.interactive, Some(&self.0.bulk)),
        };
        let Some(second) = second else {
            return first.clone().acquire_owned().await.ok();
        };
        tokio::select! {
            biased;
            permit = first.clone().acquire_owned() => permit.ok(),
            permit = second.clone().acquire_owned() => permit.ok(),
        }
    }

    /// An idle connection, or leave to make one.
    fn seat(&self, class: Class, mailbox: Option<&MailboxName>) -> Result<Seat> {
        let mut state = self.0.state();
        if state.closed {
            return Err(Error::Closed);
        }
        let has_it =
            |c: &Connection| mailbox.is_some() && c.selected().map(|s| &s.mailbox) == mailbox;
        let found = state
            .idle
            .iter()
            .rposition(has_it)
            .or(state.idle.len().checked_sub(1));
        let connection = found.map(|index| state.idle.remove(index));
        if connection.is_none()
            && let Some((error, until)) = state.backoff.refusal(Instant::now())
        {
            return match state.lent {
                0 => Err(error),
                _ => Ok(Seat::Full(until)),
            };
        }
        state.in_use += 1;
        state.lent += usize::from(class != Class::Watch);
        Ok(Seat::Taken(Box::new(Held {
            connection,
            class,
            pool: self.0.clone(),
            generation: state.generation,
        })))
    }

    /// Whether an idle connection can be used. One that has been idle for long is asked.
    async fn is_alive(&self, connection: &mut Connection, deadline: Instant) -> bool {
        if !connection.is_still_open() {
            return false;
        }
        if connection.last_used().elapsed() < self.config().pool.check_after {
            return true;
        }
        const ANSWER: Duration = Duration::from_secs(5);
        let limit = deadline.min(Instant::now() + ANSWER);
        connection.run(Command::new("NOOP"), limit).await.is_ok()
    }

    async fn open(&self, generation: u64, deadline: Instant) -> Result<Connection> {
        let config = self.config();
        let result = Connection::open(&config, &self.0.tls, &*self.0.network, deadline).await;
        let mut state = self.0.state();
        match &result {
            // About credentials that have been replaced meanwhile.
            _ if generation != state.generation => {}
            Ok(_) => state.backoff = Backoff::default(),
            Err(error) => state.backoff.note(error, Instant::now()),
        }
        result
    }

    fn config(&self) -> Arc<ImapConfig> {
        lock(&self.0.config).clone()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.config()).finish()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Takes a connection back, or notes that it is gone.
    fn put_back(self: &Arc<Self>, connection: Option<Connection>, class: Class, generation: u64) {
        let mut state = self.state();
        state.in_use -= 1;
        state.lent -= usize::from(class != Class::Watch);
        let keep = !state.closed && generation == state.generation;
        match connection.filter(Connection::is_usable) {
            Some(connection) if keep => {
                // Most accounts have one: no room for the four that a vector would begin with.
                state.idle.reserve_exact(1);
                state.idle.push(connection);
                if !state.reaping && tokio::runtime::Handle::try_current().is_ok() {
                    state.reaping = true;
                    tokio::spawn(reap(Arc::downgrade(self)));
                }
            }
            connection => {
                drop(state);
                farewell(connection);
            }
        }
        self.returned.notify_waiters();
    }

    /// Takes out what has been idle for too long, and says when to look again.
    fn expired(&self) -> (Vec<Connection>, Option<Instant>) {
        let keep = lock(&self.config).pool.keep;
        let mut state = self.state();
        let now = Instant::now();
        let expired = state
            .idle
            .extract_if(.., |c| c.last_used() + keep <= now)
            .collect();
        let next = state.idle.iter().map(|c| c.last_used() + keep).min();
        state.reaping = next.is_some();
        (expired, next)
    }
}

/// Closes connections that stay idle; ends when there are none.
async fn reap(pool: Weak<Inner>) {
    let mut next = Instant::now();
    loop {
        sleep_until(next).await;
        let Some(inner) = pool.upgrade() else { return };
        let (expired, at) = inner.expired();
        drop(inner);
        farewell(expired);
        match at {
            Some(at) => next = at,
            None => return,
        }
    }
}

/// Closes connections politely, where there is a runtime to do it in.
fn farewell(connections: impl IntoIterator<Item = Connection>) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        for connection in connections {
            runtime.spawn(connection.close());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What there is for who wants a connection.
enum Seat {
    /// A connection, or leave to make one.
    Taken(Box<Held>),
    /// The server refuses another one until then: one must come back first.
    Full(Instant),
}

/// Counts a connection, or one in the making, as in use.
struct Held {
    connection: Option<Connection>,
    class: Class,
    pool: Arc<Inner>,
    generation: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.pool
            .put_back(self.connection.take(), self.class, self.generation);
    }
}

/// A connection on loan. It goes back when dropped, unless it has become unusable.
pub struct PooledConnection {
    // In this order: the connection is back before another may take its place.
    seat: Held,
    _permit: Option<OwnedSemaphorePermit>,
}

const LENT: &str = "a connection is there until the loan ends";

impl Deref for PooledConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.seat.connection.as_ref().expect(LENT)
    }
}

impl DerefMut for PooledConnection {
    fn deref_mut(&mut self) -> &mut Connection {
        self.seat.connection.as_mut().expect(LENT)
    }
}

impl fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledConnection")
            .field("selected", &self.selected())
            .finish_non_exhaustive()
    }
}
