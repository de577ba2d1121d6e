use std::{str::FromStr, time::Duration};

use gateway_store::StoreResult;
use sqlx::{
    ConnectOptions, Connection as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use store_sql::{Wakes, database_error};

use crate::StorePostgres;

/// How to use the database.
#[derive(Clone, Copy, Debug)]
pub struct PostgresOptions {
    /// Most connections of the pool; one more listens for wakes.
    pub connections: u32,
    /// How long a call waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a statement may take, waiting for locks included.
    pub statement_timeout: Duration,
    /// How long a statement may wait for one lock.
    pub lock_timeout: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 10,
            acquire_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(10),
        }
    }
}

/// A transaction that does nothing for longer was forgotten, and holds its locks for nobody.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(60);

/// A connection that was used so lately is taken as it is; asking it first would double the way to the database and
/// back of most calls.
const FRESH: Duration = Duration::from_secs(1);

/// Every query looks rows up in an index and takes few of them, in the index's order. Statistics that
/// are old, or of another mailbox, shall never make the planner read or sort a whole table instead, nor
/// compile what runs for a millisecond.
const PLANNER: [(&str, &str); 5] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_sort", "off"),
    ("jit", "off"),
];

impl StorePostgres {
    /// Connects to the database that a URL such as `postgres://user:password@host/name` names.
    pub async fn connect(url: &str, options: PostgresOptions) -> StoreResult<Self> {
        let milliseconds = |time: Duration| time.as_millis().to_string();
        let database = PgConnectOptions::from_str(url)
            .map_err(database_error)?
            .disable_statement_logging()
            .options(PLANNER)
            .options([
                ("statement_timeout", milliseconds(options.statement_timeout)),
                ("lock_timeout", milliseconds(options.lock_timeout)),
                (
                    "idle_in_transaction_session_timeout",
                    milliseconds(IDLE_IN_TRANSACTION),
                ),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(options.connections.max(1))
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, state| {
                Box::pin(async move {
                    if state.idle_for > FRESH {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(database.clone())
            .await
            .map_err(database_error)?;
        Ok(Self {
            pool,
            wakes: Wakes::default(),
            database,
        })
    }
}
