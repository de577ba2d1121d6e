//! The outbox's table, where time is made to pass.

use anyhow::Result;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::Storage;

/// Sends that wait for their time are due now.
const DUE: &str = "update send set due_at = 0 where state = 'queued' and holder is null";
/// Whoever held a send counts as dead by now.
const LAPSED: &str = "update send set due_at = 0, held_until = 0 where holder is not null";

/// Makes every scheduled send due.
///
/// # Errors
/// When the database is not to be had.
pub async fn make_due(storage: &Storage) -> Result<()> {
    run(storage, DUE).await
}

/// Makes whatever a dead gateway held free for others, as it becomes by itself after some minutes.
///
/// # Errors
/// When the database is not to be had.
pub async fn let_lapse(storage: &Storage) -> Result<()> {
    run(storage, LAPSED).await
}

async fn run(storage: &Storage, statement: &'static str) -> Result<()> {
    match storage.database_url() {
        Some(url) => {
            let mut database = PgConnection::connect(&url).await?;
            sqlx::query(statement).execute(&mut database).await?;
            database.close().await?;
        }
        None => {
            let file = storage.data_dir().join("polypost.db");
            let url = format!("sqlite://{}", file.display());
            let mut database = SqliteConnection::connect(&url).await?;
            sqlx::query(statement).execute(&mut database).await?;
            database.close().await?;
        }
    }
    Ok(())
}
