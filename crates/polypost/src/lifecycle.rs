//! How the process ends: softly at the first signal, at once at the second.

use std::{io, process::ExitCode, time::Duration};

use gateway_http::Shutdown;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything that ran was finished.
    Finished,
    /// Something was broken off: by a second signal, or because it took longer than the grace.
    BrokenOff,
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Finished => Self::SUCCESS,
            Ended::BrokenOff => Self::from(3),
        }
    }
}

/// Listens for SIGTERM and SIGINT. The first one begins the soft shutdown; the second one, or the end of
/// the grace, the hard one.
pub fn shutdown_on_signals(grace: Duration) -> io::Result<Shutdown> {
    let mut signals = Signals::new()?;
    let shutdown = Shutdown::default();
    let watched = shutdown.clone();
    tokio::spawn(async move {
        let name = tokio::select! {
            name = signals.next() => name,
            () = watched.soft.cancelled() => "an end from within",
        };
        tracing::info!(signal = name, "stopping: no more requests are taken");
        watched.soft.cancel();
        tokio::select! {
            name = signals.next() => tracing::warn!(signal = name, "breaking off what still runs"),
            () = tokio::time::sleep(grace) => {
                tracing::warn!(?grace, "the grace is over: breaking off what still runs");
            }
        }
        watched.hard.cancel();
    });
    Ok(shutdown)
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
