use std::{path::Path, str::FromStr, sync::Arc, time::Duration};

use gateway_store::{StoreError, StoreResult};
use sqlx::{
    ConnectOptions, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use store_sql::{Wakes, database_error};

use crate::StoreSqlite;

/// How to use the file.
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    /// Most reads at once.
    pub readers: u32,
    /// How long to wait for a lock that another process holds.
    pub busy_timeout: Duration,
    /// How long a call waits for its turn within this process.
    pub acquire_timeout: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(10),
            acquire_timeout: Duration::from_secs(60),
        }
    }
}

/// The write-ahead log is copied into the file when it has so many pages of 4 KiB. A page of new
/// messages touches hundreds of index pages, many of them again and again: the fewer copies, the better.
const CHECKPOINT: &str = "8000";

/// The log is cut back to this many bytes when it has grown beyond.
const LOG_LIMIT: &str = "67108864";

/// Memory for pages of the connection that writes, and of each that reads, in KiB (negative: not pages).
const WRITER_CACHE: &str = "-32768";
const READER_CACHE: &str = "-2048";

/// Rows that a reading thread gives out before it waits for them to be taken: a page as a whole.
const ROWS_AHEAD: usize = 512;

impl StoreSqlite {
    /// Opens the store in this file. Creates the file, for its owner alone to read, if it is not there.
    pub async fn open(path: &Path, options: SqliteOptions) -> StoreResult<Self> {
        create(path).map_err(|error| StoreError::Database(error.into()))?;
        let file = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .busy_timeout(options.busy_timeout)
            .disable_statement_logging();
        let writing = file
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", CHECKPOINT)
            .pragma("journal_size_limit", LOG_LIMIT)
            .pragma("cache_size", WRITER_CACHE)
            // What undoes half a statement would otherwise go through a file: each page that it changes.
            .pragma("temp_store", "memory");
        let reading = file
            .row_buffer_size(ROWS_AHEAD)
            .pragma("query_only", "on")
            .pragma("cache_size", READER_CACHE);
        Ok(Self {
            writer: writer(writing, options).await?,
            readers: pool(options.readers.max(1), options).connect_lazy_with(reading.clone()),
            reading,
            wakes: Wakes::default(),
            wake_added: Arc::default(),
        })
    }

    /// Opens the store that a URL such as `sqlite:///var/lib/mail.db` or `sqlite:mail.db` names.
    pub async fn open_url(url: &str, options: SqliteOptions) -> StoreResult<Self> {
        if url.contains(":memory:") {
            let refusal = std::io::Error::other("a store in memory would forget everything");
            return Err(StoreError::Database(refusal.into()));
        }
        let named = SqliteConnectOptions::from_str(url).map_err(database_error)?;
        Self::open(named.get_filename(), options).await
    }
}

fn pool(connections: u32, options: SqliteOptions) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Connects for writing. A file that two processes open for the first time at once is refused to one
/// of them without waiting while the other turns its log on.
async fn writer(file: SqliteConnectOptions, options: SqliteOptions) -> StoreResult<SqlitePool> {
    let pause = Duration::from_millis(20);
    let mut left = options.busy_timeout;
    loop {
        match pool(1, options).connect_with(file.clone()).await {
            Err(error) if is_busy(&error) && !left.is_zero() => {
                tokio::time::sleep(pause).await;
                left = left.saturating_sub(pause);
            }
            done => return done.map_err(database_error),
        }
    }
}

/// `SQLITE_BUSY` and its extended codes (<https://www.sqlite.org/rescode.html>).
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// The log and its index get the permissions of the file that they belong to.
fn create(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
