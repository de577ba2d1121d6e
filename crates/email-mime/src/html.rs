//! HTML as it comes in mail: read leniently, in one pass, never trusted and never repaired.

mod render;
mod tokens;

use std::{borrow::Cow, collections::HashSet};

use crate::text::head;

pub(crate) use render::{render, to_text};
pub(crate) use tokens::{Tag, Token, Tokens};

/// Text as HTML, with its line breaks and runs of spaces kept.
pub(crate) fn from_text(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8 + 16);
    html.push_str("<div>");
    // After a line break or a space that stands as it is.
    let mut space = true;
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let written_as = match byte {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'"' => "&quot;",
            b'\n' => "<br>\n",
            b'\r' | b'\0' => "",
            b' ' if space => "&nbsp;",
            byte => {
                space = byte == b' ';
                continue;
            }
        };
        html.push_str(&text[written..at]);
        html.push_str(written_as);
        written = at + 1;
        space = byte == b'\n';
    }
    html.push_str(&text[written..]);
    html.push_str("</div>");
    html
}

/// The content ids that `cid:` URLs refer to (RFC 2392), percent-decoded.
pub(crate) fn content_ids(html: &str) -> HashSet<Cow<'_, str>> {
    let mut ids = HashSet::new();
    let lower = html.to_ascii_lowercase();
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&lower.as_bytes()[at..], b"cid:") {
        at += found + "cid:".len();
        // No content id is longer than a header line.
        let rest = head(&html[at..], 998);
        let end = rest.find(['"', '\'', '>', '<', ')', ' ', '\n', '\r', '\t', '&']);
        let id = &rest[..end.unwrap_or(rest.len())];
        if !id.is_empty() {
            ids.insert(percent_decoded(id));
        }
        at += id.len();
    }
    ids
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        let value = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(value.unwrap_or(byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

#[cfg(test)]
mod tests;
