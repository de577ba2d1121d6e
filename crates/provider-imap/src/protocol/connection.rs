//! A signed-in connection: its state, and reading and writing on it.

use std::io;

use async_imap::Client;
use futures::FutureExt as _;
use tokio::{
    io::{AsyncWriteExt as _, BufWriter},
    time::{Instant, timeout_at},
};

use super::{
    capability::{Capabilities, Capability},
    config::Timeouts,
    error::{Error, Result},
    quirks::Quirks,
    select::Selected,
    splitter::{Limits, SplitError},
    tap::{Response, Tap},
};

/// What async-imap writes to and reads from. It writes a command in four pieces, which the buffer makes
/// one; commands are short, so it is small.
pub(super) type Wire = BufWriter<Tap>;

/// Octets of the write buffer.
pub(super) const WRITE_BUFFER: usize = 1024;

/// A signed-in connection.
///
/// Every operation ends by the deadline that it is given. One that is dropped, timed out or failed for
/// anything but the server's own refusal leaves the connection [unusable](Connection::is_usable): what the
/// server still says cannot be told from answers to what is asked next.
#[derive(Debug)]
pub struct Connection {
    pub(super) client: Client<Wire>,
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
    /// Number of the last tag.
    tags: u64,
    last_used: Instant,
}

/// Above the tags used before and at the sign-in.
const FIRST_TAG: u64 = 1001;

impl Connection {
    pub(super) fn new(client: Client<Wire>, limits: Limits, timeouts: Timeouts) -> Self {
        Self {
            client,
            capabilities: Capabilities::default(),
            quirks: Quirks::default(),
            limits,
            timeouts,
            qresync: false,
            selected: None,
            idle_refused: false,
            busy: false,
            tags: FIRST_TAG - 1,
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

    pub(super) async fn write_line(
        &mut self,
        tag: &mut Option<String>,
        line: &str,
        name: &'static str,
        deadline: Instant,
    ) -> Result<()> {
        let limit = self.limit(deadline);
        let new_tag = tag.is_none().then(|| self.next_tag());
        match timeout_at(
            limit,
            write_line(&mut self.client, new_tag.as_deref(), line),
        )
        .await
        {
            Ok(written) => written?,
            Err(_) => return Err(Error::Timeout(name)),
        }
        if new_tag.is_some() {
            *tag = new_tag;
        }
        Ok(())
    }

    /// A tag that was not used before on this connection.
    fn next_tag(&mut self) -> String {
        self.tags += 1;
        format!("A{:04}", self.tags)
    }

    /// Writes in pieces, so that a slow network has time for each of them.
    pub(super) async fn write_octets(
        &mut self,
        octets: &[u8],
        name: &'static str,
        deadline: Instant,
    ) -> Result<()> {
        for piece in octets.chunks(64 * 1024) {
            let limit = self.limit(deadline);
            match timeout_at(limit, self.client.get_mut().write_all(piece)).await {
                Ok(written) => written.map_err(from_io)?,
                Err(_) => return Err(Error::Timeout(name)),
            }
        }
        Ok(())
    }

    /// The next complete response. As long as octets arrive, however slowly, only the deadline counts.
    pub(super) async fn next(&mut self, name: &'static str, deadline: Instant) -> Result<Response> {
        let mut known = self.received();
        loop {
            if let Some(response) = self.tap().pop() {
                return Ok(response);
            }
            let limit = self.limit(deadline);
            match timeout_at(limit, self.client.read_response()).await {
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

    pub(super) fn tap(&mut self) -> &mut Tap {
        self.client.get_mut().get_mut()
    }

    pub(super) fn received(&self) -> u64 {
        self.client.get_ref().get_ref().received()
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
            match self.client.read_response().now_or_never() {
                None => return true,
                Some(Ok(Some(_))) => {}
                Some(_) => return false,
            }
        }
        false
    }
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

/// Writes a line, as a command with this tag or as the rest of one. The library writes commands for signed-in
/// sessions only, and what it makes of those keeps seven kilobytes each for responses that nobody takes.
pub(super) async fn write_line(
    client: &mut Client<Wire>,
    tag: Option<&str>,
    line: &str,
) -> Result<()> {
    let stream = client.get_mut();
    let write = async {
        if let Some(tag) = tag {
            stream.write_all(tag.as_bytes()).await?;
            stream.write_all(b" ").await?;
        }
        stream.write_all(line.as_bytes()).await?;
        stream.write_all(b"\r\n").await?;
        stream.flush().await
    };
    write.await.map_err(from_io)
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
