//! Text parts, and what every text given out has in common.

use crate::{TransferEncoding, charset, transfer};

/// The text of a single part as it was fetched: transfer encoding and charset undone, line breaks as
/// `\n`, no NUL. An unknown charset is taken for UTF-8 if the bytes are valid as such, else for
/// windows-1252.
pub fn decode_text(bytes: &[u8], charset: Option<&str>, encoding: TransferEncoding) -> String {
    let text = match encoding {
        TransferEncoding::Identity => charset::decode(bytes, charset),
        _ => charset::decode(&transfer::decode(bytes, encoding), charset),
    };
    if !text.contains(['\r', '\0']) {
        return text;
    }
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\0', "")
}

/// One line without control characters and outer white space, for header values: a decoded line break
/// must not come out as one.
pub(crate) fn one_line(text: &str) -> String {
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
            decode_text(b"a\0b\rc\r\n", None, TransferEncoding::Identity),
            "ab\nc\n"
        );
    }
}
