//! The program as its users run it.

#![expect(
    clippy::unwrap_used,
    reason = "a failure of a helper is the failure of its test"
)]

mod account;
mod commands;
mod process;
mod quickstart;
mod serve;
