//! The gateway as users run it: the released program in a process of its own, with its usual settings.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_servers::{PASSWORD, free_port};

use crate::client::{self, Client};

const CLIENT_ID: &str = "bench";
const CLIENT_SECRET: &str = "a secret of the benchmarks alone";
const SECRET_KEY: &str = "6b1f0c9e5d7a43828f10b2c3d4e5f60718293a4b5c6d7e8f9011223344556677";
/// How long a gateway may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running gateway; it ends with this value.
#[derive(Debug)]
pub struct Gateway {
    directory: TempDir,
    database: Option<String>,
    port: u16,
    http: reqwest::Client,
    child: Child,
}

impl Gateway {
    /// Starts one on an empty database: its own file, or this one of PostgreSQL.
    pub async fn start(database: Option<String>, settings: &[(&str, &str)]) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("polypost-bench-")
            .tempdir()?;
        let port = free_port()?;
        let log = File::create(directory.path().join("gateway.log"))?;
        // `setpriv` makes the gateway end with this process, however that ends, and is then the gateway itself.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program()?)
            .arg("serve")
            .env_clear()
            .env("POLYPOST_LISTEN", format!("127.0.0.1:{port}"))
            .env("POLYPOST_DATA_DIR", directory.path().join("data"))
            .env("POLYPOST_SECRET_KEY", SECRET_KEY)
            .env("POLYPOST_CLIENT_ID", CLIENT_ID)
            .env("POLYPOST_CLIENT_SECRET", CLIENT_SECRET)
            .env("POLYPOST_ALLOW_HOSTS", "127.0.0.0/8")
            .envs(settings.iter().copied())
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        if let Some(url) = &database {
            command.env("POLYPOST_DATABASE_URL", url);
        }
        let child = command.spawn().context("setpriv")?;
        let mut gateway = Self {
            directory,
            database,
            port,
            http: client::http()?,
            child,
        };
        gateway.until_ready().await?;
        Ok(gateway)
    }

    async fn until_ready(&mut self) -> Result<()> {
        let url = format!("{}/readyz", self.base());
        let start = Instant::now();
        while client::send(self.http.get(&url)).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the gateway ended: {status}\n{}", self.log());
            }
            ensure!(start.elapsed() < PATIENCE, "the gateway does not get ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("gateway.log")).unwrap_or_default()
    }

    /// Connects a mailbox: the account's number, and a client of it.
    pub async fn connect(&self, user: &str, imap_port: u16) -> Result<(i64, Client)> {
        self.connect_by(&imap_account(user, imap_port)).await
    }

    /// Connects a mailbox that can send.
    pub async fn connect_to_send(
        &self,
        user: &str,
        imap_port: u16,
        smtp_port: u16,
        copy_to_sent: bool,
    ) -> Result<Client> {
        let mut account = imap_account(user, imap_port);
        account["serverUrl2"] = format!("smtp://127.0.0.1:{smtp_port}?security=none").into();
        account["copyToSent"] = copy_to_sent.into();
        let (_, client) = self.connect_by(&account).await?;
        Ok(client)
    }

    /// Connects a mailbox by what the API takes.
    pub async fn connect_by(&self, account: &Value) -> Result<(i64, Client)> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Saved {
            account_id: i64,
            access_token: String,
        }
        let url = format!("{}/v1/am/accounts?ensureAccess=true", self.base());
        let request = self
            .http
            .post(url)
            .basic_auth(CLIENT_ID, Some(CLIENT_SECRET));
        let answer = client::send(request.json(account)).await?;
        let saved: Saved = serde_json::from_slice(&answer.body)?;
        Ok((
            saved.account_id,
            Client::new(&self.base(), &saved.access_token)?,
        ))
    }

    /// The file of its embedded database.
    pub fn database_file(&self) -> PathBuf {
        self.directory.path().join("data/polypost.db")
    }

    /// The URL of its PostgreSQL database.
    pub fn database_url(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// Processor time that it has used, in user and in kernel mode (proc(5): fields 14 and 15, in hundredths of a second).
    pub fn processor_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The second field is a name in parentheses that may hold anything.
        let (_, fields) = stat.rsplit_once(')').context("no name")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks =
            |index: usize| -> Result<u64> { Ok(fields.get(index).context("short")?.parse()?) };
        Ok(Duration::from_millis(10 * (ticks(11)? + ticks(12)?)))
    }

    /// Memory of its own that is in use, in KiB (proc(5): `VmRSS`).
    pub fn resident(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// The most that was in use since [`Self::forget_peak`], in KiB (proc(5): `VmHWM`).
    pub fn peak(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// Lets the peak begin with what is in use now (proc(5): 5 in `clear_refs`).
    pub fn forget_peak(&self) -> Result<()> {
        let file = format!("/proc/{}/clear_refs", self.child.id());
        Ok(std::fs::write(file, "5")?)
    }

    fn status(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.context("no such line")?.parse()?)
    }

    /// Ends it in order; what it kept stays until this value is dropped.
    pub async fn stop(&mut self) -> Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            ensure!(start.elapsed() < PATIENCE, "the gateway ignores SIGTERM");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It is a child of this process: an error could only mean that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn imap_account(user: &str, port: u16) -> Value {
    json!({
        "serviceType": "IMAP",
        "active": true,
        "email": user,
        "loginString": user,
        "password": PASSWORD,
        "serverUrl": format!("imap://127.0.0.1:{port}?security=none"),
    })
}

/// The program beside this one.
fn program() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let program = own.parent().unwrap_or(Path::new(".")).join("polypost");
    ensure!(
        program.exists(),
        "{} is not there: scripts/bench builds it",
        program.display()
    );
    Ok(program)
}
