//! The gateway as a program: configuration, commands, and a running gateway put together of its parts.
//!
//! Everything that `main` does is here, so that tests can start a whole gateway in their own process:
//! see [`server::start`].

pub mod commands;
pub mod config;
pub mod lifecycle;
pub mod providers;
pub mod secret_key;
pub mod server;
pub mod store;
pub mod telemetry;

pub use config::Config;
