//! What lies between async-imap and the socket.
//!
//! imap-proto panics, overflows the stack, waits for ever or takes quadratic time on what a hostile
//! server may send, and async-imap closes the stream after the first response that it cannot parse.
//! So neither sees a server's words: the tap splits them into complete responses, keeps these for our
//! own parsers, and hands async-imap a line of its own making for each that it must know of.

use std::{
    collections::VecDeque,
    fmt::{Debug, Write as _},
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    splitter::{Limits, Splitter},
    untagged::{Condition, StatusResponse, parse_tagged},
};

/// A connection to a server, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync + Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync + Debug> Stream for T {}

/// A complete response, as it was taken aside.
#[derive(Debug)]
pub(super) enum Response {
    /// `* …`
    Untagged(Bytes),
    /// The end of a command.
    Tagged(String, StatusResponse),
    /// `+ …`
    Continue,
}

/// Of which responses async-imap gets to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announce {
    /// All.
    All,
    /// Tagged ones and continuation requests only. async-imap's sign-in takes any untagged line
    /// before the first continuation request for the end of the exchange.
    Answers,
}

/// Octets of untagged data taken aside while nobody takes them away, that is during sign-in.
const MOST_ASIDE: usize = 1 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct Tap {
    stream: Box<dyn Stream>,
    splitter: Splitter,
    aside: VecDeque<Response>,
    aside_octets: usize,
    /// Lines for async-imap.
    lines: BytesMut,
    announce: Announce,
    received: u64,
}

impl Tap {
    pub(super) fn new(stream: Box<dyn Stream>, limits: Limits) -> Self {
        Self {
            stream,
            splitter: Splitter::new(limits),
            aside: VecDeque::new(),
            aside_octets: 0,
            lines: BytesMut::new(),
            announce: Announce::All,
            received: 0,
        }
    }

    pub(super) fn announce(&mut self, announce: Announce) {
        self.announce = announce;
    }

    /// The next response taken aside.
    pub(super) fn pop(&mut self) -> Option<Response> {
        let response = self.aside.pop_front();
        match &response {
            Some(Response::Untagged(raw)) => self.aside_octets -= raw.len(),
            None if self.aside.capacity() > 0 => self.aside = VecDeque::new(),
            _ => {}
        }
        response
    }

    /// Octets received so far: whether a slow transfer makes progress.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Whether nothing has arrived that has not been taken away.
    pub(super) fn is_empty(&self) -> bool {
        self.splitter.is_empty() && self.aside.is_empty()
    }

    /// The stream, for another use. What has arrived is lost: see [`Tap::is_empty`].
    pub(super) fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }

    fn take_aside(&mut self) -> io::Result<()> {
        let mut untold = false;
        while let Some(raw) = self.splitter.next_response().map_err(broken)? {
            match raw.first() {
                Some(b'+') => {
                    self.lines.extend_from_slice(b"+ \r\n");
                    self.aside.push_back(Response::Continue);
                }
                Some(b'*') => {
                    untold = self.announce == Announce::All;
                    self.aside_octets += raw.len();
                    if !untold && self.aside_octets > MOST_ASIDE {
                        return Err(broken("too much data before the end of the sign-in"));
                    }
                    self.aside.push_back(Response::Untagged(raw));
                }
                _ => {
                    let (tag, status) = parse_tagged(&raw).map_err(broken)?;
                    let word = match status.condition {
                        Condition::Ok => "OK",
                        Condition::No => "NO",
                        _ => "BAD",
                    };
                    write!(self.lines, "{tag} {word} .\r\n").map_err(io::Error::other)?;
                    self.aside.push_back(Response::Tagged(tag, status));
                }
            }
        }
        if untold && self.lines.is_empty() {
            // One line for all of them: it only wakes the reader, who then takes what lies aside.
            self.lines.extend_from_slice(b"* OK .\r\n");
        }
        Ok(())
    }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let tap = &mut *self;
        while tap.lines.is_empty() {
            // On the stack: a connection that waits holds no buffer.
            let mut octets = [0; 16 * 1024];
            let mut buffer = ReadBuf::new(&mut octets);
            ready!(Pin::new(&mut tap.stream).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            tap.received += buffer.filled().len() as u64;
            tap.splitter.push(buffer.filled());
            tap.take_aside()?;
        }
        let length = tap.lines.len().min(into.remaining());
        into.put_slice(&tap.lines[..length]);
        tap.lines.advance(length);
        if tap.lines.is_empty() {
            tap.lines = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
