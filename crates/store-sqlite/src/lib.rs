//! The store on SQLite: one file, for one machine. Several processes may use it at once.

mod commit;
mod lists;
mod load;
mod migrations;
mod open;
mod outbox;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod purging;
mod session;
mod sizes;
mod store;
mod wakes;

pub use open::SqliteOptions;

use std::sync::Arc;

use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use store_sql::Wakes;
use tokio::sync::Notify;

/// A store in a file. Writes go one after the other through one connection, in the order in which they
/// were asked for; reads go beside them, each on the state of one moment.
#[derive(Debug)]
pub struct StoreSqlite {
    writer: SqlitePool,
    readers: SqlitePool,
    reading: SqliteConnectOptions,
    wakes: Wakes,
    /// Told of every wake of this process.
    wake_added: Arc<Notify>,
}
