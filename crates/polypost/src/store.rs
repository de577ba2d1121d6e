//! Opening the database that the configuration names.

use std::{fs, io, path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use gateway_store::Store;
use secrecy::ExposeSecret as _;
use store_postgres::{PostgresOptions, StorePostgres};
use store_sqlite::{SqliteOptions, StoreSqlite};

use crate::Config;

/// An opened database.
#[derive(Clone, Debug)]
pub struct Database {
    /// The store in it.
    pub store: Arc<dyn Store>,
    /// It is a file of this machine, so that the key that seals its secrets can stand beside it.
    pub embedded: bool,
}

/// Opens the database; its schema is not touched.
///
/// # Errors
/// Where it cannot be reached. No error tells the URL, which may hold a password.
pub async fn open(config: &Config) -> anyhow::Result<Database> {
    let options = SqliteOptions::default();
    let Some(url) = &config.database_url else {
        make_directory(&config.data_dir)?;
        let file = config.database_file();
        let store = StoreSqlite::open(&file, options).await;
        let store =
            store.with_context(|| format!("the database {} cannot be opened", file.display()))?;
        return Ok(Database {
            store: Arc::new(store),
            embedded: true,
        });
    };
    let url = url.expose_secret();
    match url.split(':').next() {
        Some("sqlite") => {
            make_directory(&config.data_dir)?;
            let store = StoreSqlite::open_url(url, options).await;
            let store = store.context("the database of database_url cannot be opened")?;
            Ok(Database {
                store: Arc::new(store),
                embedded: true,
            })
        }
        Some("postgres" | "postgresql") => {
            let options = PostgresOptions {
                connections: config.limits.database_connections,
                ..PostgresOptions::default()
            };
            let store = StorePostgres::connect(url, options).await;
            let store = store.context("the database of database_url cannot be reached")?;
            Ok(Database {
                store: Arc::new(store),
                embedded: false,
            })
        }
        _ => bail!("database_url begins with postgres: or sqlite:"),
    }
}

/// The same with the schema brought up to date.
pub async fn open_migrated(config: &Config) -> anyhow::Result<Database> {
    let database = open(config).await?;
    let migrated = database.store.migrate().await;
    migrated.context("the database's schema cannot be brought up to date")?;
    Ok(database)
}

/// Makes a directory that only its owner may read.
fn make_directory(path: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made: io::Result<()> = builder.create(path);
    made.with_context(|| format!("the data directory {} cannot be made", path.display()))
}
