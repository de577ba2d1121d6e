//! The gateway as a process of its own, which can be killed at any moment.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use test_servers::{PASSWORD, free_port};

use crate::{Answer, Api, Auth, Backup, Call, Storage, StoreKind};

/// The application that every gateway under test has.
pub const CLIENT_ID: &str = "tests";

/// Its secret.
pub const CLIENT_SECRET: &str = "a secret of the tests alone";

const SECRET_KEY: &str = "6b1f0c9e5d7a43828f10b2c3d4e5f60718293a4b5c6d7e8f9011223344556677";

/// How long a gateway may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a gateway under test is like.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// Where it keeps its data.
    pub store: StoreKind,
    /// Whether accounts may be on loopback.
    pub allow_loopback: bool,
    /// More settings, as `POLYPOST_…` variables.
    pub settings: Vec<(String, String)>,
}

impl GatewayOptions {
    /// Of a store, with accounts on loopback.
    #[must_use]
    pub fn new(store: StoreKind) -> Self {
        Self {
            store,
            allow_loopback: true,
            settings: Vec::new(),
        }
    }

    /// Adds a setting by its name in the environment; `{base}` in its value is where the gateway serves.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A gateway. Its process ends with this value, and also when the test process dies in any way: it holds the other end of
/// the child's standard input.
#[derive(Debug)]
pub struct GatewayProcess {
    program: PathBuf,
    storage: Storage,
    options: GatewayOptions,
    port: u16,
    child: Option<Child>,
}

impl GatewayProcess {
    /// Starts a gateway on empty storage and waits until it is ready. `program` is `polypost-under-test`.
    ///
    /// # Errors
    /// When it ends or is not ready in time: then with the end of its log.
    pub async fn start(program: &Path, options: GatewayOptions) -> Result<Self> {
        let mut gateway = Self {
            program: program.to_owned(),
            storage: Storage::new(options.store).await?,
            options,
            port: free_port()?,
            child: None,
        };
        gateway.resume().await?;
        Ok(gateway)
    }

    /// Starts a stopped gateway again on the same data and port.
    ///
    /// # Errors
    /// As [`GatewayProcess::start`].
    pub async fn resume(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "the gateway runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.storage.log_file())?;
        let data = self.storage.data_dir();
        let mut command = Command::new(&self.program);
        command
            .arg("serve")
            .env_clear()
            .env("RUST_BACKTRACE", "1")
            .env("POLYPOST_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("POLYPOST_PUBLIC_URL", self.base())
            .env("POLYPOST_DATA_DIR", &data)
            .env("POLYPOST_SECRET_KEY", SECRET_KEY)
            .env("POLYPOST_CLIENT_ID", CLIENT_ID)
            .env("POLYPOST_CLIENT_SECRET", CLIENT_SECRET)
            .env("POLYPOST_LOG", log_filter())
            .current_dir(&data)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        if self.options.allow_loopback {
            command.env("POLYPOST_ALLOW_HOSTS", "127.0.0.0/8");
        }
        if let Some(url) = self.storage.database_url() {
            command.env("POLYPOST_DATABASE_URL", url);
        }
        for (name, value) in &self.options.settings {
            command.env(name, value.replace("{base}", &self.base()));
        }
        let child = command
            .spawn()
            .with_context(|| self.program.display().to_string())?;
        self.child = Some(child);
        self.until_ready().await
    }

    async fn until_ready(&mut self) -> Result<()> {
        let api = Api::new(&self.base(), Auth::None);
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.as_mut().context("it was started")?.try_wait()? {
                self.child = None;
                bail!("the gateway ended: {status}\n{}", self.log_tail(40));
            }
            if let Ok(answer) = api.call(Call::get("/readyz")).await
                && answer.status == 200
            {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                bail!("the gateway does not get ready\n{}", self.log_tail(40));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills the process at once (SIGKILL).
    ///
    /// # Errors
    /// When it had ended by itself.
    pub fn kill_hard(&mut self) -> Result<()> {
        let mut child = self.child.take().context("the gateway does not run")?;
        if let Some(status) = child.try_wait()? {
            bail!(
                "the gateway ended by itself: {status}\n{}",
                self.log_tail(40)
            );
        }
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Ends the process in order (SIGTERM) and demands that it exits with 0.
    ///
    /// # Errors
    /// When it does not end in time, or not in order.
    pub async fn stop(&mut self) -> Result<()> {
        let mut child = self.child.take().context("the gateway does not run")?;
        let signal = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()?;
        ensure!(signal.success(), "kill: {signal}");
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                ensure!(
                    status.success(),
                    "the gateway ended with {status}\n{}",
                    self.log_tail(40)
                );
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                bail!("the gateway ignores SIGTERM\n{}", self.log_tail(40));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether it was started and not stopped since.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Copies its data. It must not run.
    ///
    /// # Errors
    /// When it runs or copying fails.
    pub async fn back_up(&self) -> Result<Backup> {
        ensure!(self.child.is_none(), "the gateway runs");
        self.storage.back_up().await
    }

    /// Replaces its data with a copy. It must not run.
    ///
    /// # Errors
    /// When it runs or copying fails.
    pub async fn restore(&self, backup: &Backup) -> Result<()> {
        ensure!(self.child.is_none(), "the gateway runs");
        self.storage.restore(backup).await
    }

    /// Where it keeps its data.
    #[must_use]
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Where it serves.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client that signs in as the application.
    #[must_use]
    pub fn application(&self) -> Api {
        Api::new(
            &self.base(),
            Auth::Basic {
                id: CLIENT_ID.to_owned(),
                secret: CLIENT_SECRET.to_owned(),
                account: None,
            },
        )
    }

    /// Connects a mailbox on a loopback port and returns the answer.
    ///
    /// # Errors
    /// When there is no answer or one that breaks the contract.
    pub async fn connect(&self, user: &str, imap_port: u16) -> Result<Answer> {
        self.connect_by(imap_credentials(user, imap_port)).await
    }

    /// Connects a mailbox by the body of `POST /v1/am/accounts` and returns the answer.
    ///
    /// # Errors
    /// When there is no answer or one that breaks the contract.
    pub async fn connect_by(&self, credentials: Value) -> Result<Answer> {
        let call = Call::post("/v1/am/accounts").query("ensureAccess", true);
        Ok(self.application().call(call.json(credentials)).await?)
    }

    /// As [`GatewayProcess::connect`]: the account's number and a client signed in with its token.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn account(&self, user: &str, imap_port: u16) -> Result<(i64, Api)> {
        self.account_by(imap_credentials(user, imap_port)).await
    }

    /// As [`GatewayProcess::connect_by`]: the account's number and a client signed in with its token.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn account_by(&self, credentials: Value) -> Result<(i64, Api)> {
        let answer = self.connect_by(credentials).await?;
        ensure!(answer.status == 200, "connecting: {}", answer.told());
        let id = answer.json["accountId"].as_i64().context("no accountId")?;
        let token = answer.json["accessToken"]
            .as_str()
            .context("no accessToken")?;
        let auth = Auth::Bearer(token.to_owned());
        Ok((id, Api::new(&self.base(), auth)))
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        let log = std::fs::read(self.storage.log_file()).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Its whole log.
    #[must_use]
    pub fn log(&self) -> String {
        let log = std::fs::read(self.storage.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

fn imap_credentials(user: &str, port: u16) -> Value {
    json!({
        "serviceType": "IMAP",
        "active": true,
        "email": user,
        "loginString": user,
        "password": PASSWORD,
        "serverUrl": format!("imap://127.0.0.1:{port}?security=none"),
    })
}

/// `POLYPOST_TEST_LOG`, for who looks into a failure.
fn log_filter() -> String {
    std::env::var("POLYPOST_TEST_LOG").unwrap_or_else(|_| "info".to_owned())
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The child is ours: an error could only mean that it is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
