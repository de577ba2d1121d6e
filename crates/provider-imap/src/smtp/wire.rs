//! Lines to and from a server.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use super::{
    error::{Error, Result},
    reply::Reply,
};
use crate::protocol::Stream;

/// Octets of the longest line of a reply: RFC 5321 section 4.5.3.1.5 allows 512, some servers send more.
const LONGEST_LINE: usize = 4 << 10;
/// Octets of the longest reply.
const LONGEST_REPLY: usize = 64 << 10;

/// A connection as bytes, without a memory of what was said.
#[derive(Debug)]
pub(super) struct Wire(BufReader<Box<dyn Stream>>);

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self(BufReader::with_capacity(LONGEST_LINE, stream))
    }

    pub(super) async fn write(&mut self, octets: &[u8]) -> Result<()> {
        self.0.write_all(octets).await?;
        Ok(self.0.flush().await?)
    }

    /// The next reply, whole.
    pub(super) async fn read_reply(&mut self) -> Result<Reply> {
        let mut reply = Vec::new();
        loop {
            let start = reply.len();
            self.read_line(&mut reply).await?;
            let line = &reply[start..];
            let is_last = line.get(3) != Some(&b'-');
            if line.len() == 3 {
                // A code alone is allowed (RFC 5321 section 4.2.1), lettre wants a space behind it.
                reply.push(b' ');
            }
            reply.extend_from_slice(b"\r\n");
            if is_last {
                return Reply::parse(&String::from_utf8_lossy(&reply));
            }
            if reply.len() > LONGEST_REPLY {
                return Err(Error::Protocol("a reply without an end"));
            }
        }
    }

    /// Appends a line without its end, which may be a bare LF.
    async fn read_line(&mut self, line: &mut Vec<u8>) -> Result<()> {
        let start = line.len();
        loop {
            let arrived = self.0.fill_buf().await?;
            if arrived.is_empty() {
                return Err(Error::Closed);
            }
            let end = memchr(arrived);
            let taken = end.map_or(arrived.len(), |end| end + 1);
            line.extend_from_slice(&arrived[..end.unwrap_or(taken)]);
            self.0.consume(taken);
            if line.len() - start > LONGEST_LINE {
                return Err(Error::Protocol("a line without an end"));
            }
            if end.is_some() {
                while line.len() > start && line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(());
            }
        }
    }

    /// Whether nothing has arrived that was not read.
    pub(super) fn is_empty(&self) -> bool {
        self.0.buffer().is_empty()
    }

    /// The stream, for another use. What has arrived is lost: see [`Wire::is_empty`].
    pub(super) fn into_stream(self) -> Box<dyn Stream> {
        self.0.into_inner()
    }
}

fn memchr(octets: &[u8]) -> Option<usize> {
    octets.iter().position(|octet| *octet == b'\n')
}
