use gateway_store::{StoreError, StoreResult};
use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use store_sql::database_error;

use crate::StoreSqlite;

fn migrator() -> Migrator {
    let initial = include_str!("../../../migrations/sqlite/0001_initial.sql");
    Migrator::with_migrations(vec![Migration::new(
        1,
        "initial".into(),
        MigrationType::Simple,
        initial.into_sql_str(),
        false,
    )])
}

impl StoreSqlite {
    /// All in one transaction, which is the lock: the migrator knows none for SQLite.
    pub(crate) async fn migrate_schema(&self) -> StoreResult<()> {
        let mut transaction = self.writer().await?;
        migrator()
            .run_direct(None, &mut *transaction, false)
            .await
            .map_err(|error| StoreError::Database(error.into()))?;
        transaction.commit().await.map_err(database_error)
    }
}
