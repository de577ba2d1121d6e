//! Where a mailbox is and how to sign in to it.

use std::{fmt, time::Duration};

use secrecy::SecretString;

use super::splitter::Limits;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first octet.
    ImplicitTls,
    /// TLS after STARTTLS, without fallback.
    StartTls,
    /// None: for networks that the operator has named.
    None,
}

/// How to sign in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// LOGIN, or AUTHENTICATE PLAIN where LOGIN is not offered.
    Password {
        /// The login name.
        login: String,
        /// The password.
        password: SecretString,
    },
    /// XOAUTH2, or OAUTHBEARER where only that is offered.
    OAuth {
        /// The login name.
        login: String,
        /// The access token.
        token: SecretString,
    },
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// A connection, TLS included.
    pub connect: Duration,
    /// The first line of the server.
    pub greeting: Duration,
    /// The whole sign-in.
    pub sign_in: Duration,
    /// Anything at all, while a command is under way.
    pub read: Duration,
    /// The end of an IDLE after DONE.
    pub idle_end: Duration,
    /// How long an IDLE lasts before it is renewed; under 29 minutes (RFC 2177), and less where
    /// something on the way forgets silent connections.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            greeting: Duration::from_secs(16),
            sign_in: Duration::from_secs(45),
            read: Duration::from_secs(75),
            idle_end: Duration::from_secs(15),
            idle: Duration::from_secs(9 * 60),
        }
    }
}

/// How many connections, and how long they are kept.
#[derive(Clone, Copy, Debug)]
pub struct PoolOptions {
    /// For waiting on changes.
    pub watch: usize,
    /// For reads that someone waits for, and for writes.
    pub interactive: usize,
    /// For scans and large transfers.
    pub bulk: usize,
    /// An unused connection is closed after this time.
    pub keep: Duration,
    /// A connection unused for longer is asked whether it still lives before it is used.
    pub check_after: Duration,
}

impl Default for PoolOptions {
    /// Three in all: Courier's and others' limits are near.
    fn default() -> Self {
        Self {
            watch: 1,
            interactive: 1,
            bulk: 1,
            keep: Duration::from_secs(90),
            check_after: Duration::from_secs(20),
        }
    }
}

/// An IMAP account.
#[derive(Clone)]
pub struct ImapConfig {
    /// The server, by name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Authorities to trust instead of the machine's, as PEM.
    pub ca_pem: Option<String>,
    /// Take any certificate. Only for networks that the operator has named.
    pub trust_server: bool,
    /// How to sign in.
    pub auth: Auth,
    /// Largest sizes taken from the server.
    pub limits: Limits,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// How many connections.
    pub pool: PoolOptions,
}

impl fmt::Debug for ImapConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImapConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("trust_server", &self.trust_server)
            .finish_non_exhaustive()
    }
}
