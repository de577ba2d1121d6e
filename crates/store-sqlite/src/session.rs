use async_trait::async_trait;
use gateway_store::StoreResult;
use sqlx::{
    Sqlite, SqliteConnection, Transaction,
    pool::PoolConnection,
    query,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use store_sql::{Value, Values, database_error};

use crate::StoreSqlite;

/// A connection that runs the shared statements.
pub(crate) struct Session<'c>(pub(crate) &'c mut SqliteConnection);

fn bound(sql: &'static str, values: Values) -> Query<'static, Sqlite, SqliteArguments> {
    values
        .into_iter()
        .fold(query(sql), |query, value| match value {
            Value::Integer(value) => query.bind(value),
            Value::Boolean(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
        })
}

#[async_trait]
impl store_sql::Session for Session<'_> {
    type Row = SqliteRow;

    const WRITES_ALONE: bool = true;

    async fn execute(&mut self, sql: &'static str, values: Values) -> StoreResult<u64> {
        let done = bound(sql, values).execute(&mut *self.0).await;
        Ok(done.map_err(database_error)?.rows_affected())
    }

    async fn rows(&mut self, sql: &'static str, values: Values) -> StoreResult<Vec<SqliteRow>> {
        let rows = bound(sql, values).fetch_all(&mut *self.0).await;
        rows.map_err(database_error)
    }

    // a transaction that writes is alone with the database from its beginning
    async fn lock(&mut self, sql: &'static str, values: Values) -> StoreResult<Vec<SqliteRow>> {
        self.rows(sql, values).await
    }
}

impl StoreSqlite {
    pub(crate) async fn reader(&self) -> StoreResult<PoolConnection<Sqlite>> {
        self.readers.acquire().await.map_err(database_error)
    }

    pub(crate) async fn snapshot(&self) -> StoreResult<Transaction<'static, Sqlite>> {
        self.readers.begin().await.map_err(database_error)
    }

    pub(crate) async fn writer(&self) -> StoreResult<Transaction<'static, Sqlite>> {
        let begun = self.writer.begin_with("begin immediate").await;
        begun.map_err(database_error)
    }
}
