//! Postfix: a server to send through.

mod configuration;
mod delivery;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::OnceCell;

pub use self::delivery::Delivered;
use crate::certificate::TestCertificate;
use crate::contained::Contained;
use crate::{NAMED_USERS, free_port, loopback, packages};

/// What differs from server to server.
#[derive(Debug, Clone)]
pub struct PostfixOptions {
    /// Octets of the largest message taken, as EHLO tells.
    pub message_size_limit: u64,
    /// The SASL mechanisms offered.
    pub mechanisms: &'static str,
}

impl Default for PostfixOptions {
    fn default() -> Self {
        Self {
            message_size_limit: 50 << 20,
            mechanisms: "plain login xoauth2",
        }
    }
}

/// A running Postfix 3.7 that takes mail of signed-in users to anybody and keeps it: [`Postfix::delivered`].
///
/// Users are the [`NAMED_USERS`] and `u0001@test.local` to `u0200@test.local`, each with [`crate::PASSWORD`] and
/// [`crate::bearer_token`]; the passwords are Dovecot's to check. Recipients that begin with `reject` are refused with 550,
/// with `defer` with 451; senders that begin with `forbidden` are refused with 553, and a message whose subject begins
/// with `Refuse at the end` after its last octet, with 550.
#[derive(Debug)]
pub struct Postfix {
    server: Contained,
    plain: u16,
    start_tls: u16,
    tls: u16,
    certificate: TestCertificate,
}

impl Postfix {
    /// Starts a server; takes about 0.5 s.
    ///
    /// # Errors
    /// When the packages are not unpacked (`install.sh`), the process is not root, or the server does not start: then with
    /// the end of its log.
    pub async fn start(options: PostfixOptions) -> Result<Self> {
        let server = Contained::new("postfix", Some(packages::prefix("postfix")?))?;
        let (plain, start_tls, tls) = (free_port()?, free_port()?, free_port()?);
        let certificate = TestCertificate::generate()?;
        let directory = server.path().to_owned();
        let mut users: Vec<String> = NAMED_USERS.map(String::from).to_vec();
        users.extend((1..=200).map(|number| format!("u{number:04}@test.local")));
        for sub in ["etc", "queue", "data", "state"] {
            std::fs::create_dir(directory.join(sub))?;
        }
        server.write("ca.pem", &certificate.ca_pem)?;
        server.write("server.pem", &certificate.chain_pem)?;
        server.write("server.key", &certificate.key_pem)?;
        server.write("users", configuration::users_file(&users))?;
        server.write("tokens", configuration::tokens_file(&users))?;
        server.write("server.log", "")?;
        server.write(
            "dovecot.conf",
            configuration::dovecot_conf(&directory, &options),
        )?;
        server.write("etc/main.cf", configuration::main_cf(&directory, &options))?;
        server.write(
            "etc/master.cf",
            configuration::master_cf(plain, start_tls, tls),
        )?;
        server.write("etc/recipients", configuration::RECIPIENTS)?;
        server.write("etc/senders", configuration::SENDERS)?;
        server.write("etc/headers", configuration::HEADERS)?;
        server.write("setup.sh", configuration::setup_sh(&directory))?;
        server.write("serve.sh", configuration::serve_sh(&directory))?;
        let mut postfix = Self {
            server,
            plain,
            start_tls,
            tls,
            certificate,
        };
        postfix.resume().await?;
        Ok(postfix)
    }

    /// One server for the whole test process. Tests that share it should write to recipients of their own.
    ///
    /// # Errors
    /// As [`Postfix::start`].
    pub async fn shared() -> Result<&'static Self> {
        static SERVER: OnceCell<Postfix> = OnceCell::const_new();
        SERVER
            .get_or_try_init(|| Self::start(PostfixOptions::default()))
            .await
    }

    /// Port for plain connections, without STARTTLS.
    #[must_use]
    pub fn plain_port(&self) -> u16 {
        self.plain
    }

    /// Port where STARTTLS is needed.
    #[must_use]
    pub fn start_tls_port(&self) -> u16 {
        self.start_tls
    }

    /// Port for TLS from the first byte.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        self.tls
    }

    /// The server's certificate and its authority.
    #[must_use]
    pub fn certificate(&self) -> &TestCertificate {
        &self.certificate
    }

    /// The authority that signed the server's certificate, as a file.
    #[must_use]
    pub fn ca_pem_path(&self) -> PathBuf {
        self.server.path().join("ca.pem")
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

    /// Everything delivered to this recipient, once the server has nothing left to deliver.
    ///
    /// # Errors
    /// When the queue is not empty after 20 s.
    pub async fn delivered(&self, recipient: &str) -> Result<Vec<Delivered>> {
        let all = self.settled().await?;
        Ok(all
            .into_iter()
            .filter(|one| one.recipient.eq_ignore_ascii_case(recipient))
            .collect())
    }

    /// Everything delivered, once the server has nothing left to deliver.
    ///
    /// # Errors
    /// When the queue is not empty after 20 s.
    pub async fn settled(&self) -> Result<Vec<Delivered>> {
        let queue = self.server.path().join("queue");
        let start = Instant::now();
        // Twice in a row: a message moves from one directory to the next.
        let mut empty = 0;
        while empty < 2 {
            let mut files = 0;
            for part in ["maildrop", "incoming", "active", "deferred", "hold"] {
                files += delivery::count_files(&queue.join(part))?;
            }
            empty = if files == 0 { empty + 1 } else { 0 };
            if start.elapsed() > Duration::from_secs(20) {
                bail!(
                    "{files} messages are still in the queue\n{}",
                    self.log_tail()
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        delivery::read_all(&self.server.path().join("mail/all/new"))
    }

    /// Ends the server; its connections are cut. What was delivered stays.
    ///
    /// # Errors
    /// When the server does not end within 30 s.
    pub async fn stop(&mut self) -> Result<()> {
        self.server.stop("KILL").await
    }

    /// Starts a stopped server again on the same ports.
    ///
    /// # Errors
    /// When it runs already or does not start.
    pub async fn resume(&mut self) -> Result<()> {
        let port = self.plain;
        self.server
            .start(move || async move { offers_auth(port).await.is_ok() })
            .await
    }
}

/// Whether the server greets and can ask for passwords.
async fn offers_auth(port: u16) -> Result<()> {
    let asked = async {
        let mut stream = loopback::connect_port(port).await?;
        stream.write_all(b"EHLO localhost\r\nQUIT\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        answer.contains("AUTH ").then_some(()).context("no AUTH")
    };
    tokio::time::timeout(Duration::from_secs(5), asked).await?
}
