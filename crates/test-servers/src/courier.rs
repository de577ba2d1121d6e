//! Courier: the server with hardly any extension.

mod configuration;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use crate::certificate::TestCertificate;
use crate::contained::{Contained, set_mode};
use crate::{GeneratedMail, NAMED_USERS, RawImap, free_port, packages};

/// A running Courier-IMAP 5.0 with its own users, certificate and mail.
///
/// It has neither CONDSTORE nor MOVE, ESEARCH, SPECIAL-USE, LIST-STATUS, LITERAL+ or ID. Folders are below `INBOX.`, the
/// separator is `.`, and SELECT tells no UIDNEXT. A folder's UIDVALIDITY is kept from its first SELECT on: each EXAMINE before
/// that answers with the present time. Users are the [`NAMED_USERS`] with [`crate::PASSWORD`]; each has
/// `INBOX.Drafts`, `INBOX.Sent` and `INBOX.Trash`.
#[derive(Debug)]
pub struct Courier {
    server: Contained,
    imap: u16,
    imaps: u16,
    certificate: TestCertificate,
    delivered: AtomicU64,
}

impl Courier {
    /// Starts a server; takes about 0.3 s.
    ///
    /// # Errors
    /// When the packages are not unpacked (`install.sh`), the process is not root, or the server does not start: then with
    /// the end of its log.
    pub async fn start() -> Result<Self> {
        let server = Contained::new("courier", Some(packages::prefix("courier")?))?;
        let (imap, imaps) = (free_port()?, free_port()?);
        let certificate = TestCertificate::generate()?;
        let directory = server.path().to_owned();
        server.write("ca.pem", &certificate.ca_pem)?;
        server.write(
            "imapd.pem",
            format!("{}{}", certificate.key_pem, certificate.chain_pem),
        )?;
        server.write("setup.sh", configuration::setup_sh(&directory, imap))?;
        server.write("serve.sh", configuration::serve_sh(&directory, imap, imaps))?;
        for sub in ["etc", "etc/courier", "courier", "mail"] {
            std::fs::create_dir(directory.join(sub))?;
        }
        server.write("courier/authdaemonrc", configuration::AUTHDAEMONRC)?;
        let userdb = server.write("courier/userdb", configuration::userdb(&directory))?;
        // Courier refuses a password file that others can read.
        set_mode(&userdb, 0o600)?;
        let mut courier = Self {
            server,
            imap,
            imaps,
            certificate,
            delivered: AtomicU64::new(0),
        };
        for user in NAMED_USERS {
            courier.make_directory(user, Path::new(""))?;
            for folder in ["INBOX", "INBOX.Drafts", "INBOX.Sent", "INBOX.Trash"] {
                courier.make_folder(user, folder)?;
            }
        }
        courier.resume().await?;
        Ok(courier)
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

    /// The last lines of the server's log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        self.server.log_tail()
    }

    /// A user's Maildir.
    #[must_use]
    pub fn maildir(&self, user: &str) -> PathBuf {
        self.server.path().join("mail").join(user).join("Maildir")
    }

    /// The directory of a folder, named as on the wire: `INBOX` or `INBOX.Sent`.
    ///
    /// # Errors
    /// When the name does not begin with `INBOX`.
    pub fn folder_dir(&self, user: &str, folder: &str) -> Result<PathBuf> {
        let below = folder
            .strip_prefix("INBOX")
            .context("Courier's folders are below INBOX")?;
        Ok(self.maildir(user).join(below))
    }

    /// A raw client, logged in.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn client(&self, user: &str) -> Result<RawImap> {
        RawImap::login(self.imap, user).await
    }

    /// Drops a message into a folder, as a mail transport agent does: new, without flags, received now. Files hold lines as
    /// Unix does, and Courier gives each line end as CRLF: a lone LF does not survive.
    ///
    /// # Errors
    /// When the folder is not there.
    pub fn deliver(&self, user: &str, folder: &str, raw: &[u8]) -> Result<()> {
        self.drop_file(user, folder, raw, &[], SystemTime::now())
    }

    /// Drops generated messages with their dates and system flags into a folder; returns how many. Courier gives UIDs in
    /// the order of these calls. Keywords are left out: a file name cannot hold them.
    ///
    /// # Errors
    /// When the folder is not there.
    pub fn deliver_all(
        &self,
        user: &str,
        folder: &str,
        mails: impl IntoIterator<Item = GeneratedMail>,
    ) -> Result<usize> {
        let mut count = 0;
        for mail in mails {
            let seconds = u64::try_from(mail.internal_date.timestamp())?;
            let date = UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            self.drop_file(user, folder, &mail.raw, &mail.flags, date)?;
            count += 1;
        }
        Ok(count)
    }

    fn drop_file(
        &self,
        user: &str,
        folder: &str,
        raw: &[u8],
        flags: &[&str],
        date: SystemTime,
    ) -> Result<()> {
        let directory = self.folder_dir(user, folder)?;
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let name = format!("{seconds}.M{number:09}.test");
        let partial = directory.join("tmp").join(&name);
        let text: Vec<u8> = raw.iter().copied().filter(|byte| *byte != b'\r').collect();
        std::fs::write(&partial, text).with_context(|| format!("{user} has no {folder}"))?;
        std::fs::File::options()
            .write(true)
            .open(&partial)?
            .set_modified(date)?;
        let id = configuration::uid(user);
        std::os::unix::fs::chown(&partial, Some(id), Some(id))?;
        let letters = configuration::flag_letters(flags);
        let complete = if letters.is_empty() {
            directory.join("new").join(name)
        } else {
            directory.join("cur").join(format!("{name}:2,{letters}"))
        };
        std::fs::rename(partial, complete)?;
        Ok(())
    }

    /// Gives a folder a greater UIDVALIDITY and its messages new UIDs from 1, as after the loss of the server's index;
    /// returns the new UIDVALIDITY. No session may have the folder selected meanwhile.
    ///
    /// # Errors
    /// When the folder was never selected, so that it has no UIDVALIDITY yet.
    pub fn reset_uidvalidity(&self, user: &str, folder: &str) -> Result<u32> {
        // The index's first line is "1 UIDVALIDITY UIDNEXT"; a file that it does not name gets the next UID.
        let index = self.folder_dir(user, folder)?.join("courierimapuiddb");
        let text = std::fs::read_to_string(&index)
            .with_context(|| format!("{folder} was never selected"))?;
        let mut words = text.split_whitespace();
        ensure!(words.next() == Some("1"), "an unknown index format");
        let present: u32 = words.next().context("no UIDVALIDITY")?.parse()?;
        let next = present.wrapping_add(1).max(1);
        std::fs::write(&index, format!("1 {next} 1\n"))?;
        Ok(next)
    }

    /// Ends the server and cuts its sessions. The mail stays.
    ///
    /// # Errors
    /// When the server does not end within 30 s.
    pub async fn stop(&mut self) -> Result<()> {
        self.server.stop("TERM").await
    }

    /// Starts a stopped server again on the same ports.
    ///
    /// # Errors
    /// When it runs already or does not start.
    pub async fn resume(&mut self) -> Result<()> {
        let port = self.imap;
        self.server
            .start(move || async move { RawImap::login(port, NAMED_USERS[0]).await.is_ok() })
            .await
    }

    /// Stops and starts; the mail and the ports stay.
    ///
    /// # Errors
    /// As [`Courier::stop`] and [`Courier::resume`].
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.resume().await
    }

    fn make_folder(&self, user: &str, folder: &str) -> Result<()> {
        let directory = self.folder_dir(user, folder)?;
        let home = self.server.path().join("mail").join(user);
        let below = directory.strip_prefix(&home)?;
        self.make_directory(user, below)?;
        for part in ["cur", "new", "tmp"] {
            self.make_directory(user, &below.join(part))?;
        }
        Ok(())
    }

    fn make_directory(&self, user: &str, below_home: &Path) -> Result<()> {
        let path = self.server.path().join("mail").join(user).join(below_home);
        std::fs::create_dir(&path).with_context(|| path.display().to_string())?;
        let id = configuration::uid(user);
        std::os::unix::fs::chown(&path, Some(id), Some(id)).context("chown needs root")?;
        set_mode(&path, 0o700)
    }
}
