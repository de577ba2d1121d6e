//! The gateway's databases, opened beside it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use gateway_store::Store;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use store_postgres::{PostgresOptions, StorePostgres};
use store_sqlite::{SqliteOptions, StoreSqlite};

use crate::gateway::Gateway;

/// The two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A gateway's store, through the same code and the same settings.
pub async fn open(gateway: &Gateway) -> Result<Arc<dyn Store>> {
    Ok(match gateway.database_url() {
        Some(url) => Arc::new(StorePostgres::connect(url, PostgresOptions::default()).await?),
        None => {
            let file = gateway.database_file();
            Arc::new(StoreSqlite::open(&file, SqliteOptions::default()).await?)
        }
    })
}

/// Gives back the room of what was written anew and removed. Nobody may use the store meanwhile.
pub async fn vacuum(gateway: &Gateway) -> Result<()> {
    match gateway.database_url() {
        Some(url) => {
            let options: sqlx::postgres::PgConnectOptions = url.parse()?;
            let mut connection = options.connect().await?;
            connection.execute("vacuum").await?;
            connection.close().await?;
        }
        None => vacuum_file(&gateway.database_file()).await?,
    }
    Ok(())
}

async fn vacuum_file(file: &Path) -> Result<()> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.context("the file")?;
    connection.execute("vacuum").await?;
    connection
        .execute("pragma wal_checkpoint(truncate)")
        .await?;
    connection.close().await?;
    Ok(())
}
