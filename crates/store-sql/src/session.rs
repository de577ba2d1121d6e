use async_trait::async_trait;
use gateway_store::StoreResult;

use crate::{Columns, Values};

/// A connection, in a transaction or not, that runs statements with `$1` placeholders.
#[async_trait]
pub trait Session: Send {
    /// Its rows.
    type Row: Columns + Send;

    /// Whether a transaction that writes is alone with the database.
    const WRITES_ALONE: bool;

    /// Runs a statement; returns the number of rows that it changed.
    async fn execute(&mut self, sql: &'static str, values: Values) -> StoreResult<u64>;

    /// Runs a query.
    async fn rows(&mut self, sql: &'static str, values: Values) -> StoreResult<Vec<Self::Row>>;

    /// Runs a query and keeps its rows from being changed by others until the transaction ends.
    async fn lock(&mut self, sql: &'static str, values: Values) -> StoreResult<Vec<Self::Row>>;

    /// Runs a query that yields one row at most.
    async fn row(&mut self, sql: &'static str, values: Values) -> StoreResult<Option<Self::Row>> {
        Ok(self.rows(sql, values).await?.pop())
    }
}
