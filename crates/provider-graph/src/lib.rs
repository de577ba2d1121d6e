//! Office 365 and Outlook.com mailboxes, by Microsoft Graph.
//!
//! The client library names the API's resources ([`names`]) and nothing else: one HTTP client of ours serves all mailboxes,
//! over the gateway's guarded network ([`transport`]). A mailbox's requests are made, paid and understood in
//! [`api`]; the modules beside it are what the gateway asks of a mailbox, in the vendor's terms: a feed for each
//! folder, which may tell a change twice, late, in part or not at all.

mod address;
mod api;
mod arrivals;
mod attachments;
mod changes;
mod client_state;
mod config;
mod convert;
mod cursor;
mod error;
mod feed;
mod fetching;
mod folders;
mod id_token;
mod ids;
mod listing;
mod mailbox;
mod names;
mod oauth;
mod plugin;
mod proof;
mod provider;
mod push;
mod quota;
mod scanning;
mod searching;
mod streams;
mod token;
mod transport;
mod wanted;
mod watch;
mod wire;
mod writing;

pub use plugin::GraphPlugin;
pub use provider::GraphProvider;
