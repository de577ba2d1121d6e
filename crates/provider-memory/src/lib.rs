//! A mailbox in memory.
//!
//! - The reference for authors of backends: every operation of
//!   [`EmailProvider`](email_provider::EmailProvider) in its plainest form, file by file as any
//!   backend crate has it: `plugin`, `provider` (with `reading`, `feed`, `writing`, `sending`,
//!   `drafts`), `cursor`, `convert`, `error`.
//! - The simulator: [`MemoryMailbox`] changes behind the gateway's back, forgets, fails and stalls
//!   on command, in the [`Shape`] of each family of real backends.
//! - The sample mailbox of a first start: [`sample`].

mod convert;
mod cursor;
mod drafts;
mod error;
mod faults;
mod feed;
mod mailbox;
mod outbox;
mod plugin;
mod provider;
mod reading;
pub mod sample;
mod sending;
mod shape;
mod simulator;
mod state;
mod writing;

pub use faults::Fault;
pub use mailbox::MemoryMailbox;
pub use outbox::SentMail;
pub use plugin::MemoryPlugin;
pub use provider::MemoryProvider;
pub use shape::Shape;
pub use simulator::{NewMail, Stored};
