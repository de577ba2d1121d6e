//! Dovecot: the server with every extension.

mod configuration;
mod options;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::OnceCell;

pub use self::options::{Dialect, DovecotOptions, MailFormat};
use crate::certificate::TestCertificate;
use crate::contained::{Contained, set_mode};
use crate::{GeneratedMail, NAMED_USERS, RawImap, free_port, loopback, packages};

/// A running Dovecot 2.3 with its own users, certificate and mail.
///
/// Users are the [`NAMED_USERS`] and `u0001@test.local` and so on, each with [`crate::PASSWORD`] and, for XOAUTH2 and
/// OAUTHBEARER, [`crate::bearer_token`]. Every user has the folders Drafts, Sent, Trash, Junk and Archive, marked with
/// their special use. The separator is `/`.
#[derive(Debug)]
pub struct Dovecot {
    server: Contained,
    imap: u16,
    imaps: u16,
    certificate: TestCertificate,
    users: Vec<String>,
}

impl Dovecot {
    /// Starts a server; takes about 0.2 s.
    ///
    /// # Errors
    /// When the packages are not unpacked (`install.sh`), the process is not root, or the server does not start: then with
    /// the end of its log.
    pub async fn start(options: DovecotOptions) -> Result<Self> {
        let server = Contained::new("dovecot", Some(packages::prefix("dovecot")?))?;
        let (imap, imaps) = (free_port()?, free_port()?);
        let certificate = TestCertificate::generate()?;
        let mut users: Vec<String> = NAMED_USERS.map(String::from).to_vec();
        users.extend((1..=options.users).map(|number| format!("u{number:04}@test.local")));

        let directory = server.path().to_owned();
        server.write("ca.pem", &certificate.ca_pem)?;
        server.write("server.pem", &certificate.chain_pem)?;
        server.write("server.key", &certificate.key_pem)?;
        server.write("users", configuration::users_file(&directory, &users))?;
        server.write("tokens", configuration::tokens_file(&users))?;
        server.write(
            "dovecot.conf",
            configuration::dovecot_conf(&directory, &options, imap, imaps),
        )?;
        server.write("setup.sh", configuration::setup_sh(&directory))?;
        server.write(
            "serve.sh",
            format!(
                "exec /usr/sbin/dovecot -F -c '{}/dovecot.conf'",
                directory.display()
            ),
        )?;
        std::fs::create_dir(directory.join("state"))?;
        std::fs::create_dir(directory.join("mail"))?;
        for (index, user) in users.iter().enumerate() {
            let home = directory.join("mail").join(user);
            std::fs::create_dir(&home)?;
            set_mode(&home, 0o700)?;
            let id = configuration::uid(index);
            std::os::unix::fs::chown(&home, Some(id), Some(id)).context("chown needs root")?;
        }
        let mut dovecot = Self {
            server,
            imap,
            imaps,
            certificate,
            users,
        };
        dovecot.resume().await?;
        Ok(dovecot)
    }

    /// One server per dialect for the whole test process, with default options otherwise. Tests that share it should take
    /// users of their own.
    ///
    /// # Errors
    /// As [`Dovecot::start`].
    pub async fn shared(dialect: Dialect) -> Result<&'static Self> {
        static SERVERS: [OnceCell<Dovecot>; 3] = [const { OnceCell::const_new() }; 3];
        SERVERS[dialect as usize]
            .get_or_try_init(|| {
                Self::start(DovecotOptions {
                    dialect,
                    users: 200,
                    ..DovecotOptions::default()
                })
            })
            .await
    }

    /// Port for plain connections and STARTTLS.
    #[must_use]
    pub fn imap_port(&self) -> u16 {
        self.imap
    }

    /// Port for TLS from the first byte.
    #[must_use]
    pub fn imaps_port(&self) -> u16 {
        self.imaps
    }

    /// The authority that signed the server's certificate, as a file.
    #[must_use]
    pub fn ca_pem_path(&self) -> PathBuf {
        self.server.path().join("ca.pem")
    }

    /// The server's certificate and its authority.
    #[must_use]
    pub fn certificate(&self) -> &TestCertificate {
        &self.certificate
    }

    /// All users' login names.
    #[must_use]
    pub fn users(&self) -> &[String] {
        &self.users
    }

    /// A user's home, which holds the mail in the format that was chosen.
    #[must_use]
    pub fn mail_dir(&self, user: &str) -> PathBuf {
        self.server.path().join("mail").join(user)
    }

    /// The server's configuration file.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.server.path().join("dovecot.conf")
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

    /// A raw client, logged in.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn client(&self, user: &str) -> Result<RawImap> {
        RawImap::login(self.imap, user).await
    }

    /// Fills a mailbox; about 20,000 messages in 15 s. Creates the mailbox unless it is there. Returns how many messages there
    /// were.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn bulk_append(
        &self,
        user: &str,
        mailbox: &str,
        mails: impl IntoIterator<Item = GeneratedMail>,
    ) -> Result<usize> {
        let mut client = self.client(user).await?;
        let absent = client.list(mailbox).await?.is_empty();
        if absent {
            client.create(mailbox).await?;
        }
        let count = client.bulk_append(mailbox, mails).await?;
        client.logout().await?;
        Ok(count)
    }

    /// Ends the server in order; clients are told BYE. The mail stays.
    ///
    /// # Errors
    /// When the server does not end within 30 s.
    pub async fn stop(&mut self) -> Result<()> {
        self.server.stop("TERM").await
    }

    /// Kills every process of the server at once; clients see their connections end. The mail stays.
    ///
    /// # Errors
    /// When the server had ended by itself.
    pub async fn kill_hard(&mut self) -> Result<()> {
        self.server.stop("KILL").await
    }

    /// Starts a stopped server again on the same ports.
    ///
    /// # Errors
    /// When it runs already or does not start.
    pub async fn resume(&mut self) -> Result<()> {
        let port = self.imap;
        self.server.start(move || loopback::greets(port)).await
    }

    /// Stops and starts; the mail and the ports stay.
    ///
    /// # Errors
    /// As [`Dovecot::stop`] and [`Dovecot::resume`].
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.resume().await
    }

    /// Whether the server was started and not stopped since.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.server.is_running()
    }

    /// Runs `doveadm` with this server's configuration and returns what it printed.
    ///
    /// # Errors
    /// When it exits with anything but 0: then with its complaint.
    pub async fn doveadm(&self, arguments: &[&str]) -> Result<String> {
        let configuration = self.configuration();
        let configuration = configuration.to_str().context("a UTF-8 path")?;
        let mut all = vec!["-c", configuration];
        all.extend(arguments);
        let output = self.server.run("doveadm", &all).await?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Gives a mailbox another UIDVALIDITY, greater than the present one, as after its removal and restoration; returns it.
    /// The UIDs stay, so a client that ignores UIDVALIDITY sees nothing. An open session keeps the old value until it
    /// selects again.
    ///
    /// # Errors
    /// When there is no such mailbox.
    pub async fn reset_uidvalidity(&self, user: &str, mailbox: &str) -> Result<u32> {
        let status = self
            .doveadm(&[
                "-f",
                "flow",
                "mailbox",
                "status",
                "-u",
                user,
                "uidvalidity",
                mailbox,
            ])
            .await?;
        let present: u32 = status
            .rsplit_once("uidvalidity=")
            .and_then(|(_, value)| value.trim().parse().ok())
            .with_context(|| format!("no UIDVALIDITY in {status:?}"))?;
        let next = present.wrapping_add(1).max(1);
        self.doveadm(&[
            "mailbox",
            "update",
            "-u",
            user,
            "--uid-validity",
            &next.to_string(),
            mailbox,
        ])
        .await?;
        Ok(next)
    }

    /// Replaces a user's password and bearer token, as after a change or a revocation elsewhere. Open sessions stay.
    /// Takes 1.1 s: Dovecot looks at the file at most once a second.
    ///
    /// # Errors
    /// When there is no such user.
    pub async fn set_credentials(&self, user: &str, password: &str, token: &str) -> Result<()> {
        for (file, secret) in [("users", password), ("tokens", token)] {
            let text = std::fs::read_to_string(self.server.path().join(file))?;
            let start = format!("{user}:{{PLAIN}}");
            let lines: String = text
                .lines()
                .map(|line| match line.strip_prefix(&start) {
                    Some(rest) => {
                        let fields = rest.split_once(':').map_or("", |(_, fields)| fields);
                        let colon = if fields.is_empty() { "" } else { ":" };
                        format!("{start}{secret}{colon}{fields}\n")
                    }
                    None => format!("{line}\n"),
                })
                .collect();
            anyhow::ensure!(text.contains(&start), "no user {user}");
            // Dovecot notices a change by size and second: the comment makes each version longer.
            self.server.write(file, format!("{lines}#\n"))?;
        }
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        Ok(())
    }
}
