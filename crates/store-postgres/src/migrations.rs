use gateway_store::{StoreError, StoreResult};
use sqlx::{
    ConnectOptions, Connection, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use store_sql::database_error;

use crate::StorePostgres;

const MIGRATIONS: [(&str, &str); 3] = [
    (
        "initial",
        include_str!("../../../migrations/postgres/0001_initial.sql"),
    ),
    (
        "sign_ins",
        include_str!("../../../migrations/postgres/0002_sign_ins.sql"),
    ),
    (
        "outbox",
        include_str!("../../../migrations/postgres/0003_outbox.sql"),
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

impl StorePostgres {
    /// The migrator holds an advisory lock meanwhile. On a connection of its own, since another
    /// process that migrates a large table is waited for as long as it takes.
    pub(crate) async fn migrate_schema(&self) -> StoreResult<()> {
        let patient = self
            .database
            .clone()
            .options([("statement_timeout", 0), ("lock_timeout", 0)]);
        let mut connection = patient.connect().await.map_err(database_error)?;
        migrator()
            .run_direct(None, &mut connection, false)
            .await
            .map_err(|error| StoreError::Database(error.into()))?;
        connection.close().await.map_err(database_error)
    }
}
