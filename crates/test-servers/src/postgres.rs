//! PostgreSQL with databases of the test's own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::OnceCell;

use crate::contained::{Contained, set_mode};
use crate::{free_port, loopback, packages};

/// The account `nobody`: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;

/// Options of [`Postgres::start`].
#[derive(Debug, Clone, Default)]
pub struct PostgresOptions {
    /// Whether commits reach the disk, as in production. Off: a test's data need not survive the machine, but it does
    /// survive [`Postgres::kill_hard`].
    pub fsync: bool,
}

/// A running PostgreSQL, reached by TCP on 127.0.0.1 as `postgres` without a password.
#[derive(Debug)]
pub struct Postgres {
    server: Contained,
    binaries: PathBuf,
    port: u16,
    databases: AtomicU32,
}

impl Postgres {
    /// Copies a fresh cluster and starts it; takes about 0.3 s.
    ///
    /// # Errors
    /// When there are no PostgreSQL binaries (`install.sh`), the process is not root, or the server does not start: then
    /// with the end of its log.
    pub async fn start(options: PostgresOptions) -> Result<Self> {
        let (prefix, binaries, version) = binaries()?;
        let template = packages::prefix(&format!("postgres-template-{version}"))?;
        let server = Contained::new("postgres", prefix)?;
        let port = free_port()?;
        let data = server.path().join("data");
        std::fs::create_dir(&data)?;
        set_mode(&data, 0o700)?;
        std::os::unix::fs::chown(&data, Some(NOBODY), Some(NOBODY)).context("chown needs root")?;

        let as_nobody = format!("setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups");
        let (data, bin) = (data.display(), binaries.display());
        server.write(
            "setup.sh",
            format!(
                "cd '{data}'
if [ -e PG_VERSION ]; then
  rm -f postmaster.pid # of a killed server: nothing else can be in this namespace
else
  cp -a '{}/data/.' .
fi
",
                template.display()
            ),
        )?;
        let durable = if options.fsync { "on" } else { "off" };
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            "unix_socket_directories=".to_owned(),
            "max_connections=500".to_owned(),
            "shared_buffers=128MB".to_owned(),
            "max_wal_size=4GB".to_owned(),
            // Without files in /dev/shm, which a killed server would leave behind.
            "dynamic_shared_memory_type=mmap".to_owned(),
            "jit=off".to_owned(),
            "timezone=UTC".to_owned(),
            format!("fsync={durable}"),
            // Stays on: without fsync it is one write() per commit, and without it kill_hard() would lose commits.
            "synchronous_commit=on".to_owned(),
            format!("full_page_writes={durable}"),
        ]
        .map(|setting| format!(" -c {setting}"))
        .concat();
        server.write(
            "serve.sh",
            format!("exec {as_nobody} '{bin}/postgres' -D '{data}'{settings}"),
        )?;
        let mut postgres = Self {
            server,
            binaries,
            port,
            databases: AtomicU32::new(0),
        };
        postgres.resume().await?;
        Ok(postgres)
    }

    /// One server for the whole test process, with default options.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub async fn shared() -> Result<&'static Self> {
        static SERVER: OnceCell<Postgres> = OnceCell::const_new();
        SERVER
            .get_or_try_init(|| Self::start(PostgresOptions::default()))
            .await
    }

    /// Port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database, which need not exist.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Creates an empty database with a name of its own and returns its URL.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create_database(&self) -> Result<String> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .await?;
        Ok(self.url(&name))
    }

    /// Runs SQL in the database `postgres` and returns the rows, unaligned and without headings.
    ///
    /// # Errors
    /// When the server refuses: then with its complaint.
    pub async fn execute(&self, sql: &str) -> Result<String> {
        let psql = self.binaries.join("psql");
        let psql = psql.to_str().context("a UTF-8 path")?;
        let url = self.url("postgres");
        let arguments = [
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
            &url,
        ];
        let output = self.server.run(psql, &arguments).await?;
        Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned())
    }

    /// Ends the server in order, cutting its sessions (a fast shutdown). The data stays.
    ///
    /// # Errors
    /// When the server does not end within 30 s.
    pub async fn stop(&mut self) -> Result<()> {
        self.server.stop("INT").await
    }

    /// Kills every process of the server at once. The data stays, and the next start recovers it from the log.
    ///
    /// # Errors
    /// When the server had ended by itself.
    pub async fn kill_hard(&mut self) -> Result<()> {
        self.server.stop("KILL").await
    }

    /// Starts a stopped server again on the same port.
    ///
    /// # Errors
    /// When it runs already or does not start.
    pub async fn resume(&mut self) -> Result<()> {
        let port = self.port;
        self.server
            .start(move || async move { accepts(port).await.unwrap_or(false) })
            .await
    }

    /// Stops and starts; the data and the port stay.
    ///
    /// # Errors
    /// As [`Postgres::stop`] and [`Postgres::resume`].
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.resume().await
    }

    /// Whether the server was started and not stopped since.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.server.is_running()
    }

    /// The server's own directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.server.path()
    }

    /// The last lines of the server's log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        self.server.log_tail()
    }
}

/// Whether the server lets a session begin: a server that is starting or recovering listens already and answers with an
/// error (PostgreSQL manual, "Message Flow", "Start-up").
async fn accepts(port: u16) -> Result<bool> {
    let mut stream = loopback::connect_port(port).await?;
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(8 + parameters.len())?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&0x0003_0000_u32.to_be_bytes()).await?;
    stream.write_all(parameters).await?;
    let authentication = stream.read_u8().await? == b'R';
    if authentication {
        // Terminate, so that the server logs no lost connection.
        stream.write_all(b"X\0\0\0\x04").await?;
    }
    Ok(authentication)
}

/// The newest PostgreSQL of this machine, else the one that was unpacked: its prefix, its binaries as seen inside, and its
/// major version.
fn binaries() -> Result<(Option<PathBuf>, PathBuf, u32)> {
    if let Some((version, found)) = newest(Path::new("/usr/lib/postgresql")) {
        return Ok((None, found, version));
    }
    let prefix = packages::prefix("postgresql")?;
    let (version, found) =
        newest(&prefix.join("usr/lib/postgresql")).context("no initdb in the unpacked packages")?;
    let inside = Path::new("/").join(found.strip_prefix(&prefix)?);
    Ok((Some(prefix), inside, version))
}

fn newest(versions: &Path) -> Option<(u32, PathBuf)> {
    let entries = std::fs::read_dir(versions).ok()?.flatten();
    entries
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            let complete = ["initdb", "postgres", "psql"]
                .iter()
                .all(|name| bin.join(name).exists());
            complete.then_some((version, bin))
        })
        .max()
}
