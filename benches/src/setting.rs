//! The servers and mailboxes that the rows share, each made when it is first needed.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use test_servers::{Dovecot, DovecotOptions, Postgres, PostgresOptions, corpus, small_corpus};

use crate::Options;
use crate::client::Client;
use crate::figure::{say, told};
use crate::gateway::Gateway;
use crate::raw::Raw;
use crate::stores::Kind;

/// Whose INBOX is the realistic mailbox.
pub const REALISTIC: &str = "alice@test.local";
/// Whose INBOX is the large mailbox of small messages.
pub const LARGE: &str = "bob@test.local";
const SEED: u64 = 20_000;

/// A gateway that has scanned the realistic mailbox.
#[derive(Debug)]
pub struct Synced {
    pub gateway: Gateway,
    pub account: i64,
    pub client: Client,
    /// The first token of the stream of live messages.
    pub token: String,
    /// From the request that adds the account to the answer that says it is ready.
    pub took: Duration,
    /// Processor time of the gateway in that time.
    pub processor: Duration,
}

/// Waits until the machine has on disk what was written so far: who must have little written at once would otherwise
/// wait for it.
pub fn written() {
    // Without it the figures are only less steady.
    let _ = std::process::Command::new("sync").status();
}

/// See the module.
#[derive(Debug)]
pub struct Setting {
    pub options: Options,
    dovecot: Option<Dovecot>,
    filled: HashMap<&'static str, usize>,
    postgres: Option<Postgres>,
    synced: HashMap<&'static str, Synced>,
}

impl Setting {
    pub fn new(options: Options) -> Self {
        Self {
            options,
            dovecot: None,
            filled: HashMap::new(),
            postgres: None,
            synced: HashMap::new(),
        }
    }

    async fn dovecot(&mut self) -> Result<&Dovecot> {
        if self.dovecot.is_none() {
            self.dovecot = Some(Dovecot::start(DovecotOptions::default()).await?);
        }
        self.dovecot.as_ref().context("it was started")
    }

    /// The port of the server whose user has the mailbox. The server has been asked once for all that a first scan asks for,
    /// so that its own index holds it, whoever is measured first.
    pub async fn mailbox(&mut self, user: &'static str) -> Result<u16> {
        let options = self.options.clone();
        let dovecot = self.dovecot().await?;
        let port = dovecot.imap_port();
        if self.filled.contains_key(user) {
            return Ok(port);
        }
        let start = Instant::now();
        let dovecot = self.dovecot().await?;
        let count = match user {
            LARGE => {
                let mails = small_corpus(SEED, options.large);
                dovecot.bulk_append(user, "INBOX", mails).await?
            }
            _ => {
                let mails = corpus(SEED, options.messages);
                dovecot.bulk_append(user, "INBOX", mails).await?
            }
        };
        say(&format!(
            "{count} messages are in the mailbox of {user} after {}",
            told(start.elapsed())
        ));
        let found = Raw::open(user, port).await?.envelopes().await?;
        ensure!(found == count, "{found} messages, not {count}");
        self.filled.insert(user, count);
        Ok(port)
    }

    /// Makes the server forget what it was asked for of a mailbox, as if no client had ever been there: the next one makes
    /// it read every message.
    pub async fn forget_index(&mut self, user: &str) -> Result<()> {
        let home = self.dovecot().await?.mail_dir(user);
        let mut directories = vec![home];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    directories.push(entry.path());
                } else if entry.file_name() == "dovecot.index.cache" {
                    std::fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(())
    }

    /// A client on the server itself.
    pub async fn imap(&mut self, user: &str) -> Result<test_servers::RawImap> {
        self.dovecot().await?.client(user).await
    }

    /// A database of its own on PostgreSQL, which writes to disk as in production; none for SQLite.
    pub async fn database(&mut self, kind: Kind) -> Result<Option<String>> {
        if kind == Kind::Sqlite {
            return Ok(None);
        }
        if self.postgres.is_none() {
            self.postgres = Some(Postgres::start(PostgresOptions { fsync: true }).await?);
        }
        let postgres = self.postgres.as_ref().context("it was started")?;
        Ok(Some(postgres.create_database().await?))
    }

    /// Starts a gateway on an empty database and lets it scan the realistic mailbox.
    pub async fn sync(&mut self, kind: Kind, settings: &[(&str, &str)]) -> Result<Synced> {
        let port = self.mailbox(REALISTIC).await?;
        let database = self.database(kind).await?;
        let gateway = Gateway::start(database, settings).await?;
        let before = gateway.processor_time()?;
        let start = Instant::now();
        let (account, client) = gateway.connect(REALISTIC, port).await?;
        let token = client.sync_to_the_end().await?;
        let took = start.elapsed();
        let processor = gateway.processor_time()? - before;
        Ok(Synced {
            gateway,
            account,
            client,
            token,
            took,
            processor,
        })
    }

    /// Keeps a gateway for the rows that need one.
    pub fn keep(&mut self, kind: Kind, synced: Synced) {
        self.synced.insert(kind.name(), synced);
    }

    /// A gateway with its usual settings that has scanned the realistic mailbox.
    pub async fn synced(&mut self, kind: Kind) -> Result<&Synced> {
        if !self.synced.contains_key(kind.name()) {
            let synced = self.sync(kind, &[]).await?;
            self.keep(kind, synced);
        }
        self.synced.get(kind.name()).context("it was synced")
    }

    /// Ends all servers in order.
    pub async fn end(&mut self) {
        for (_, mut synced) in self.synced.drain() {
            // What does not end is killed with its value.
            let _ = synced.gateway.stop().await;
        }
        if let Some(dovecot) = &mut self.dovecot {
            let _ = dovecot.stop().await;
        }
        if let Some(postgres) = &mut self.postgres {
            let _ = postgres.stop().await;
        }
    }
}
