//! Real mail and database servers for the tests, started on free loopback ports in temporary directories.
//!
//! `install.sh` unpacks the servers once; it and the tests need root, since each server runs in a mount namespace where its
//! packages are laid over `/usr`. A server ends with its handle, and also when the test process dies in any way.
//!
//! - [`Dovecot`] in three dialects, [`Courier`] as the server with hardly any extension, [`Postgres`];
//! - [`Postfix`], a server to send through;
//! - [`RawImap`], a client that reports what a server holds, independent of the code under test;
//! - [`Chromium`], a browser without a window;
//! - [`FaultProxy`] and [`ScriptedImap`] for what real servers do rarely;
//! - [`mod@corpus`], a deterministic generator of realistic mail.

mod certificate;
mod chromium;
mod contained;
pub mod corpus;
mod courier;
mod dovecot;
mod fault_proxy;
mod loopback;
mod packages;
mod port;
mod postfix;
mod postgres;
mod raw_imap;
mod scripted_imap;

pub use certificate::TestCertificate;
pub use chromium::Chromium;
pub use corpus::{Corpus, GeneratedMail, corpus, small_corpus};
pub use courier::Courier;
pub use dovecot::{Dialect, Dovecot, DovecotOptions, MailFormat};
pub use fault_proxy::{Fault, FaultProxy};
pub use port::free_port;
pub use postfix::{Delivered, Postfix, PostfixOptions};
pub use postgres::{Postgres, PostgresOptions};
pub use raw_imap::{Answer, ListedMailbox, MailboxDump, RawImap, Selected, StoredMail, Value};
pub use scripted_imap::{Command, ScriptedImap, ScriptedStream};

/// The users that every mail server has, as they log in.
pub const NAMED_USERS: [&str; 4] = [
    "alice@test.local",
    "bob@test.local",
    "carol@test.local",
    "dave@test.local",
];

/// Every user's password.
pub const PASSWORD: &str = "pw";

/// The bearer token that Dovecot takes for a user: `tok-` and the login name.
#[must_use]
pub fn bearer_token(user: &str) -> String {
    format!("tok-{user}")
}
