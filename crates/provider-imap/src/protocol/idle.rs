//! Waiting for the server to say that something happened (RFC 2177).

use tokio::time::Instant;

use super::{
    capability::Capability,
    command::Command,
    connection::{Connection, from_io},
    error::{Error, Result},
    exec::out_of_order,
    tap::Response,
    untagged::{Condition, Untagged},
};

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleEnd {
    /// Something happened in the selected mailbox.
    Hint,
    /// Nothing happened until the deadline, or until the server ended it.
    Quiet,
    /// The server does not do it, whatever it offers: ask from time to time instead.
    Refused,
}

impl Connection {
    /// Waits until something happens in the selected mailbox, or until the deadline. IDLE is renewed every
    /// [`super::Timeouts::idle`], for servers and what lies between forget the silent.
    ///
    /// # Errors
    /// The end of the stream, too, is an error. Dropping the future leaves the connection unusable.
    pub async fn idle(&mut self, deadline: Instant) -> Result<IdleEnd> {
        self.need_selected()?;
        if !self.has(Capability::IDLE) || self.idle_refused {
            return Ok(IdleEnd::Refused);
        }
        loop {
            let renew_at = Instant::now() + self.timeouts.idle;
            let end = self.idle_once(renew_at.min(deadline)).await?;
            // One that the server ended by itself is not begun anew at once: it may end every one so.
            if end != IdleEnd::Quiet || renew_at >= deadline || Instant::now() < renew_at {
                return Ok(end);
            }
        }
    }

    async fn idle_once(&mut self, until: Instant) -> Result<IdleEnd> {
        self.begin()?;
        let name = Command::new("IDLE").name;
        let answer_by = Instant::now() + self.timeouts.read;
        let mut hint = false;
        let mut heed = |untagged| {
            hint |= is_hint(&untagged);
            Ok(false)
        };
        let mut tag = None;
        self.write_line(&mut tag, name, name, answer_by).await?;
        let started = self
            .await_continuation(&tag, name, answer_by, &mut heed)
            .await?;
        let tag = tag.unwrap_or_default();
        if started.is_some() {
            // Not DONE, which would be a command of its own now.
            self.idle_refused = true;
            self.finish();
            return Ok(IdleEnd::Refused);
        }
        let mut ended = None;
        while !hint && ended.is_none() {
            match self.next_while_idle(until).await? {
                None => break,
                Some(response) => ended = self.heed_idle(response, &tag, &mut hint)?,
            }
        }
        match ended {
            None => self.end_idle(&tag, &mut hint).await?,
            Some(Condition::Ok) => {}
            Some(_) => self.idle_refused = true,
        }
        self.finish();
        if self.idle_refused && !hint {
            return Ok(IdleEnd::Refused);
        }
        Ok(if hint { IdleEnd::Hint } else { IdleEnd::Quiet })
    }

    /// A silence is no failure here.
    async fn next_while_idle(&mut self, until: Instant) -> Result<Option<Response>> {
        loop {
            if let Some(response) = self.tap().pop() {
                return Ok(Some(response));
            }
            match tokio::time::timeout_at(until, self.client.read_response()).await {
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => return Err(Error::Closed),
                Ok(Err(error)) => return Err(from_io(error)),
                Err(_) => return Ok(None),
            }
        }
    }

    /// Returns the condition of the end of the command.
    fn heed_idle(
        &mut self,
        response: Response,
        tag: &str,
        hint: &mut bool,
    ) -> Result<Option<Condition>> {
        match response {
            Response::Tagged(found, status) if found == tag => Ok(Some(status.condition)),
            Response::Tagged(..) => Err(out_of_order()),
            // Some servers keep the connection alive with these.
            Response::Continue => Ok(None),
            Response::Untagged(raw) => {
                let mut heed = |untagged| {
                    *hint |= is_hint(&untagged);
                    Ok(false)
                };
                self.route(&raw, &mut heed, &mut None).map(|()| None)
            }
        }
    }

    async fn end_idle(&mut self, tag: &str, hint: &mut bool) -> Result<()> {
        let deadline = Instant::now() + self.timeouts.idle_end;
        let mut tag = Some(tag.to_owned());
        self.write_line(&mut tag, "DONE", "DONE", deadline).await?;
        let tag = tag.unwrap_or_default();
        loop {
            let response = self.next("DONE", deadline).await?;
            match self.heed_idle(response, &tag, hint)? {
                Some(Condition::Ok) => return Ok(()),
                Some(_) => return Err(Error::protocol("IDLE refused after its beginning")),
                None => {}
            }
        }
    }
}

fn is_hint(untagged: &Untagged) -> bool {
    matches!(
        untagged,
        Untagged::Exists(_)
            | Untagged::Expunge(_)
            | Untagged::Vanished { .. }
            | Untagged::Fetch(_)
            | Untagged::MailboxStatus(..)
            | Untagged::List(_)
    )
}
