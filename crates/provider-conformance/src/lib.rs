//! The behaviour suite that every backend must pass.
//!
//! A backend implements [`Harness`] and calls [`provider_conformance!`] in a test. Each behaviour
//! that the doc comments of [`EmailProvider`](email_provider::EmailProvider) name becomes one test,
//! run on a mailbox of its own.
//!
//! Random histories print their seed when they fail; `CONFORMANCE_SEED` runs another one.

mod bench;
mod harness;
mod mail;
mod replica;
mod suite;

pub mod calls;
pub mod content;
pub mod feed;
pub mod fetching;
pub mod folders;
pub mod histories;
pub mod identity;
pub mod loss;
pub mod removing;
pub mod scans;
pub mod searching;
pub mod surveys;
pub mod terms;
pub mod writing;

pub use bench::{Bench, bytes, call};
pub use harness::{Harness, HarnessFacts, NewMail};
pub use mail::{Mail, moment};
pub use replica::{Replica, listing, scan_all};
