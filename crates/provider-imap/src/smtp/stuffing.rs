//! A message as DATA takes it (RFC 5321 section 4.5.2).

/// Doubles a dot at the beginning of a line, and makes every line end a CRLF: a bare CR or LF would be a line end to
/// some servers and none to others, and what one takes for the end of the message the next must not take for content
/// (CVE-2023-51764).
#[derive(Debug)]
pub(super) struct Stuffing {
    line_begins: bool,
    /// A CR whose LF may come with the next piece.
    after_cr: bool,
}

impl Stuffing {
    pub(super) fn new() -> Self {
        Self {
            line_begins: true,
            after_cr: false,
        }
    }

    /// Appends the next piece.
    pub(super) fn push(&mut self, piece: &[u8], into: &mut Vec<u8>) {
        into.reserve(piece.len() + piece.len() / 64 + 8);
        for &octet in piece {
            if std::mem::take(&mut self.after_cr) {
                into.extend_from_slice(b"\r\n");
                self.line_begins = true;
                if octet == b'\n' {
                    continue;
                }
            }
            match octet {
                b'\r' => self.after_cr = true,
                b'\n' => {
                    into.extend_from_slice(b"\r\n");
                    self.line_begins = true;
                }
                _ => {
                    if octet == b'.' && self.line_begins {
                        into.push(b'.');
                    }
                    into.push(octet);
                    self.line_begins = false;
                }
            }
        }
    }

    /// Ends the last line. The dot that ends the message is not written.
    pub(super) fn end(&mut self, into: &mut Vec<u8>) {
        if std::mem::take(&mut self.after_cr) || !self.line_begins {
            into.extend_from_slice(b"\r\n");
            self.line_begins = true;
        }
    }
}
