//! IMAP mailboxes, which send by SMTP: iCloud, Zoho, Yahoo, Fastmail and any other server.
//!
//! [`protocol`] is the protocol, on async-imap; the modules beside it are the backend: what the gateway asks of a
//! mailbox, in IMAP's terms.

mod content;
mod convert;
mod counted;
mod cursor;
mod discovery;
mod feed;
mod folders;
mod known_servers;
mod listing;
mod plugin;
pub mod protocol;
mod provider;
mod reading;
mod scanning;
mod searching;
mod selecting;
mod sending;
mod settings;
mod smtp;
mod snippets;
mod streams;
mod watch;
mod writing;

pub use plugin::ImapPlugin;
pub use provider::ImapProvider;
pub use reading::scan_items;
