//! The store on PostgreSQL, 15 or later: for any number of processes on any number of machines.

mod commit;
mod connect;
mod load;
mod migrations;
#[cfg(test)]
mod plans;
mod session;
mod sizes;
mod store;
mod wakes;

pub use connect::PostgresOptions;

use sqlx::{PgPool, postgres::PgConnectOptions};
use store_sql::Wakes;

/// A store in a database.
#[derive(Debug)]
pub struct StorePostgres {
    pool: PgPool,
    database: PgConnectOptions,
    wakes: Wakes,
}
