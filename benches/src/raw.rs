//! The raw limits of a mail server: the gateway's own connection code, with nothing around it.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, ensure};
use email_provider::network::{GuardOptions, GuardedNetwork};
use mail_parser::MessageParser;
use provider_imap::protocol::{
    Auth, Connection, FetchData, FetchItem, FetchItems, ImapConfig, Limits, MailboxName,
    PoolOptions, Section, Security, SelectOptions, Timeouts, Tls, UidSet,
};
use secrecy::SecretString;
use test_servers::PASSWORD;
use tokio::time::Instant;

/// A connection with INBOX selected.
#[derive(Debug)]
pub struct Raw(Connection);

impl Raw {
    pub async fn open(user: &str, port: u16) -> Result<Self> {
        let config = ImapConfig {
            host: "127.0.0.1".to_owned(),
            port,
            security: Security::None,
            ca_pem: None,
            trust_server: true,
            auth: Auth::Password {
                login: user.to_owned(),
                password: SecretString::from(PASSWORD),
            },
            // A whole mailbox is fetched by one command.
            limits: Limits {
                command: u64::MAX,
                ..Limits::default()
            },
            timeouts: Timeouts::default(),
            pool: PoolOptions::default(),
        };
        let network = GuardedNetwork::new(vec!["127.0.0.0/8".parse()?], GuardOptions::default());
        let tls = Tls::new(&config)?;
        let mut connection = Connection::open(&config, &tls, &network, deadline()).await?;
        let inbox = MailboxName::inbox();
        connection
            .select(&inbox, SelectOptions::default(), deadline())
            .await?;
        Ok(Self(connection))
    }

    /// What a first scan asks of each message, of all of them by one command, parsed and dropped. Returns how many there
    /// were.
    pub async fn envelopes(&mut self) -> Result<usize> {
        let mut count = 0;
        let mut each = |data: FetchData| {
            count += 1;
            black_box(data);
            Ok(())
        };
        let items = provider_imap::scan_items();
        self.0
            .uid_fetch(&everything(), &items, None, deadline(), &mut each)
            .await?;
        Ok(count)
    }

    /// All messages whole by one command, each read by mail-parser and dropped: how many, and their octets.
    pub async fn contents(&mut self) -> Result<(usize, usize)> {
        let (mut count, mut octets) = (0, 0);
        let mut each = |data: FetchData| {
            if let Some(raw) = data.section(&Section::message()) {
                black_box(MessageParser::default().parse(&raw[..]));
                count += 1;
                octets += raw.len();
            }
            Ok(())
        };
        self.0
            .uid_fetch(&everything(), &whole(), None, deadline(), &mut each)
            .await?;
        Ok((count, octets))
    }

    /// One message whole: how long until it is there.
    pub async fn message(&mut self, uid: u32) -> Result<Duration> {
        let mut found = false;
        let mut each = |data: FetchData| {
            found |= data.section(&Section::message()).is_some();
            Ok(())
        };
        let set = UidSet::range(uid, uid);
        let start = Instant::now();
        self.0
            .uid_fetch(&set, &whole(), None, deadline(), &mut each)
            .await?;
        let took = start.elapsed();
        ensure!(found, "no message {uid}");
        Ok(took)
    }
}

fn whole() -> FetchItems {
    FetchItems {
        items: FetchItem::empty(),
        sections: vec![Section::message()],
        at_most: None,
    }
}

fn everything() -> UidSet {
    UidSet::range(1, u32::MAX)
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}
