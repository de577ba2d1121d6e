//! Splits what a server sends into complete responses, whatever the sizes of the pieces it arrives in.
//!
//! Every octet is looked at once, so that the work is linear in the input; every size is capped, so
//! that memory is too.

use bytes::{Bytes, BytesMut};

/// Largest sizes taken from a server, in octets.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// One line, literals not counted. A `SEARCH` answer that names every message is one line.
    pub line: usize,
    /// One literal. Larger messages are read in pieces.
    pub literal: usize,
    /// One response with all its lines and literals.
    pub response: usize,
    /// All responses to one command together, whatever it asks for.
    pub command: u64,
    /// All responses to one command that asks for no contents. Flags of a million messages are 60 to 90 MB.
    pub facts: u64,
    /// Keywords that the messages of one answer may have together: kept, a keyword takes many times the octets
    /// that it arrives in.
    pub keywords: usize,
    /// Messages that a mailbox may have.
    pub messages: u64,
    /// Elements that an answer may collect: mailboxes of a list, changes told by a SELECT.
    pub elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 16 << 20,
            literal: 64 << 20,
            response: 96 << 20,
            command: 1 << 30,
            facts: 96 << 20,
            keywords: 4_000_000,
            messages: 5_000_000,
            elements: 200_000,
        }
    }
}

impl Limits {
    /// All responses to one command whose answer holds contents of so many octets.
    pub(super) fn of_command(&self, contents: u64) -> u64 {
        self.facts.saturating_add(contents).min(self.command)
    }
}

/// A server that sends more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// A line without an end.
    #[error("a line of the server is too long")]
    Line,
    /// A literal that is announced as larger than allowed.
    #[error("a literal of the server is too large")]
    Literal,
    /// Too many lines and literals in one response.
    #[error("a response of the server is too large")]
    Response,
}

/// The splitter: bytes in, responses out.
#[derive(Debug)]
pub struct Splitter {
    limits: Limits,
    buffer: BytesMut,
    /// Where the current line begins.
    line_start: usize,
    /// Everything before this has been looked at, or belongs to a literal that may still be under way.
    scanned: usize,
    /// Whether lines of the current response may announce a literal; unknown before its first line.
    literals: Option<bool>,
}

impl Splitter {
    /// An empty one. It holds no memory while it is empty.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            buffer: BytesMut::new(),
            line_start: 0,
            scanned: 0,
            literals: None,
        }
    }

    /// Whether nothing of a response is waiting.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Takes what arrived.
    pub fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// The next complete response with its final CRLF, or `None` until more has arrived.
    ///
    /// # Errors
    /// When a limit is exceeded; the stream is then of no more use.
    pub fn next_response(&mut self) -> Result<Option<Bytes>, SplitError> {
        while let Some(unread) = self.buffer.get(self.scanned..) {
            let Some(offset) = unread.iter().position(|&b| b == b'\n') else {
                self.scanned = self.buffer.len();
                return match self.scanned - self.line_start > self.limits.line {
                    true => Err(SplitError::Line),
                    false => Ok(None),
                };
            };
            let end = self.scanned + offset + 1;
            self.scanned = end;
            let line = &self.buffer[self.line_start..end];
            if line.len() > self.limits.line {
                return Err(SplitError::Line);
            }
            if !line.ends_with(b"\r\n") {
                continue; // a lone LF is data
            }
            let literals = *self.literals.get_or_insert_with(|| may_hold_literals(line));
            match literals.then(|| announced_literal(line)).flatten() {
                Some(length) => self.expect_literal(end, length)?,
                None => return Ok(Some(self.take(end))),
            }
        }
        Ok(None)
    }

    fn expect_literal(&mut self, line_end: usize, length: u64) -> Result<(), SplitError> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.limits.literal {
            return Err(SplitError::Literal);
        }
        let end = line_end.saturating_add(length);
        if end > self.limits.response {
            return Err(SplitError::Response);
        }
        // Memory follows what has arrived, not what is announced.
        const AHEAD: usize = 1 << 20;
        self.buffer
            .reserve(end.saturating_sub(self.buffer.len()).min(AHEAD));
        self.scanned = end;
        self.line_start = end;
        Ok(())
    }

    fn take(&mut self, end: usize) -> Bytes {
        let response = self.buffer.split_to(end).freeze();
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        (self.line_start, self.scanned, self.literals) = (0, 0, None);
        response
    }
}

/// Literals occur in untagged data. The text of a status response (RFC 3501 section 7.1), tagged
/// lines and continuation requests are free text, in which `{5}` at the end means nothing.
fn may_hold_literals(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"* ") else {
        return false;
    };
    let word = rest
        .split(|b| matches!(b, b' ' | b'\r'))
        .next()
        .unwrap_or_default();
    ![&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"]
        .iter()
        .any(|w| word.eq_ignore_ascii_case(w))
}

/// The length in `{5}`, `{5+}` or `~{5}` at the end of a line (RFC 3501, RFC 7888, RFC 3516).
fn announced_literal(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"}\r\n")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let open = line.iter().rev().take(21).position(|&b| b == b'{')?;
    let digits = &line[line.len() - open..];
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // More digits than a u64 holds: larger than any limit.
    Some(
        std::str::from_utf8(digits)
            .ok()?
            .parse()
            .unwrap_or(u64::MAX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(input: &[u8], step: usize) -> Result<Vec<Bytes>, SplitError> {
        let limits = Limits {
            line: 200,
            literal: 100,
            response: 300,
            ..Limits::default()
        };
        let (mut splitter, mut responses) = (Splitter::new(limits), Vec::new());
        for piece in input.chunks(step) {
            splitter.push(piece);
            while let Some(response) = splitter.next_response()? {
                responses.push(response);
            }
        }
        Ok(responses)
    }

    #[test]
    fn responses_are_the_same_however_the_bytes_arrive() {
        let input = b"* OK hello {3}\r\n* 1 FETCH (BODY[] {7}\r\n\r\n* 2 \n FLAGS ())\r\n* LIST () \"/\" {1}\r\na\r\nA0001 OK {9}\r\n+ {2}\r\n";
        let whole = split(input, input.len()).unwrap();
        assert_eq!(whole.len(), 5);
        assert_eq!(
            whole[1],
            &b"* 1 FETCH (BODY[] {7}\r\n\r\n* 2 \n FLAGS ())\r\n"[..]
        );
        for step in 1..input.len() {
            assert_eq!(split(input, step).unwrap(), whole, "step {step}");
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        assert_eq!(split(&[b'a'; 500], 7), Err(SplitError::Line));
        assert_eq!(split(&[b'\n'; 500], 7), Err(SplitError::Line));
    }

    #[test]
    fn a_huge_literal_is_refused_before_it_arrives() {
        assert_eq!(
            split(b"* 1 FETCH (BODY[] {4294967295}\r\n", 64),
            Err(SplitError::Literal)
        );
        assert_eq!(
            split(b"* 1 FETCH (BODY[] {99999999999999999999}\r\n", 64),
            Err(SplitError::Literal)
        );
    }

    #[test]
    fn many_literals_in_one_response_are_refused() {
        let input = b"* 1 FETCH (A {80}\r\n".iter().copied();
        let mut bytes: Vec<u8> = input.collect();
        for _ in 0..5 {
            bytes.extend_from_slice(&[b'x'; 80]);
            bytes.extend_from_slice(b" {80}\r\n");
        }
        assert_eq!(split(&bytes, 33), Err(SplitError::Response));
    }

    #[test]
    fn an_empty_splitter_holds_no_memory() {
        let mut splitter = Splitter::new(Limits::default());
        splitter.push(b"* OK hello\r\n");
        assert!(splitter.next_response().unwrap().is_some());
        assert!(splitter.is_empty());
        assert_eq!(splitter.buffer.capacity(), 0);
    }
}
