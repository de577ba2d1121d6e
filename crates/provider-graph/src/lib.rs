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
mod sending;
mod streams;
mod token;
mod transport;
mod versions;
mod wanted;
mod watch;
mod wire;
mod writing;

use std::time::Duration;

use email_provider::Call;
use tokio::time::{Instant, sleep};

pub use plugin::GraphPlugin;
pub use provider::GraphProvider;

/// Waits; false, and at once, where the call would be over then.
async fn wait(call: Call, time: Duration) -> bool {
    let is_in_time = Instant::now() + time < call.deadline;
    if is_in_time {
        sleep(time).await;
    }
    is_in_time
}
