use gateway_store::{StoreError, StoreResult};
use sqlx::{
    Connection as _, Executor as _, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use store_sql::database_error;

use crate::StoreSqlite;

const MIGRATIONS: [(&str, &str); 3] = [
    (
        "initial",
        include_str!("../../../migrations/sqlite/0001_initial.sql"),
    ),
    (
        "sign_ins",
        include_str!("../../../migrations/sqlite/0002_sign_ins.sql"),
    ),
    (
        "outbox",
        include_str!("../../../migrations/sqlite/0003_outbox.sql"),
    ),
];

fn migrator() -> Migrator {
    let numbered = (1..).zip(MIGRATIONS);
    let migrations = numbered.map(|(number, (name, sql))| {
        Migration::new(
            number,
            name.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

impl StoreSqlite {
    /// All in one transaction, which is the lock: the migrator knows none for SQLite.
    pub(crate) async fn migrate_schema(&self) -> StoreResult<()> {
        let mut connection = self.writer.acquire().await.map_err(database_error)?;
        // What a new index sorts may be larger than memory.
        connection
            .execute("pragma temp_store = file")
            .await
            .map_err(database_error)?;
        let mut transaction = connection
            .begin_with("begin immediate")
            .await
            .map_err(database_error)?;
        migrator()
            .run_direct(None, &mut *transaction, false)
            .await
            .map_err(|error| StoreError::Database(error.into()))?;
        transaction.commit().await.map_err(database_error)?;
        connection
            .execute("pragma temp_store = memory")
            .await
            .map_err(database_error)?;
        Ok(())
    }
}
