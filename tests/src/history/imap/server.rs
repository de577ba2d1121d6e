//! The mail servers of histories.

use anyhow::Result;
use test_servers::{Courier, Dovecot, DovecotOptions, RawImap};

use crate::history::ServerKind;
use crate::truth::{ENCODED, Naming};

/// A mail server with one user of interest.
#[derive(Debug)]
pub enum MailServer {
    /// Dovecot.
    Dovecot(Box<Dovecot>),
    /// Courier.
    Courier(Box<Courier>),
}

/// The user.
pub const USER: &str = "alice@test.local";

impl MailServer {
    /// Starts one. `moves` is whether a Dovecot advertises MOVE.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(kind: ServerKind, moves: bool) -> Result<Self> {
        Ok(match kind {
            ServerKind::Dovecot(dialect) => {
                let options = DovecotOptions {
                    dialect,
                    advertise_move: moves,
                    users: 0,
                    ..DovecotOptions::default()
                };
                Self::Dovecot(Box::new(Dovecot::start(options).await?))
            }
            ServerKind::Courier => Self::Courier(Box::new(Courier::start().await?)),
            ServerKind::Gmail | ServerKind::Graph => anyhow::bail!("that is no IMAP server"),
        })
    }

    /// Its port for plain connections.
    #[must_use]
    pub fn port(&self) -> u16 {
        match self {
            Self::Dovecot(server) => server.imap_port(),
            Self::Courier(server) => server.imap_port(),
        }
    }

    /// How it names folders.
    #[must_use]
    pub fn naming(&self) -> Naming {
        match self {
            Self::Dovecot(_) => Naming {
                prefix: "",
                separator: '/',
            },
            Self::Courier(_) => Naming {
                prefix: "INBOX.",
                separator: '.',
            },
        }
    }

    /// A client beside the gateway.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn client(&self) -> Result<RawImap> {
        RawImap::login(self.port(), USER).await
    }

    /// Stops and starts it.
    ///
    /// # Errors
    /// When it does not stop or start.
    pub async fn restart(&mut self) -> Result<()> {
        match self {
            Self::Dovecot(server) => server.restart().await,
            Self::Courier(server) => server.restart().await,
        }
    }

    /// Gives a folder another UIDVALIDITY; Courier also gives its messages other UIDs.
    ///
    /// # Errors
    /// When the server does not do it.
    pub async fn reset_uidvalidity(&mut self, folder: &str) -> Result<()> {
        match self {
            Self::Dovecot(server) => match server.reset_uidvalidity(USER, folder).await {
                // A name that only has folders below it is listed, but holds nothing.
                Err(error) if format!("{error:#}").contains("doesn't exist") => Ok(()),
                result => result.map(drop),
            },
            Self::Courier(server) if server.folder_dir(USER, folder).is_err() => Ok(()),
            Self::Courier(server) => {
                // The folder gets a UIDVALIDITY by its first SELECT, and must not be selected now.
                let mut client = server.client(USER).await?;
                client.select(folder).await?;
                client.logout().await?;
                server.stop().await?;
                let reset = server.reset_uidvalidity(USER, &on_disk(folder));
                server.resume().await?;
                reset.map(drop)
            }
        }
    }
}

/// Courier's name of a folder's directory: in UTF-8.
pub fn on_disk(folder: &str) -> String {
    ENCODED
        .iter()
        .fold(folder.to_owned(), |name, (wire, plain)| {
            name.replace(wire, plain)
        })
}
