//! Gmail mailboxes, by the vendor's own API.
//!
//! One HTTP client serves all mailboxes, over the gateway's guarded network ([`connector`], [`client`]). A mailbox's
//! requests are made, paid and understood in [`api`]; the modules beside it are what the gateway asks of a
//! mailbox, in Gmail's terms: labels instead of folders, a history of the whole mailbox, units instead of
//! requests.

mod api;
mod changed;
mod client;
mod config;
mod connector;
mod convert;
mod cursor;
mod drafts;
mod error;
mod feed;
mod fetching;
mod finding;
mod ids;
mod json_text;
mod labels;
mod listing;
mod mailbox;
mod new_labels;
mod oauth;
mod plugin;
mod proof;
mod provider;
mod push;
mod quota;
mod scanning;
mod searching;
mod senders;
mod sending;
mod skeleton;
mod streams;
mod token;
mod uploading;
mod wanted;
mod watch;
mod wire;
mod writing;

pub use plugin::GmailPlugin;
pub use provider::GmailProvider;
