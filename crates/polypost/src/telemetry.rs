//! Logs and metrics.

mod escaping;
mod metrics;

use std::io;

use anyhow::Context as _;
use tracing_subscriber::{fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

pub use self::metrics::Metrics;

use self::escaping::Escaping;
use crate::{Config, config::LogFormat};

/// Writes the log to standard error from here on: what the configuration says, or else `default`. Once
/// a process.
///
/// # Errors
/// For a filter that is none, or where something else writes a log already.
pub fn log(config: &Config, default: &str) -> anyhow::Result<()> {
    let filter = config.log_filter(default)?;
    let registry = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer();
    match config.log_format {
        LogFormat::Json => {
            let layer = layer.json().flatten_event(true).with_writer(io::stderr);
            registry.with(layer).try_init()
        }
        LogFormat::Text => {
            let layer = layer
                .with_ansi(false)
                .with_writer(|| Escaping(io::stderr()));
            registry.with(layer).try_init()
        }
    }
    .context("the log cannot be started")?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, message, "a part of the gateway failed");
    }));
    Ok(())
}
