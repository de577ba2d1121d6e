//! A server in namespaces of its own, which does not outlive the test process.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

const INIT: &str = include_str!("contained.sh");

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server's directory and, while it runs, the first process of its namespaces.
///
/// The server lives in a PID namespace whose first process reads a pipe held here. Closing the pipe ends that process, and
/// with it the kernel ends every process of the namespace. A pipe is closed when its holder dies, so this also holds for a
/// test that panics, is killed, or keeps the server in a static.
#[derive(Debug)]
pub(crate) struct Contained {
    directory: TempDir,
    prefix: Option<PathBuf>,
    running: Option<Child>,
}

impl Contained {
    /// Makes the directory: readable by every user, since servers change to users of their own.
    ///
    /// `prefix` holds unpacked packages whose `usr` is laid over `/usr`.
    pub(crate) fn new(name: &str, prefix: Option<PathBuf>) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix(&format!("polypost-{name}-"))
            .tempdir()?;
        set_mode(directory.path(), 0o755)?;
        std::fs::write(directory.path().join("contained.sh"), INIT)?;
        Ok(Self {
            directory,
            prefix,
            running: None,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file that every user may read.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.path().join(name);
        std::fs::write(&path, content).with_context(|| format!("write {}", path.display()))?;
        set_mode(&path, 0o644)?;
        Ok(path)
    }

    /// Starts `serve.sh` after `setup.sh`, both written before, and returns when `ready` does.
    ///
    /// Fails with the end of the server's log when the server ends by itself or is not ready after 30 s.
    pub(crate) async fn start<R, F>(&mut self, ready: R) -> Result<()>
    where
        R: Fn() -> F + Send,
        F: Future<Output = bool> + Send,
    {
        ensure!(self.running.is_none(), "the server runs already");
        let mut child = Command::new("unshare")
            .args([
                "--mount",
                "--pid",
                "--ipc",
                "--fork",
                "--kill-child=KILL",
                "--mount-proc",
            ])
            .args(["--propagation", "private", "bash"])
            .arg(self.path().join("contained.sh"))
            .arg(self.path())
            .arg(self.prefix.as_deref().unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("unshare: run install.sh as root first")?;
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                let output = child.wait_with_output()?;
                let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
                bail!(
                    "the server ended at once: {status}\n{complaint}{}",
                    self.log_tail()
                );
            }
            if ready().await {
                break;
            }
            if start.elapsed() > PATIENCE {
                end(child);
                bail!("the server is not ready after 30 s\n{}", self.log_tail());
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        self.running = Some(child);
        Ok(())
    }

    /// Sends a signal (`TERM`, `INT`; `KILL` reaches every process of the server) and waits until the server has ended.
    pub(crate) async fn stop(&mut self, signal: &str) -> Result<()> {
        let Some(mut child) = self.running.take() else {
            return Ok(());
        };
        let orders = child.stdin.as_mut().context("the pipe is held")?;
        writeln!(orders, "{signal}")
            .with_context(|| format!("the server had ended by itself\n{}", tail(self.path())))?;
        let start = Instant::now();
        while child.try_wait()?.is_none() {
            if start.elapsed() > PATIENCE {
                self.running = Some(child);
                bail!(
                    "the server is still there 30 s after SIG{signal}\n{}",
                    self.log_tail()
                );
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Runs a command inside the server's namespaces; fails unless it exits with 0.
    pub(crate) async fn run(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        let child = self.running.as_ref().context("the server does not run")?;
        let output = tokio::process::Command::new("nsenter")
            .arg(format!("--mount=/proc/{}/ns/mnt", child.id()))
            .arg(format!("--pid=/proc/{}/ns/pid_for_children", child.id()))
            .args(["--", program])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .await?;
        ensure!(
            output.status.success(),
            "{program} {arguments:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(output)
    }

    /// The last lines of the server's log.
    pub(crate) fn log_tail(&self) -> String {
        tail(self.path())
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        if let Some(child) = self.running.take() {
            end(child);
        }
    }
}

fn tail(directory: &Path) -> String {
    let log = std::fs::read(directory.join("server.log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = text.lines().rev().take(40).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// Closes the pipe and waits for the end, which then comes within milliseconds.
fn end(mut child: Child) {
    drop(child.stdin.take());
    // The child is ours and no other thread waits for it: an error could only mean that it is gone already.
    let _ = child.wait();
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .with_context(|| format!("chmod {}", path.display()))
}
