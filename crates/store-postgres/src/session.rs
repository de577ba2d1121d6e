use async_trait::async_trait;
use gateway_store::StoreResult;
use sqlx::{
    AssertSqlSafe, PgConnection, Postgres, SqlSafeStr, Transaction,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    query,
    query::Query,
};
use store_sql::{Value, Values, database_error};

use crate::StorePostgres;

/// A connection that runs the shared statements.
pub(crate) struct Session<'c>(pub(crate) &'c mut PgConnection);

const SNAPSHOT: &str = "begin isolation level repeatable read read only";

fn bound(sql: impl SqlSafeStr, values: Values) -> Query<'static, Postgres, PgArguments> {
    let add = |query: Query<'static, _, _>, value| match value {
        Value::Integer(value) => query.bind(value),
        Value::Boolean(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
    };
    values.into_iter().fold(query(sql), add)
}

#[async_trait]
impl store_sql::Session for Session<'_> {
    type Row = PgRow;

    const WRITES_ALONE: bool = false;

    async fn execute(&mut self, sql: &'static str, values: Values) -> StoreResult<u64> {
        let done = bound(sql, values).execute(&mut *self.0).await;
        Ok(done.map_err(database_error)?.rows_affected())
    }

    async fn rows(&mut self, sql: &'static str, values: Values) -> StoreResult<Vec<PgRow>> {
        let rows = bound(sql, values).fetch_all(&mut *self.0).await;
        rows.map_err(database_error)
    }

    async fn lock(&mut self, sql: &'static str, values: Values) -> StoreResult<Vec<PgRow>> {
        // of two constants
        let locking = AssertSqlSafe(format!("{sql} for update"));
        let rows = bound(locking, values).fetch_all(&mut *self.0).await;
        rows.map_err(database_error)
    }
}

impl StorePostgres {
    pub(crate) async fn reader(&self) -> StoreResult<PoolConnection<Postgres>> {
        self.pool.acquire().await.map_err(database_error)
    }

    pub(crate) async fn snapshot(&self) -> StoreResult<Transaction<'static, Postgres>> {
        let begun = self.pool.begin_with(SNAPSHOT).await;
        begun.map_err(database_error)
    }

    pub(crate) async fn writer(&self) -> StoreResult<Transaction<'static, Postgres>> {
        self.pool.begin().await.map_err(database_error)
    }
}
