//! End-to-end tests of the gateway against real servers.
//!
//! A test here knows the gateway as its users do: a process with an environment ([`GatewayProcess`]) and an API over HTTP
//! ([`Api`]), of which every answer is held against the published OpenAPI document ([`Spec`]).
//!
//! [`history`] is the proof of the change feed: whatever happens to a mailbox, to the gateway and to the connection
//! between them, a client that only follows the feed ([`Mirror`]) ends with a copy that equals what the server holds
//! ([`Truth`]).

pub mod alike;
mod api;
mod gateway;
mod google;
pub mod history;
mod microsoft;
mod mirror;
mod program;
pub mod quota;
pub mod sending;
mod spec;
mod storage;
pub mod truth;

pub use api::{Answer, Api, Auth, Call, Failure};
pub use gateway::{CLIENT_ID, CLIENT_SECRET, GatewayOptions, GatewayProcess};
pub use google::Google;
pub use microsoft::Microsoft;
pub use mirror::{Copy, Expiry, Hashes, Mirror, Mode, Poll, Record, WalkError};
pub use program::gateway_main;
pub use spec::Spec;
pub use storage::{Backup, Storage, StoreKind};
pub use truth::{Difference, Folders, Key, Naming, Truth, Window, hash_of};

/// The present moment. Tests compare it with what servers and the gateway claim, so it is the machine's own.
#[must_use]
pub fn now() -> chrono::DateTime<chrono::Utc> {
    #[expect(
        clippy::disallowed_methods,
        reason = "an end-to-end test shares the machine's clock with the servers"
    )]
    chrono::Utc::now()
}
