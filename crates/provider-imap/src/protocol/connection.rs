//! A signed-in connection, and the one way in which commands are run on it.

use std::io;

use async_imap::Session;
use futures::FutureExt as _;
use tokio::{
    io::{AsyncWriteExt as _, BufWriter},
    time::{Instant, timeout_at},
};

use super::{
    capability::{Capabilities, Capability},
    command::Command,
    config::Timeouts,
    error::{Error, Result},
    quirks::Quirks,
    response_code::ResponseCode,
    select::Selected,
    splitter::{Limits, SplitError},
    tap::{Response, Tap},
    untagged::{Condition, StatusResponse, Untagged, parse_untagged},
};

/// What async-imap writes to and reads from. It writes a command in four pieces, which the buffer makes
/// one; commands are short, so it is small.
pub(super) type Wire = BufWriter<Tap>;

/// Octets of the write buffer.
pub(super) const WRITE_BUFFER: usize = 1024;

/// Told of each untagged response to a command. Returns whether the response was meant for the
/// command; a FETCH that was not is a change in the mailbox.
pub(super) type Heed<'a> = &'a mut (dyn FnMut(Untagged) -> Result<bool> + Send);

/// A signed-in connection.
///
/// Every operation ends by the deadline that it is given. One that is dropped, timed out or failed for
/// anything but the server's own refusal leaves the connection [unusable](Connection::is_usable): what the
/// server still says cannot be told from answers to what is asked next.
#[derive(Debug)]
pub struct Connection {
    pub(super) session: Session<Wire>,
    pub(super) capabilities: Capabilities,
    pub(super) quirks: Quirks,
    pub(super) limits: Limits,
    pub(super) timeouts: Timeouts,
    /// ENABLE was answered with these.
    pub(super) qresync: bool,
    pub(super) selected: Option<Selected>,
    /// The server offered IDLE and refused it.
    pub(super) idle_refused: bool,
    /// A command is under way, or was when its future was dropped or failed.
    busy: bool,
    last_used: Instant,
}

impl Connection {
    pub(super) fn new(session: Session<Wire>, limits: Limits, timeouts: Timeouts) -> Self {
        Self {
            session,
            capabilities: Capabilities::default(),
            quirks: Quirks::default(),
            limits,
            timeouts,
            qresync: false,
            selected: None,
            idle_refused: false,
            busy: false,
            last_used: Instant::now(),
        }
    }

    /// What the server says it can do, as told after the sign-in.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether it offers all of these.
    pub fn has(&self, capability: Capability) -> bool {
        self.capabilities.has(capability)
    }

    /// What it is known to do otherwise.
    pub fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// Whether QRESYNC was enabled and the server said so (RFC 7162 section 3.2.3).
    pub fn has_qresync(&self) -> bool {
        self.qresync
    }

    /// The mailbox that is selected.
    pub fn selected(&self) -> Option<&Selected> {
        self.selected.as_ref()
    }

    /// Whether another command can be run.
    pub fn is_usable(&self) -> bool {
        !self.busy
    }

    /// When the last command ended.
    pub fn last_used(&self) -> Instant {
        self.last_used
    }

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
        let (name, changes, tolerant) = (command.name, command.changes, command.tolerant);
        let (mut tag, text) = match self.send_literals(command, deadline, heed).await? {
            Sent::Literals(tag, text) => (tag, text),
            Sent::Refused(status) => {
                self.finish();
                return Err(Error::refused(status));
            }
        };
        // From here on the server may have all of the command.
        let lost = |error: Error| {
            if changes {
                error.after_sending()
            } else {
                error
            }
        };
        self.write_line(&mut tag, &text, name, deadline)
            .await
            .map_err(lost)?;
        let end = self.received().saturating_add(self.limits.command);
        let mut malformed = None;
        let status = loop {
            match self.next(name, deadline).await.map_err(lost)? {
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
            (Condition::Ok, Some(error)) if !tolerant => Err(error),
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
        let end = self.received().saturating_add(self.limits.command);
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

    /// Marks a command as under way.
    pub(super) fn begin(&mut self) -> Result<()> {
        if self.busy {
            return Err(Error::Closed);
        }
        self.busy = true;
        Ok(())
    }

    /// Marks it as ended in good order.
    pub(super) fn finish(&mut self) {
        self.busy = false;
        self.last_used = Instant::now();
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

    async fn write_line(
        &mut self,
        tag: &mut Option<String>,
        line: &str,
        name: &'static str,
        deadline: Instant,
    ) -> Result<()> {
        let limit = self.limit(deadline);
        let write = async {
            match tag {
                None => self
                    .session
                    .run_command(line)
                    .await
                    .map(|id| *tag = Some(id.0)),
                Some(_) => self.session.run_command_untagged(line).await,
            }
        };
        match timeout_at(limit, write).await {
            Ok(written) => written.map_err(from_library),
            Err(_) => Err(Error::Timeout(name)),
        }
    }

    /// Writes in pieces, so that a slow network has time for each of them.
    async fn write_octets(
        &mut self,
        octets: &[u8],
        name: &'static str,
        deadline: Instant,
    ) -> Result<()> {
        for piece in octets.chunks(64 * 1024) {
            let limit = self.limit(deadline);
            match timeout_at(limit, self.session.get_mut().write_all(piece)).await {
                Ok(written) => written.map_err(from_io)?,
                Err(_) => return Err(Error::Timeout(name)),
            }
        }
        Ok(())
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

    /// The next complete response. As long as octets arrive, however slowly, only the deadline counts.
    pub(super) async fn next(&mut self, name: &'static str, deadline: Instant) -> Result<Response> {
        let mut known = self.received();
        loop {
            if let Some(response) = self.tap().pop() {
                return Ok(response);
            }
            let limit = self.limit(deadline);
            match timeout_at(limit, self.session.read_response()).await {
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => return Err(Error::Closed),
                Ok(Err(error)) => return Err(from_io(error)),
                Err(_) if limit < deadline && self.received() > known => known = self.received(),
                Err(_) => return Err(Error::Timeout(name)),
            }
        }
    }

    fn limit(&self, deadline: Instant) -> Instant {
        deadline.min(Instant::now() + self.timeouts.read)
    }

    /// Reads an untagged response, notes what it says of the selected mailbox, and tells `heed`.
    pub(super) fn route(
        &mut self,
        raw: &bytes::Bytes,
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

    pub(super) fn tap(&mut self) -> &mut Tap {
        self.session.get_mut().get_mut()
    }

    fn received(&self) -> u64 {
        self.session.get_ref().get_ref().received()
    }

    /// Looks without waiting whether the server has closed the connection meanwhile.
    pub(super) fn is_still_open(&mut self) -> bool {
        while self.is_usable() {
            while let Some(response) = self.tap().pop() {
                let Response::Untagged(raw) = response else {
                    return false;
                };
                if self.route(&raw, &mut |_| Ok(false), &mut None).is_err() {
                    return false;
                }
            }
            match self.session.read_response().now_or_never() {
                None => return true,
                Some(Ok(Some(_))) => {}
                Some(_) => return false,
            }
        }
        false
    }
}

/// A command on its way.
enum Sent {
    /// Its literals are written; its tag, if anything is, and the text that is left.
    Literals(Option<String>, String),
    /// The server does not want them.
    Refused(StatusResponse),
}

/// What the server says does not fit what was asked: from here on nothing can be told apart.
pub(super) fn out_of_order() -> Error {
    Error::protocol("an answer that was not asked for")
}

/// async-imap's own errors while a command is written or read.
pub(super) fn from_library(error: async_imap::error::Error) -> Error {
    use async_imap::error::Error as Library;
    match error {
        Library::Io(error) => from_io(error),
        Library::ConnectionLost => Error::Closed,
        Library::Validate(_) => Error::Invalid("a line break cannot be part of this".into()),
        // The tap writes what the library reads, so this cannot come from the server.
        _ => Error::protocol("the exchange is out of order"),
    }
}

pub(super) fn from_io(error: io::Error) -> Error {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, InvalidData, UnexpectedEof,
    };
    match error.kind() {
        UnexpectedEof | ConnectionReset | BrokenPipe | ConnectionAborted => Error::Closed,
        InvalidData => match error
            .get_ref()
            .and_then(|cause| cause.downcast_ref::<SplitError>())
        {
            Some(cause) => Error::protocol(cause.to_string()),
            None => Error::protocol("not understood"),
        },
        _ => Error::Io(error),
    }
}
