//! A message's header as it stands.

use mail_parser::parsers::MessageStream;
use mail_parser::{Header, HeaderValue, Message};

/// The first header of that name of a part, decoded and unfolded.
pub(crate) fn value(message: &Message<'_>, part: usize, name: &str) -> Option<String> {
    let header = message
        .parts
        .get(part)?
        .headers
        .iter()
        .find(|header| header.name.as_str().eq_ignore_ascii_case(name))?;
    Some(decode(octets(message, header)))
}

/// All headers in their order, with the names as they were written.
pub(crate) fn all(message: &Message<'_>) -> Vec<(String, String)> {
    let Some(root) = message.parts.first() else {
        return Vec::new();
    };
    root.headers
        .iter()
        .map(|header| (name(message, header), decode(octets(message, header))))
        .collect()
}

fn name(message: &Message<'_>, header: &Header<'_>) -> String {
    let start = header.offset_field as usize;
    let end = (header.offset_start as usize).saturating_sub(1);
    message
        .raw_message
        .get(start..end)
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .filter(|name| name.eq_ignore_ascii_case(header.name.as_str()))
        .unwrap_or_else(|| header.name.as_str().to_owned())
}

fn octets<'a>(message: &'a Message<'_>, header: &Header<'_>) -> &'a [u8] {
    let (start, end) = (header.offset_start as usize, header.offset_end as usize);
    message.raw_message.get(start..end).unwrap_or_default()
}

/// Encoded words (RFC 2047) decoded and folds removed.
fn decode(raw: &[u8]) -> String {
    let mut terminated = raw.to_vec();
    terminated.extend_from_slice(b"\r\n\r\n");
    match MessageStream::new(&terminated).parse_unstructured() {
        HeaderValue::Text(text) => text.trim().to_owned(),
        HeaderValue::TextList(texts) => texts.join(" "),
        _ => String::new(),
    }
}
