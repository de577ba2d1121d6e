use std::{
    collections::VecDeque,
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Command},
    time::timeout,
};

/// How long anything may take before the test fails: machines under load are slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program with its files in a directory of the test's own.
pub struct Scene {
    pub directory: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Scene {
    pub fn new() -> Self {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data").display().to_string();
        let variables = vec![
            ("POLYPOST_LISTEN", "127.0.0.1:0".to_owned()),
            ("POLYPOST_DATA_DIR", data),
            ("POLYPOST_LOG_FORMAT", "json".to_owned()),
        ];
        Self {
            directory,
            variables,
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_polypost"));
        command
            .args(arguments)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("TMPDIR", self.directory.path())
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs to the end.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        timeout(PATIENCE, self.command(arguments).output())
            .await
            .unwrap()
            .unwrap()
    }

    /// Runs to a good end; what it printed.
    pub async fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs to a bad end; what it complained of.
    pub async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }

    pub fn start(&self, arguments: &[&str]) -> Process {
        let mut child = self.command(arguments).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        Process {
            child,
            out,
            log,
            seen: VecDeque::new(),
        }
    }

    /// Starts the gateway and waits until it serves.
    pub async fn serve(&self) -> (Process, Value) {
        let mut process = self.start(&["serve"]);
        let serving = process.logged("serving").await;
        (process, serving)
    }
}

/// A program that runs. It ends with this.
pub struct Process {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    log: Lines<BufReader<ChildStderr>>,
    /// The last lines, for the message of a failure.
    seen: VecDeque<String>,
}

impl Process {
    /// The next line on standard output that contains this.
    pub async fn printed(&mut self, what: &str) -> String {
        let lines = async {
            loop {
                let line = self
                    .out
                    .next_line()
                    .await
                    .unwrap()
                    .expect("the output has ended");
                if line.contains(what) {
                    return line;
                }
                self.seen.push_back(line);
                self.seen.truncate(50);
            }
        };
        match timeout(PATIENCE, lines).await {
            Ok(line) => line,
            Err(_) => panic!("no `{what}` in {:#?}", self.seen),
        }
    }

    /// The next line of the log with this message.
    pub async fn logged(&mut self, message: &str) -> Value {
        let lines = async {
            loop {
                let line = self.log.next_line().await.unwrap();
                let Some(line) = line else {
                    panic!("the log has ended: {:#?}", self.seen)
                };
                let entry: Value = serde_json::from_str(&line).unwrap_or_default();
                if entry["message"] == message {
                    return entry;
                }
                self.seen.push_back(line);
            }
        };
        timeout(PATIENCE, lines).await.unwrap()
    }

    pub async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for the end of a process that was killed.
    pub async fn ended_by_force(mut self) {
        timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
    }

    /// Waits for the end; the exit code.
    pub async fn ended(mut self) -> i32 {
        let status = timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        status.code().expect("an exit code")
    }
}

/// A client without certificates, which takes no time to make.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .tls_built_in_root_certs(false)
        .timeout(PATIENCE)
        .build()
        .unwrap()
}
