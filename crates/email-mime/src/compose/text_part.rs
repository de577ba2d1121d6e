//! Text in a form that survives transport: 7-bit lines of at most 76 octets, none of which a mail server
//! could take for the end of the message.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Octets of a base64 line before encoding (RFC 2045 section 6.8: 76 after it).
pub(super) const LINE: usize = 57;
/// Octets of a whole base64 line with its line break.
const ENCODED_LINE: usize = 78;
/// Longest line of quoted-printable, without the `=` that continues it (RFC 2045 section 6.7).
const MAX_QUOTED: usize = 75;

/// A text, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EncodedText {
    /// `Content-Transfer-Encoding`.
    pub(super) encoding: &'static str,
    pub(super) octets: String,
}

/// Encodes a text by what makes it shorter. Every line break, lone CR and LF included, becomes CRLF, as it
/// must in text (RFC 2046 section 4.1.1).
pub(super) fn encode(text: &str) -> EncodedText {
    let text = with_crlf(text);
    let literal = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n') && *byte != b'=';
    let escaped = text.bytes().filter(|byte| !literal(byte)).count();
    if escaped > text.len() / 6 {
        let mut octets = Vec::with_capacity(text.len() / LINE * ENCODED_LINE + ENCODED_LINE);
        base64_lines(text.as_bytes(), &mut octets);
        return EncodedText {
            encoding: "base64",
            octets: String::from_utf8_lossy(&octets).into_owned(),
        };
    }
    EncodedText {
        encoding: "quoted-printable",
        octets: quoted_printable(&text),
    }
}

fn with_crlf(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + text.len() / 32);
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest.as_bytes()) {
        result.push_str(&rest[..at]);
        result.push_str("\r\n");
        let after = &rest[at..];
        rest = after.strip_prefix("\r\n").unwrap_or_else(|| &after[1..]);
    }
    result.push_str(rest);
    result
}

/// Quoted-printable of a text with CRLF line breaks. Beyond what RFC 2045 demands, a dot at the beginning of a
/// line is escaped, which a server that miscounts line ends takes for the end of the message; so is `From `,
/// which mailbox files change (RFC 2049 section 3). Characters are not split between lines.
fn quoted_printable(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + text.len() / 8);
    for (index, line) in text.split("\r\n").enumerate() {
        if index > 0 {
            result.push_str("\r\n");
        }
        let mut length = 0;
        for (at, c) in line.char_indices() {
            let last = at + c.len_utf8() == line.len();
            let from = c == 'F' && line[at..].starts_with("From ");
            let mut unit = Unit::new(c, last, length == 0 && (c == '.' || from));
            if length + unit.len() > MAX_QUOTED {
                result.push_str("=\r\n");
                length = 0;
                unit = Unit::new(c, last, c == '.' || from);
            }
            length += unit.len();
            unit.push_to(&mut result);
        }
    }
    result
}

/// One character as it is written.
enum Unit {
    Literal(char),
    Escaped([u8; 4], usize),
}

impl Unit {
    fn new(c: char, ends_line: bool, special: bool) -> Self {
        let literal = match c {
            '=' => false,
            '!'..='~' => !special,
            ' ' | '\t' => !ends_line,
            _ => false,
        };
        if literal {
            return Self::Literal(c);
        }
        let mut bytes = [0; 4];
        let length = c.encode_utf8(&mut bytes).len();
        Self::Escaped(bytes, length)
    }

    fn len(&self) -> usize {
        match self {
            Self::Literal(_) => 1,
            Self::Escaped(_, length) => 3 * length,
        }
    }

    fn push_to(&self, result: &mut String) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        match self {
            Self::Literal(c) => result.push(*c),
            Self::Escaped(bytes, length) => {
                for byte in &bytes[..*length] {
                    result.push('=');
                    result.push(char::from(DIGITS[usize::from(byte >> 4)]));
                    result.push(char::from(DIGITS[usize::from(byte & 15)]));
                }
            }
        }
    }
}

/// Appends `bytes` as base64 in lines, each with its line break. To encode something piece by piece, give all
/// pieces but the last in multiples of [`LINE`].
pub(super) fn base64_lines(bytes: &[u8], encoded: &mut Vec<u8>) {
    let mut line = [0; ENCODED_LINE - 2];
    for piece in bytes.chunks(LINE) {
        // The buffer holds any piece of 57 octets.
        let length = STANDARD.encode_slice(piece, &mut line).unwrap_or_default();
        encoded.extend_from_slice(&line[..length]);
        encoded.extend_from_slice(b"\r\n");
    }
}

/// What [`base64_lines`] makes of so many octets.
pub(super) fn base64_length(octets: u64) -> u64 {
    let characters = octets.div_ceil(3).saturating_mul(4);
    characters.saturating_add(octets.div_ceil(LINE as u64) * 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TransferEncoding, transfer};

    #[test]
    fn text_is_written_as_short_as_it_can_be() {
        assert_eq!(
            encode("plain\n"),
            EncodedText {
                encoding: "quoted-printable",
                octets: "plain\r\n".into()
            }
        );
        assert_eq!(
            encode("Un été à la mer, ou là-bas et encore une fois").encoding,
            "quoted-printable"
        );
        assert_eq!(encode("日本語").encoding, "base64");
        assert_eq!(encode("").octets, "");
    }

    #[test]
    fn nothing_that_a_server_could_take_for_the_end_stands_on_a_line() {
        let text = "a\r\n.\r\nb\n.\nc\r.\rd\r\n..x\nFrom me\n";
        assert_eq!(
            encode(text).octets,
            "a\r\n=2E\r\nb\r\n=2E\r\nc\r\n=2E\r\nd\r\n=2E.x\r\n=46rom me\r\n"
        );
        // Where a line is continued as well.
        let text = format!("{}.{}", "x".repeat(75), "y".repeat(80));
        assert!(encode(&text).octets.contains("=\r\n=2Ey"));
    }

    #[test]
    fn white_space_at_the_end_of_a_line_is_kept() {
        assert_eq!(encode("a \nb\t\n \n").octets, "a=20\r\nb=09\r\n=20\r\n");
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back(text in "(\\PC|[\r\n .=\t\0F]|From |é|\r\n\\.\r\n){0,300}") {
            let encoded = encode(&text);
            let is_safe = |line: &str| {
                line.len() <= 76
                    && !line.starts_with('.')
                    && line.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
            };
            proptest::prop_assert!(encoded.octets.split("\r\n").all(is_safe));
            let decoded = transfer::decode(encoded.octets.as_bytes(), TransferEncoding::from_name(encoded.encoding));
            proptest::prop_assert_eq!(String::from_utf8(decoded).unwrap(), with_crlf(&text));
        }

        #[test]
        fn base64_is_as_long_as_foretold(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let mut encoded = Vec::new();
            base64_lines(&bytes, &mut encoded);
            proptest::prop_assert_eq!(encoded.len() as u64, base64_length(bytes.len() as u64));
            proptest::prop_assert_eq!(transfer::decode(&encoded, TransferEncoding::Base64), bytes);
        }
    }
}
