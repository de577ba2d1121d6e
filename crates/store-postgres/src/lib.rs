//! The store on PostgreSQL, 15 or later: for any number of processes on any number of machines.

mod commit;
mod connect;
mod load;
mod migrations;
mod outbox;
#[cfg(test)]
mod plans;
mod session;
mod sizes;
mod store;
mod wakes;

pub use connect::PostgresOptions;

use std::fmt;

use sqlx::{PgPool, postgres::PgConnectOptions};
use store_sql::Wakes;

/// A store in a database.
pub struct StorePostgres {
    pool: PgPool,
    database: PgConnectOptions,
    wakes: Wakes,
}

impl fmt::Debug for StorePostgres {
    // not the options, which hold the password
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorePostgres")
            .field("host", &self.database.get_host())
            .field("database", &self.database.get_database())
            .finish_non_exhaustive()
    }
}
