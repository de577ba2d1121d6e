//! Parameters of part headers: values of any characters (RFC 2231, RFC 2047).

use std::fmt::Write as _;

use email_encoding::headers::{rfc2047, writer::EmailWriter};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Longest value that stands in quotes, in octets: it fits its line.
const MAX_PLAIN: usize = 60;
/// Longest piece of an encoded value, in octets.
const MAX_PIECE: usize = 60;
/// All but `attribute-char` of RFC 2231 section 7.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'{')
    .remove(b'|')
    .remove(b'}')
    .remove(b'~');

/// Appends `;` and a parameter on a line of its own, in quotes where every reader understands that, else
/// encoded, in pieces if it is long.
pub(super) fn write(name: &str, value: &str, header: &mut String) {
    if is_plain(value) {
        // Writing to a String cannot fail.
        let _ = write!(header, ";\r\n {name}=\"{value}\"");
        return;
    }
    let pieces = pieces(value);
    match pieces.as_slice() {
        [only] => {
            let _ = write!(header, ";\r\n {name}*=utf-8''{only}");
        }
        pieces => {
            for (index, piece) in pieces.iter().enumerate() {
                let charset = if index == 0 { "utf-8''" } else { "" };
                let _ = write!(header, ";\r\n {name}*{index}*={charset}{piece}");
            }
        }
    }
}

/// The same for readers that know no RFC 2231: encoded words in quotes, which no RFC allows and most mail
/// programs write and read.
pub(super) fn write_for_old_readers(name: &str, value: &str, header: &mut String) {
    if is_plain(value) {
        return write(name, value, header);
    }
    let _ = write!(header, ";\r\n {name}=\"");
    {
        let mut writer = EmailWriter::new(header, name.len() + 3, 0, false);
        let _ = rfc2047::encode(value, &mut writer);
    }
    header.push('"');
}

/// Some readers undo percent-encoding and encoded words in quotes, too, and misread quoted pairs.
fn is_plain(value: &str) -> bool {
    let is_safe = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'%');
    value.len() <= MAX_PLAIN
        && value.bytes().all(is_safe)
        && !value.contains("=?")
        && value.trim() == value
}

fn pieces(value: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in value.chars() {
        let mut utf_8 = [0; 4];
        let encoded = utf8_percent_encode(c.encode_utf8(&mut utf_8), ENCODED).to_string();
        match pieces.last_mut() {
            Some(last) if last.len() + encoded.len() <= MAX_PIECE => last.push_str(&encoded),
            _ => pieces.push(encoded),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str) -> String {
        let mut header = "attachment".to_owned();
        write("filename", value, &mut header);
        header
    }

    #[test]
    fn plain_names_stand_in_quotes() {
        assert_eq!(
            written("a b's (1).pdf"),
            "attachment;\r\n filename=\"a b's (1).pdf\""
        );
        assert_eq!(written(""), "attachment;\r\n filename=\"\"");
    }

    #[test]
    fn other_names_are_percent_encoded_and_cut_between_characters() {
        assert_eq!(
            written("é\"%.txt"),
            "attachment;\r\n filename*=utf-8''%C3%A9%22%25.txt"
        );
        let long = written(&"日本".repeat(10));
        assert_eq!(
            long.lines().nth(1),
            Some(" filename*0*=utf-8''%E6%97%A5%E6%9C%AC%E6%97%A5%E6%9C%AC%E6%97%A5%E6%9C%AC;")
        );
        assert!(long.lines().all(|line| line.len() <= 84), "{long}");
        assert!(written("=?utf-8?q?x?=").contains("utf-8''%3D%3Futf-8"));
    }

    #[test]
    fn old_readers_get_encoded_words() {
        let mut header = "application/pdf".to_owned();
        write_for_old_readers("name", "é.pdf", &mut header);
        assert_eq!(header, "application/pdf;\r\n name=\"=?utf-8?b?w6kucGRm?=\"");
    }
}
