//! Transfer encodings, encoded words and parameters.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::charset::Charset;

/// Bytes in one line of base64: 76 characters.
const LINE: usize = 57;

/// Base64 in lines (RFC 2045 section 6.8).
pub(super) fn wrapped_base64(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len() * 78 / LINE + 80);
    for line in bytes.chunks(LINE) {
        text.extend(STANDARD.encode(line).into_bytes());
        text.extend(b"\r\n");
    }
    text
}

/// Quoted-printable with soft line breaks (RFC 2045 section 6.7); CRLF in the input stays a line end.
pub(super) fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len() * 5 / 4);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let (line, end): (_, &[u8]) = match line.strip_suffix(b"\r\n") {
            Some(line) => (line, b"\r\n"),
            None => (line, b""),
        };
        let mut width = 0;
        for (index, byte) in line.iter().enumerate() {
            let last = index + 1 == line.len();
            let literal = matches!(byte, b'!'..=b'<' | b'>'..=b'~')
                || (matches!(byte, b' ' | b'\t') && !last);
            if width + 3 > 75 {
                text.extend(b"=\r\n");
                width = 0;
            }
            if literal {
                text.push(*byte);
                width += 1;
            } else {
                text.extend(format!("={byte:02X}").bytes());
                width += 3;
            }
        }
        text.extend(end);
    }
    text
}

/// A header's text: as it is if ASCII, else encoded words (RFC 2047), folded.
pub(super) fn header_text(rng: &mut ChaCha8Rng, charset: &Charset, text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let base64 = !charset.is_7bit() && rng.random_bool(0.5) || charset.label == "iso-2022-jp";
    let mut words = text.split(' ').peekable();
    let mut encoded = Vec::new();
    let mut group = String::new();
    while let Some(word) = words.next() {
        group.push_str(word);
        let Some(next) = words.peek() else { break };
        // White space between encoded words is not part of the text, so the last one of a group is inside.
        group.push(' ');
        if encoded_word(charset, &format!("{group}{next} "), base64).len() > 75 {
            encoded.push(encoded_word(charset, &group, base64));
            group.clear();
        }
    }
    encoded.push(encoded_word(charset, &group, base64));
    encoded.join("\r\n ")
}

/// At most 75 characters (RFC 2047 section 2) if the text is short enough.
pub(super) fn encoded_word(charset: &Charset, text: &str, base64: bool) -> String {
    let bytes = charset.bytes(text);
    let label = charset.label;
    if base64 {
        return format!("=?{label}?B?{}?=", STANDARD.encode(bytes));
    }
    let encoded: String = bytes
        .iter()
        .map(|byte| match byte {
            b' ' => "_".to_owned(),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(*byte).to_string(),
            _ => format!("={byte:02X}"),
        })
        .collect();
    format!("=?{label}?Q?{encoded}?=")
}

/// How a mailer writes a file name: RFC 2231 in one or several parts, or RFC 2047, which is against the rules and common.
pub(super) fn file_name(rng: &mut ChaCha8Rng, utf8: &Charset, name: &str) -> String {
    if name.is_ascii() {
        let name = name.replace('"', "\\\"");
        return format!("filename=\"{name}\"");
    }
    if rng.random_bool(0.4) {
        return format!("filename=\"{}\"", encoded_word(utf8, name, true));
    }
    let mut parts = vec![String::new()];
    for byte in name.bytes() {
        let unit = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        if parts.last().is_none_or(|part| part.len() + unit.len() > 60) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(&unit);
        }
    }
    if let [whole] = parts.as_slice() {
        return format!("filename*=UTF-8''{whole}");
    }
    parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            let start = if index == 0 { "UTF-8''" } else { "" };
            format!("filename*{index}*={start}{part}")
        })
        .collect::<Vec<_>>()
        .join(";\r\n ")
}
