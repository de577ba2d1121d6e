//! The one way in which commands are run.

use bytes::Bytes;
use email_provider::{ByteStream, ErrorKind, ProviderError};
use futures::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use super::{
    capability::Capability,
    command::Command,
    connection::Connection,
    error::{Error, Result},
    response_code::ResponseCode,
    tap::Response,
    untagged::{Condition, StatusResponse, Untagged, parse_untagged},
};

/// Told of each untagged response to a command. Returns whether the response was meant for the
/// command; a FETCH that was not is a change in the mailbox.
pub(super) type Heed<'a> = &'a mut (dyn FnMut(Untagged) -> Result<bool> + Send);

/// A command on its way.
enum Sent {
    /// Its literals are written; its tag, if anything is, and the text that is left.
    Literals(Option<String>, String),
    /// The server does not want them.
    Refused(StatusResponse),
}

/// What the end of a command needs to know of it.
#[derive(Clone, Copy)]
struct Rest {
    name: &'static str,
    changes: bool,
    tolerant: bool,
    /// Octets that the answer may have.
    most: u64,
}

impl Connection {
    /// Runs a command to its tagged OK.
    ///
    /// # Errors
    /// NO and BAD are errors and leave the connection usable; BYE, the end of the stream, a silence,
    /// the deadline, an exceeded limit and errors of `heed` are errors and do not.
    pub(super) async fn exec(
        &mut self,
        command: Command,
        deadline: Instant,
        heed: Heed<'_>,
    ) -> Result<StatusResponse> {
        self.begin()?;
        let rest = Rest {
            name: command.name,
            changes: command.changes,
            tolerant: command.tolerant,
            most: self.limits.of_command(command.contents),
        };
        match self.send_literals(command, deadline, heed).await? {
            Sent::Literals(tag, text) => self.conclude(tag, &text, rest, deadline, heed).await,
            Sent::Refused(status) => {
                self.finish();
                Err(Error::refused(status))
            }
        }
    }

    /// Runs a command whose last literal is too large to be held: its octets are read while they are written.
    ///
    /// # Errors
    /// As [`Connection::exec`], and `Source` where they are not so many, or cannot be read: the command has had no
    /// effect then.
    pub(super) async fn exec_streaming(
        &mut self,
        command: Command,
        length: u64,
        mut octets: ByteStream,
        deadline: Instant,
    ) -> Result<StatusResponse> {
        self.begin()?;
        let rest = Rest {
            name: command.name,
            changes: command.changes,
            tolerant: command.tolerant,
            most: self.limits.of_command(0),
        };
        let name = rest.name;
        let heed: Heed<'_> = &mut |_| Ok(false);
        let (mut tag, text) = match self.send_literals(command, deadline, heed).await? {
            Sent::Literals(tag, text) => (tag, text),
            Sent::Refused(status) => {
                self.finish();
                return Err(Error::refused(status));
            }
        };
        let waits = self.waits_for_literal(usize::try_from(length).unwrap_or(usize::MAX));
        let line = format!("{text}{{{length}{}}}", if waits { "" } else { "+" });
        self.write_line(&mut tag, &line, name, deadline).await?;
        if waits && let Some(status) = self.await_continuation(&tag, name, deadline, heed).await? {
            self.finish();
            return Err(Error::refused(status));
        }
        let mut left = length;
        let other_length = || {
            Error::Source(ProviderError::new(
                ErrorKind::Unavailable,
                "the message is not as long as it was said to be",
            ))
        };
        loop {
            let next = timeout_at(deadline, octets.next()).await;
            let Some(piece) = next.map_err(|_| Error::Timeout(name))? else {
                break;
            };
            let piece = piece.map_err(Error::Source)?;
            left = left
                .checked_sub(piece.len() as u64)
                .ok_or_else(other_length)?;
            if piece.contains(&0) {
                return Err(Error::Invalid("a message must not hold NUL".into()));
            }
            self.write_octets(&piece, name, deadline).await?;
        }
        match left {
            0 => self.conclude(tag, "", rest, deadline, heed).await,
            _ => Err(other_length()),
        }
    }

    /// Writes the last line of a command and reads to its tagged response.
    async fn conclude(
        &mut self,
        mut tag: Option<String>,
        text: &str,
        rest: Rest,
        deadline: Instant,
        heed: Heed<'_>,
    ) -> Result<StatusResponse> {
        // From here on the server may have all of the command.
        let lost = |error: Error| {
            if rest.changes {
                error.after_sending()
            } else {
                error
            }
        };
        self.write_line(&mut tag, text, rest.name, deadline)
            .await
            .map_err(lost)?;
        let end = self.received().saturating_add(rest.most);
        let mut malformed = None;
        let status = loop {
            match self.next(rest.name, deadline).await.map_err(lost)? {
                Response::Tagged(found, status) if Some(&found) == tag.as_ref() => break status,
                Response::Tagged(..) | Response::Continue => return Err(lost(out_of_order())),
                Response::Untagged(raw) => self.route(&raw, heed, &mut malformed).map_err(lost)?,
            }
            if self.received() > end {
                return Err(lost(Error::protocol(
                    "too much data in answer to one command",
                )));
            }
        };
        self.finish();
        match (status.condition, malformed) {
            (Condition::Ok, Some(error)) if !rest.tolerant => Err(error),
            (Condition::Ok, _) => Ok(status),
            _ => Err(Error::refused(status)),
        }
    }

    /// Runs a command of whose untagged responses none is of interest.
    pub(super) async fn run(
        &mut self,
        command: Command,
        deadline: Instant,
    ) -> Result<StatusResponse> {
        let command = Command {
            tolerant: true,
            ..command
        };
        self.exec(command, deadline, &mut |_| Ok(false)).await
    }

    /// Sends several commands at once and reads the answers in the order of the commands. Of each, what
    /// [`Connection::exec`] would give; the outer error is a lost connection.
    pub(super) async fn pipeline(
        &mut self,
        commands: Vec<Command>,
        deadline: Instant,
        heed: Heed<'_>,
    ) -> Result<Vec<Result<StatusResponse>>> {
        if !commands.iter().all(|command| self.is_one_write(command)) {
            let mut results = Vec::with_capacity(commands.len());
            for command in commands {
                let result = self.exec(command, deadline, heed).await;
                match result {
                    Err(error) if !error.is_answer() => return Err(error),
                    answer => results.push(answer),
                }
            }
            return Ok(results);
        }
        self.begin()?;
        let end = self.received().saturating_add(self.limits.of_command(0));
        let mut tags = Vec::with_capacity(commands.len());
        for command in commands {
            let name = command.name;
            let Sent::Literals(mut tag, text) = self.send_literals(command, deadline, heed).await?
            else {
                return Err(out_of_order());
            };
            self.write_line(&mut tag, &text, name, deadline).await?;
            tags.push(tag);
        }
        let mut results: Vec<Option<Result<StatusResponse>>> = tags.iter().map(|_| None).collect();
        let mut malformed = None;
        while results.iter().any(Option::is_none) {
            match self.next("several commands", deadline).await? {
                Response::Tagged(found, status) => {
                    let open = tags.iter().position(|tag| tag.as_ref() == Some(&found));
                    match open.and_then(|index| results.get_mut(index)) {
                        Some(result @ None) => {
                            *result = Some(match (status.condition, malformed.take()) {
                                (Condition::Ok, None) => Ok(status),
                                (Condition::Ok, Some(error)) => Err(error),
                                _ => Err(Error::refused(status)),
                            });
                        }
                        _ => return Err(out_of_order()),
                    }
                }
                Response::Continue => return Err(out_of_order()),
                Response::Untagged(raw) => self.route(&raw, heed, &mut malformed)?,
            }
            if self.received() > end {
                return Err(Error::protocol(
                    "too much data in answer to several commands",
                ));
            }
        }
        self.finish();
        Ok(results.into_iter().flatten().collect())
    }

    /// Writes a command but for the text after its last literal.
    async fn send_literals(
        &mut self,
        command: Command,
        deadline: Instant,
        heed: Heed<'_>,
    ) -> Result<Sent> {
        let mut tag = None;
        for (text, octets) in command.literals {
            let waits = self.waits_for_literal(octets.len());
            let line = format!("{text}{{{}{}}}", octets.len(), if waits { "" } else { "+" });
            self.write_line(&mut tag, &line, command.name, deadline)
                .await?;
            if waits
                && let Some(status) = self
                    .await_continuation(&tag, command.name, deadline, heed)
                    .await?
            {
                return Ok(Sent::Refused(status));
            }
            self.write_octets(&octets, command.name, deadline).await?;
        }
        Ok(Sent::Literals(tag, command.text))
    }

    /// RFC 7888: LITERAL+ lets literals of any length go without being asked for, LITERAL- those of up
    /// to 4096 octets. Courier closes the connection on one that it has not offered.
    fn waits_for_literal(&self, length: usize) -> bool {
        let free = self.has(Capability::LITERAL_PLUS)
            || (self.has(Capability::LITERAL_MINUS) && length <= 4096);
        !free
    }

    fn is_one_write(&self, command: &Command) -> bool {
        !command
            .literals
            .iter()
            .any(|(_, octets)| self.waits_for_literal(octets.len()))
    }

    /// Waits for `+`. A status is the refusal of the command.
    pub(super) async fn await_continuation(
        &mut self,
        tag: &Option<String>,
        name: &'static str,
        deadline: Instant,
        heed: Heed<'_>,
    ) -> Result<Option<StatusResponse>> {
        loop {
            match self.next(name, deadline).await? {
                Response::Continue => return Ok(None),
                Response::Tagged(found, status) if Some(&found) == tag.as_ref() => {
                    return match status.condition {
                        Condition::Ok => Err(out_of_order()),
                        _ => Ok(Some(status)),
                    };
                }
                Response::Tagged(..) => return Err(out_of_order()),
                Response::Untagged(raw) => self.route(&raw, heed, &mut None)?,
            }
        }
    }

    /// Reads an untagged response, notes what it says of the selected mailbox, and tells `heed`.
    pub(super) fn route(
        &mut self,
        raw: &Bytes,
        heed: Heed<'_>,
        malformed: &mut Option<Error>,
    ) -> Result<()> {
        let untagged = match parse_untagged(raw) {
            Ok(untagged) => untagged,
            // The command runs on, so that the connection stays in order, and fails in the end: what was
            // not understood may be what it asked for.
            Err(error) => {
                *malformed = Some(error.into());
                self.note_change();
                return Ok(());
            }
        };
        if let Untagged::Status(status) = &untagged {
            match (&status.condition, &status.code) {
                (Condition::Bye, _) => return Err(Error::Bye(status.clone())),
                (_, Some(ResponseCode::Alert)) => {
                    tracing::info!(text = status.text, "alert of the mail server")
                }
                _ => {}
            }
        }
        if let Some(selected) = &mut self.selected {
            selected.note(&untagged);
        }
        let is_fetch = matches!(untagged, Untagged::Fetch(_));
        let heeded = heed(untagged)?;
        if is_fetch
            && !heeded
            && let Some(selected) = &mut self.selected
        {
            selected.changed = true;
        }
        Ok(())
    }
}

/// What the server says does not fit what was asked: from here on nothing can be told apart.
pub(super) fn out_of_order() -> Error {
    Error::protocol("an answer that was not asked for")
}
