//! The behaviour suite that every backend must pass.
//!
//! A backend implements [`Harness`] and calls [`provider_conformance!`] in a test. Each behaviour
//! that the doc comments of [`EmailProvider`](email_provider::EmailProvider) name becomes one test,
//! run on a mailbox of its own.
//!
//! Random histories print their seed when they fail; `CONFORMANCE_SEED` runs another one.

mod bench;
mod desk;
mod harness;
mod mail;
mod outgoing;
mod replica;
mod suite;

pub mod calls;
pub mod content;
pub mod drafting;
pub mod feed;
pub mod fetching;
pub mod filing;
pub mod folders;
pub mod histories;
pub mod identity;
pub mod loss;
pub mod removing;
pub mod scans;
pub mod searching;
pub mod sending_drafts;
pub mod submitting;
pub mod surveys;
pub mod terms;
pub mod writing;

pub use email_mime::compose::Purpose;

pub use bench::{Bench, bytes, call};
pub use desk::Handed;
pub use harness::{Correspondents, Delivered, Harness, HarnessFacts, NewMail};
pub use mail::{Mail, moment};
pub use outgoing::{Lengthened, answering, letter, octets, outgoing};
pub use replica::{Replica, listing, scan_all};
