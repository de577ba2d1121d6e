//! Text parts, and what every text given out has in common.

use crate::{TransferEncoding, charset, transfer};

/// The text of a single part as it was fetched: transfer encoding and charset undone, line breaks as
/// `\n`, no NUL. An unknown charset is taken for UTF-8 if the bytes are valid as such, else for
/// windows-1252.
pub fn decode_text(bytes: &[u8], charset: Option<&str>, encoding: TransferEncoding) -> String {
    let text = match encoding {
        TransferEncoding::Identity => charset::decode(bytes, charset),
        _ => charset::decode_vec(transfer::decode(bytes, encoding), charset),
    };
    unbroken(text)
}

/// With line breaks as `\n`, and without NUL.
fn unbroken(text: String) -> String {
    let bytes = text.as_bytes();
    if memchr::memchr2(b'\r', b'\0', bytes).is_none() {
        return text;
    }
    let mut result = String::with_capacity(text.len());
    let mut written = 0;
    for at in memchr::memchr2_iter(b'\r', b'\0', bytes) {
        result.push_str(&text[written..at]);
        written = at + 1;
        if bytes[at] == b'\r' && bytes.get(written) != Some(&b'\n') {
            result.push('\n');
        }
    }
    result.push_str(&text[written..]);
    result
}

/// One line without control characters and outer white space, for header values: a decoded line break
/// must not come out as one.
pub(crate) fn one_line(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.trim().to_owned();
    }
    let clean: String = text
        .chars()
        .filter(|&c| c != '\0')
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    clean.trim().to_owned()
}

/// The longest beginning of at most `octets` that ends between characters.
pub(crate) fn head(text: &str, octets: usize) -> &str {
    &text[..text.floor_char_boundary(octets)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetched_part_becomes_text() {
        let encoding = TransferEncoding::QuotedPrintable;
        assert_eq!(
            decode_text(b"=E9t=E9\r\n", Some("iso-8859-1"), encoding),
            "été\n"
        );
        assert_eq!(
            decode_text(b"w6k=", Some("utf-8"), TransferEncoding::Base64),
            "é"
        );
        assert_eq!(
            decode_text(b"a\0b\rc\r\n\r\r\nd\r", None, TransferEncoding::Identity),
            "ab\nc\n\n\nd\n"
        );
    }
}
