//! A connection that is signed in.

use std::{fmt::Display, time::Duration};

use lettre::transport::smtp::commands::{Quit, Rset};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    error::{Error, Result, Stage},
    offer::Offer,
    reply::Reply,
    wire::Wire,
};

/// How long an idle connection may take to say that it lives.
const ALIVE: Duration = Duration::from_secs(5);
const FAREWELL: Duration = Duration::from_secs(2);

/// A connection to a sending server.
///
/// An exchange that is dropped or fails for anything but the server's own refusal leaves it
/// [unusable](Connection::is_usable).
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) wire: Wire,
    pub(super) offer: Offer,
    /// An exchange is under way, or was when its future was dropped or failed.
    pub(super) busy: bool,
    last_used: Instant,
}

impl Connection {
    pub(super) fn new(wire: Wire, offer: Offer) -> Self {
        Self {
            wire,
            offer,
            busy: false,
            last_used: Instant::now(),
        }
    }

    pub(crate) fn offer(&self) -> Offer {
        self.offer
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.busy
    }

    pub(super) fn last_used(&self) -> Instant {
        self.last_used
    }

    /// Sends a command and reads the reply to it.
    pub(super) async fn exchange(
        &mut self,
        command: impl Display,
        what: &'static str,
        deadline: Instant,
    ) -> Result<Reply> {
        self.begin()?;
        if !self.wire.is_empty() {
            return Err(Error::Protocol("an answer that was not asked for"));
        }
        let line = command.to_string();
        let reply = async {
            self.wire.write(line.as_bytes()).await?;
            self.wire.read_reply().await
        };
        let reply = timeout_at(deadline, reply)
            .await
            .map_err(|_| Error::Timeout(what))??;
        self.finish(&reply);
        Ok(reply)
    }

    pub(super) fn begin(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.busy, true) {
            true => Err(Error::Closed),
            false => Ok(()),
        }
    }

    /// After 421 nothing more is to be had of it.
    pub(super) fn finish(&mut self, reply: &Reply) {
        self.busy = reply.code() == 421;
        self.last_used = Instant::now();
    }

    /// Gives up what was begun, so that another message may follow.
    pub(super) async fn reset(&mut self, deadline: Instant) -> Result<()> {
        let reply = self.exchange(Rset, "RSET", deadline).await?;
        match reply.is_success() {
            true => Ok(()),
            false => {
                self.busy = true;
                Err(Error::Refused {
                    stage: Stage::Session,
                    reply,
                })
            }
        }
    }

    /// Whether it still answers.
    pub(super) async fn is_alive(&mut self, deadline: Instant) -> bool {
        // What the server said unasked can only be a farewell.
        let limit = deadline.min(Instant::now() + ALIVE);
        self.is_usable() && self.wire.is_empty() && self.reset(limit).await.is_ok()
    }

    /// Says farewell. The answer does not matter.
    pub(crate) async fn close(mut self) {
        if self.is_usable() {
            drop(timeout(FAREWELL, self.wire.write(Quit.to_string().as_bytes())).await);
        }
    }
}
