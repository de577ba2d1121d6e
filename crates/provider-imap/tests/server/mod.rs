//! The servers of the suite, alike but for their names.

use std::sync::atomic::{AtomicUsize, Ordering};

use test_servers::{Courier, Dialect, Dovecot, RawImap};

pub use test_servers::PASSWORD;

/// A server with a mailbox for one test.
pub enum Server {
    /// Shared by all tests of a process, each with a user of its own.
    Dovecot(&'static Dovecot),
    /// One a test: it has few users.
    Courier(Box<Courier>),
}

impl Server {
    pub async fn dovecot(dialect: Dialect) -> Self {
        Self::Dovecot(Dovecot::shared(dialect).await.expect("Dovecot starts"))
    }

    pub async fn courier() -> Self {
        Self::Courier(Box::new(Courier::start().await.expect("Courier starts")))
    }

    /// A user that no other test has.
    pub fn user(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        match self {
            Self::Dovecot(server) => {
                let users = server.users();
                users[NEXT.fetch_add(1, Ordering::SeqCst) % users.len()].clone()
            }
            Self::Courier(_) => "alice@test.local".into(),
        }
    }

    pub fn port(&self) -> u16 {
        match self {
            Self::Dovecot(server) => server.imap_port(),
            Self::Courier(server) => server.imap_port(),
        }
    }

    pub async fn client(&self, user: &str) -> RawImap {
        match self {
            Self::Dovecot(server) => server.client(user).await,
            Self::Courier(server) => server.client(user).await,
        }
        .expect("a client")
    }

    pub fn separator(&self) -> char {
        match self {
            Self::Dovecot(_) => '/',
            Self::Courier(_) => '.',
        }
    }

    pub fn ends_last_line(&self) -> bool {
        matches!(self, Self::Courier(_))
    }

    pub fn prefix(&self) -> &'static str {
        match self {
            Self::Dovecot(_) => "",
            Self::Courier(_) => "INBOX.",
        }
    }

    pub async fn reset_uidvalidity(&self, client: &mut RawImap, user: &str, folder: &str) {
        match self {
            Self::Dovecot(server) => {
                server
                    .reset_uidvalidity(user, folder)
                    .await
                    .expect("a new UIDVALIDITY");
                // Dovecot ends a session whose mailbox got a new UIDVALIDITY.
                *client = server.client(user).await.expect("a client");
            }
            Self::Courier(server) => {
                let fresh = server.client(user).await.expect("a client");
                std::mem::replace(client, fresh)
                    .logout()
                    .await
                    .expect("a farewell");
                server
                    .reset_uidvalidity(user, folder)
                    .expect("a new UIDVALIDITY");
            }
        }
    }
}
