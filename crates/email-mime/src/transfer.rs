//! Content transfer encodings (RFC 2045 section 6), decoded as they arrive.

/// How the bytes of a part are encoded for transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransferEncoding {
    /// `7bit`, `8bit`, `binary` and anything unknown: the bytes as they stand.
    #[default]
    Identity,
    /// `base64`.
    Base64,
    /// `quoted-printable`.
    QuotedPrintable,
}

impl TransferEncoding {
    /// By its name in a header or BODYSTRUCTURE, in any case.
    pub fn from_name(name: &str) -> Self {
        let name = name.trim();
        if name.eq_ignore_ascii_case("base64") {
            Self::Base64
        } else if name.eq_ignore_ascii_case("quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::Identity
        }
    }

    /// An estimate of the decoded size of `octets` encoded ones.
    pub(crate) fn estimate(self, octets: u64) -> u64 {
        match self {
            // Lines of 76 characters and CRLF hold 57 octets.
            Self::Base64 => octets / 78 * 57 + (octets % 78).saturating_sub(2) / 4 * 3,
            Self::Identity | Self::QuotedPrintable => octets,
        }
    }
}

/// Most white space held back at a chunk's or line's end while it may still prove to be padding.
const MAX_HELD: usize = 1_024;

/// Decodes a part chunk by chunk: the result does not depend on where the chunks are cut, and no more
/// than 1 KiB is held between them. What is not of the encoding is skipped (base64) or kept as
/// it stands (quoted-printable); nothing is an error.
#[derive(Clone, Debug)]
pub struct TransferDecoder {
    encoding: TransferEncoding,
    base64: Base64,
    quoted: QuotedPrintable,
}

impl TransferDecoder {
    /// A decoder at the beginning of a part.
    pub fn new(encoding: TransferEncoding) -> Self {
        Self {
            encoding,
            base64: Base64::default(),
            quoted: QuotedPrintable::default(),
        }
    }

    /// Appends what `chunk` decodes to. That is never longer than the chunk and what was held.
    pub fn push(&mut self, chunk: &[u8], decoded: &mut Vec<u8>) {
        match self.encoding {
            TransferEncoding::Identity => decoded.extend_from_slice(chunk),
            TransferEncoding::Base64 => self.base64.push(chunk, decoded),
            TransferEncoding::QuotedPrintable => self.quoted.push(chunk, decoded),
        }
    }

    /// Appends what was still held, at the end of the part.
    pub fn finish(mut self, decoded: &mut Vec<u8>) {
        self.base64.flush(decoded);
        self.quoted.finish(decoded);
    }
}

/// Decodes a whole part.
pub(crate) fn decode(bytes: &[u8], encoding: TransferEncoding) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(match encoding {
        TransferEncoding::Base64 => bytes.len() / 4 * 3 + 3,
        TransferEncoding::Identity | TransferEncoding::QuotedPrintable => bytes.len(),
    });
    let mut decoder = TransferDecoder::new(encoding);
    decoder.push(bytes, &mut decoded);
    decoder.finish(&mut decoded);
    decoded
}

/// The size of a whole part after decoding.
pub(crate) fn decoded_size(bytes: &[u8], encoding: TransferEncoding) -> u64 {
    match encoding {
        TransferEncoding::Identity => return bytes.len() as u64,
        TransferEncoding::Base64 => return Base64::decoded_size(bytes),
        TransferEncoding::QuotedPrintable => {}
    }
    let mut decoder = TransferDecoder::new(encoding);
    let mut piece = Vec::with_capacity(64 << 10);
    let mut size = 0;
    for chunk in bytes.chunks(64 << 10) {
        decoder.push(chunk, &mut piece);
        size += piece.len() as u64;
        piece.clear();
    }
    decoder.finish(&mut piece);
    size + piece.len() as u64
}

const BASE64_VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [u8::MAX; 256];
    let mut index = 0;
    while index < alphabet.len() {
        values[alphabet[index] as usize] = index as u8;
        index += 1;
    }
    values
};

#[derive(Clone, Debug, Default)]
struct Base64 {
    bits: u32,
    count: u8,
}

impl Base64 {
    fn push(&mut self, chunk: &[u8], decoded: &mut Vec<u8>) {
        let mut rest = chunk;
        while let Some((&byte, after)) = rest.split_first() {
            if self.count == 0
                && let Some((group, after)) = rest.split_first_chunk()
                && let Some(octets) = whole_group(group)
            {
                decoded.extend_from_slice(&octets);
                rest = after;
                continue;
            }
            rest = after;
            let value = BASE64_VALUES[usize::from(byte)];
            if value != u8::MAX {
                self.bits = self.bits << 6 | u32::from(value);
                self.count += 1;
                if self.count == 4 {
                    decoded.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                    self.count = 0;
                }
            } else if byte == b'=' {
                // Padding ends a group; more may follow where encoded pieces were joined.
                self.flush(decoded);
            }
        }
    }

    /// What [`Base64::push`] and [`Base64::flush`] would append.
    fn decoded_size(bytes: &[u8]) -> u64 {
        let octets = |count: u64| count / 4 * 3 + (count % 4).saturating_sub(1);
        let groups = bytes.split(|byte| *byte == b'=');
        groups
            .map(|group| {
                let is_known = |byte: &&u8| BASE64_VALUES[usize::from(**byte)] != u8::MAX;
                octets(group.iter().filter(is_known).count() as u64)
            })
            .sum()
    }

    fn flush(&mut self, decoded: &mut Vec<u8>) {
        match self.count {
            2 => decoded.push((self.bits >> 4) as u8),
            3 => decoded.extend_from_slice(&((self.bits >> 2) as u16).to_be_bytes()),
            _ => {}
        }
        self.count = 0;
    }
}

/// The octets of four characters, if all are of the alphabet.
fn whole_group(group: &[u8; 4]) -> Option<[u8; 3]> {
    let values = group.map(|byte| BASE64_VALUES[usize::from(byte)]);
    // The invalid value is the only one with its highest bit set.
    if values.iter().fold(0, |all, value| all | value) & 0x80 != 0 {
        return None;
    }
    let bits = values
        .iter()
        .fold(0, |bits, &value| bits << 6 | u32::from(value));
    let [_, octets @ ..] = bits.to_be_bytes();
    Some(octets)
}

/// `held` is white space that ends the line if a line break follows (RFC 2045 section 6.7 rule 3), or an
/// unfinished escape: `=`, `=` and white space (a soft break with trailing space), `=` and a digit.
#[derive(Clone, Debug, Default)]
struct QuotedPrintable {
    held: Vec<u8>,
}

impl QuotedPrintable {
    fn push(&mut self, chunk: &[u8], decoded: &mut Vec<u8>) {
        let mut rest = chunk;
        while !rest.is_empty() {
            if self.held.is_empty() {
                // Up to what may mean something, which is white space too where it ends the line.
                let end = memchr::memchr3(b'=', b'\r', b'\n', rest).unwrap_or(rest.len());
                let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t');
                let spaces = rest[..end].iter().rev().take_while(is_space).count();
                decoded.extend_from_slice(&rest[..end - spaces]);
                rest = &rest[end - spaces..];
            }
            let Some((&byte, after)) = rest.split_first() else {
                break;
            };
            self.byte(byte, decoded);
            rest = after;
        }
    }

    fn byte(&mut self, byte: u8, decoded: &mut Vec<u8>) {
        if self.held.first() == Some(&b'=') {
            match (self.held.len(), self.held.last()) {
                (_, Some(b'=' | b' ' | b'\t' | b'\r')) if byte == b'\n' => {
                    self.held.clear();
                    return;
                }
                (_, Some(b'=' | b' ' | b'\t')) if matches!(byte, b' ' | b'\t' | b'\r') => {
                    self.hold(byte, decoded);
                    return;
                }
                (1, _) if byte.is_ascii_hexdigit() => {
                    self.held.push(byte);
                    return;
                }
                (2, Some(first)) if first.is_ascii_hexdigit() && byte.is_ascii_hexdigit() => {
                    decoded.push(hex(*first) << 4 | hex(byte));
                    self.held.clear();
                    return;
                }
                _ => decoded.append(&mut self.held),
            }
        }
        match byte {
            b' ' | b'\t' | b'\r' => self.hold(byte, decoded),
            b'\n' => {
                let cr = self.held.last() == Some(&b'\r');
                self.held.clear();
                decoded.extend_from_slice(if cr { b"\r\n" } else { b"\n" });
            }
            b'=' => {
                decoded.append(&mut self.held);
                self.held.push(byte);
            }
            _ => {
                decoded.append(&mut self.held);
                decoded.push(byte);
            }
        }
    }

    fn hold(&mut self, byte: u8, decoded: &mut Vec<u8>) {
        if self.held.len() == MAX_HELD {
            decoded.append(&mut self.held);
        }
        self.held.push(byte);
    }

    /// A lone `=` at the end is a soft break; spaces there are padding.
    fn finish(&mut self, decoded: &mut Vec<u8>) {
        if self.held.len() == 2 && self.held[1].is_ascii_hexdigit() {
            decoded.append(&mut self.held);
        }
        self.held.clear();
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

#[cfg(test)]
mod tests;
