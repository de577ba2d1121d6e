//! Opening the database that the configuration names.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, bail};
use gateway_store::Store;
use secrecy::ExposeSecret as _;
use store_postgres::{PostgresOptions, StorePostgres};
use store_sqlite::{SqliteOptions, StoreSqlite};

use crate::Config;

/// Opens the database; its schema is not touched.
///
/// # Errors
/// Where it cannot be reached. No error tells the URL, which may hold a password.
pub async fn open(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let options = SqliteOptions::default();
    let Some(url) = &config.database_url else {
        make_directory(&config.data_dir)?;
        let file = config.database_file();
        let store = StoreSqlite::open(&file, options).await;
        let shown = file.display();
        return Ok(Arc::new(store.with_context(|| {
            format!("the database {shown} cannot be opened")
        })?));
    };
    let url = url.expose_secret();
    match url.split(':').next() {
        Some("sqlite") => {
            make_directory(&config.data_dir)?;
            let store = StoreSqlite::open_url(url, options).await;
            Ok(Arc::new(store.context(
                "the database of database_url cannot be opened",
            )?))
        }
        Some("postgres" | "postgresql") => {
            let options = PostgresOptions {
                connections: config.limits.database_connections,
                ..PostgresOptions::default()
            };
            let store = StorePostgres::connect(url, options).await;
            Ok(Arc::new(store.context(
                "the database of database_url cannot be reached",
            )?))
        }
        _ => bail!("database_url begins with postgres: or sqlite:"),
    }
}

/// The same with the schema brought up to date.
///
/// # Errors
/// As [`open`].
pub async fn open_migrated(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let store = open(config).await?;
    let migrated = store.migrate().await;
    migrated.context("the database's schema cannot be brought up to date")?;
    Ok(store)
}

/// Held by the one process that serves from a store which is not shared. The machine lets go of it when
/// the process ends, in whatever way.
#[derive(Debug)]
pub struct Serving(#[expect(dead_code, reason = "held for its lock")] Option<File>);

impl Serving {
    /// Begins to serve.
    ///
    /// # Errors
    /// Where another process does.
    pub fn begin(config: &Config, store: &dyn Store) -> anyhow::Result<Self> {
        if store.is_shared() {
            return Ok(Self(None));
        }
        let path = config.data_dir.join("serving.lock");
        let shown = path.display();
        let file = File::create(&path).with_context(|| format!("{shown} cannot be written"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(Some(file))),
            Err(TryLockError::WouldBlock) => bail!(
                "another gateway serves from {}: only one at a time can, unless they share a PostgreSQL",
                config.data_dir.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("{shown} cannot be locked"))
            }
        }
    }
}

/// Makes a directory that only its owner may read.
fn make_directory(path: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made: io::Result<()> = builder.create(path);
    made.with_context(|| format!("the data directory {} cannot be made", path.display()))
}
