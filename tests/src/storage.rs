//! Where a gateway under test keeps its data, and backups of it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use tempfile::TempDir;
use test_servers::Postgres;

/// The two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// A file in the data directory.
    Sqlite,
    /// A database on the shared server.
    Postgres,
}

/// A gateway's data directory and, if it is kept elsewhere, its database.
#[derive(Debug)]
pub struct Storage {
    directory: TempDir,
    database: Option<Database>,
}

#[derive(Debug)]
struct Database {
    server: &'static Postgres,
    name: String,
}

/// A copy of the data, made while no gateway ran.
#[derive(Debug)]
pub enum Backup {
    /// Copies of the database's files.
    Files(TempDir),
    /// A database made from it as the template.
    Template(String),
}

static BACKUPS: AtomicU32 = AtomicU32::new(0);

const SQLITE_FILES: [&str; 3] = ["polypost.db", "polypost.db-wal", "polypost.db-shm"];

impl Storage {
    /// Empty storage.
    ///
    /// # Errors
    /// When the database server is not to be had.
    pub async fn new(kind: StoreKind) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("polypost-under-test-")
            .tempdir()?;
        std::fs::create_dir(directory.path().join("data"))?;
        let database = match kind {
            StoreKind::Sqlite => None,
            StoreKind::Postgres => {
                let server = Postgres::shared().await?;
                let url = server.create_database().await?;
                let name = url.rsplit('/').next().context("a database URL")?;
                let name = name.to_owned();
                Some(Database { server, name })
            }
        };
        Ok(Self {
            directory,
            database,
        })
    }

    /// The directory that the gateway may write to.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Where the gateway's log goes.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.directory.path().join("gateway.log")
    }

    /// The database's URL, unless it is the default.
    #[must_use]
    pub fn database_url(&self) -> Option<String> {
        let database = self.database.as_ref()?;
        Some(database.server.url(&database.name))
    }

    /// Copies the data. No gateway may run on it.
    ///
    /// # Errors
    /// When copying fails.
    pub async fn back_up(&self) -> Result<Backup> {
        match &self.database {
            None => {
                let copy = tempfile::Builder::new()
                    .prefix("polypost-backup-")
                    .tempdir()?;
                copy_files(&self.data_dir(), copy.path())?;
                Ok(Backup::Files(copy))
            }
            Some(database) => {
                let number = BACKUPS.fetch_add(1, Ordering::Relaxed);
                let name = format!("backup_{number}");
                database.copy(&database.name, &name).await?;
                Ok(Backup::Template(name))
            }
        }
    }

    /// Puts a copy in the place of the data. No gateway may run on it.
    ///
    /// # Errors
    /// When copying fails.
    pub async fn restore(&self, backup: &Backup) -> Result<()> {
        match (backup, &self.database) {
            (Backup::Files(copy), _) => {
                let data = self.data_dir();
                for name in SQLITE_FILES {
                    let file = data.join(name);
                    if file.exists() {
                        std::fs::remove_file(file)?;
                    }
                }
                copy_files(copy.path(), &data)
            }
            (Backup::Template(name), Some(database)) => {
                database.drop_named(&database.name).await?;
                database.copy(name, &database.name).await
            }
            (Backup::Template(_), None) => anyhow::bail!("a backup of another store"),
        }
    }
}

impl Database {
    /// A killed client's session may outlive it for a moment; a template must not be in use.
    async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{from}'"
        );
        let create = format!("CREATE DATABASE {to} TEMPLATE {from}");
        for _ in 0..50 {
            self.server.execute(&end).await?;
            match self.server.execute(&create).await {
                Err(error) if error.to_string().contains("being accessed by other users") => {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                other => return other.map(drop),
            }
        }
        anyhow::bail!("{from} stays in use")
    }

    async fn drop_named(&self, name: &str) -> Result<()> {
        let drop_it = format!("DROP DATABASE {name} WITH (FORCE)");
        self.server.execute(&drop_it).await.map(drop)
    }
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    for name in SQLITE_FILES {
        let file = from.join(name);
        if file.exists() {
            std::fs::copy(&file, to.join(name)).with_context(|| file.display().to_string())?;
        }
    }
    Ok(())
}
