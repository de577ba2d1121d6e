//! Hostile mail servers, callers and mail, against the gateway as a process.
//!
//! After each of them the gateway still answers.

mod mischief;
mod secrets;
mod strangers;
mod support;
mod transport;
