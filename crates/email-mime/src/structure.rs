//! The part tree of a message, and which of its parts are body text, which attachments.
//!
//! A tree comes from raw bytes or from a server's description (BODYSTRUCTURE, RFC 9051 section 7.5.2):
//! [`classify`] treats both alike, and part ids are the server's section numbers (RFC 9051 section
//! 6.4.5). A message within a message is one part; what it consists of is its own affair.

mod classify;
pub(crate) mod tree;

use email_model::{Attachment, Body, MeetingMethod, PartId};

pub use classify::classify;

use crate::{
    TransferEncoding, file_name, headers::parameters::Parameterised, html, text::one_line,
};

/// Deepest nesting that is followed; what lies deeper is one opaque part.
pub const MAX_DEPTH: usize = 100;
/// Most parts told apart; the last one holds what follows.
pub const MAX_PARTS: usize = 10_000;

/// A part and what lies within it.
///
/// Dropping recurses into the children, so whoever builds a tree must bound its depth; [`MAX_DEPTH`]
/// is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// `type/subtype`, lower case.
    pub mime_type: String,
    /// `charset` parameter.
    pub charset: Option<String>,
    /// `method` parameter of a calendar part.
    pub method: Option<String>,
    /// `inline`, `attachment` or another, lower case.
    pub disposition: Option<String>,
    /// File name from disposition or type, decoded and without any path.
    pub file_name: Option<String>,
    /// `Content-ID` without angle brackets.
    pub content_id: Option<String>,
    /// `Content-Location`.
    pub content_location: Option<String>,
    /// `Content-Transfer-Encoding`.
    pub encoding: TransferEncoding,
    /// Octets as transported.
    pub encoded_size: Option<u64>,
    /// Parts of a multipart, in order.
    pub children: Vec<Part>,
}

/// What a server tells of a part, undecoded: parameters as name and value, where the values may still hold
/// encoded words (RFC 2047) or be in pieces (RFC 2231).
#[derive(Clone, Debug, Default)]
pub struct RawPart<'a> {
    /// `text`.
    pub media_type: &'a str,
    /// `plain`.
    pub subtype: &'a str,
    /// Parameters of the type.
    pub parameters: &'a [(String, String)],
    /// Disposition.
    pub disposition: Option<&'a str>,
    /// Parameters of the disposition.
    pub disposition_parameters: &'a [(String, String)],
    /// `Content-ID`, with or without angle brackets.
    pub content_id: Option<&'a str>,
    /// `Content-Location`.
    pub content_location: Option<&'a str>,
    /// `Content-Transfer-Encoding`.
    pub encoding: Option<&'a str>,
    /// Octets as transported.
    pub encoded_size: Option<u64>,
}

impl Part {
    /// The part that a server describes; children, if it is a multipart, are the caller's to add.
    pub fn from_raw(raw: &RawPart<'_>) -> Self {
        let media_type = format!("{}/{}", raw.media_type, raw.subtype);
        let disposition = raw
            .disposition
            .map(|disposition| Parameterised::from_parts(disposition, raw.disposition_parameters));
        Self::new(
            &Parameterised::from_parts(&media_type, raw.parameters),
            disposition.as_ref(),
            raw.content_id,
            raw.content_location,
            raw.encoding,
            raw.encoded_size,
        )
    }

    fn new(
        media_type: &Parameterised,
        disposition: Option<&Parameterised>,
        content_id: Option<&str>,
        content_location: Option<&str>,
        encoding: Option<&str>,
        encoded_size: Option<u64>,
    ) -> Self {
        // RFC 2045 section 5.2: what has no valid type is plain text.
        let typed = media_type
            .value
            .split_once('/')
            .is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
        let mime_type = if typed {
            media_type.value.as_str()
        } else {
            "text/plain"
        };
        let text = |text: Option<&str>| text.map(one_line).filter(|text| !text.is_empty());
        let file_name = disposition
            .and_then(|disposition| disposition.get("filename"))
            .and_then(file_name::sanitise)
            .or_else(|| media_type.get("name").and_then(file_name::sanitise));
        Self {
            mime_type: mime_type.chars().take(255).collect(),
            charset: text(media_type.get("charset")),
            method: text(media_type.get("method")),
            disposition: disposition
                .map(|disposition| disposition.value.clone())
                .filter(|d| !d.is_empty()),
            file_name,
            content_id: text(content_id)
                .map(|id| bare_id(&id).to_owned())
                .filter(|id| !id.is_empty()),
            content_location: text(content_location),
            encoding: encoding
                .map(TransferEncoding::from_name)
                .unwrap_or_default(),
            encoded_size,
            children: Vec::new(),
        }
    }

    fn is_multipart(&self) -> bool {
        self.mime_type.starts_with("multipart/")
    }
}

fn bare_id(id: &str) -> &str {
    let id = id.trim();
    let id = id.strip_prefix('<').unwrap_or(id);
    id.strip_suffix('>').unwrap_or(id).trim()
}

/// What a message consists of, for a reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// The parts that make the plain text, in order. Where only HTML says something, its parts are here too.
    pub text: Vec<TextPart>,
    /// The parts that make the HTML, in order. Where only plain text says something, its parts are here too.
    pub html: Vec<TextPart>,
    /// All other parts, in order.
    pub attachments: Vec<Attachment>,
    /// Method of the first calendar part that names one.
    pub meeting_method: Option<MeetingMethod>,
    /// The first calendar part, where its method may be learned if no parameter tells it.
    pub calendar: Option<TextPart>,
}

/// A part to be read as text: see [`decode_text`](crate::decode_text).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPart {
    /// Where it stands.
    pub part: PartId,
    /// HTML, not plain text.
    pub is_html: bool,
    /// Its charset.
    pub charset: Option<String>,
    /// Its transfer encoding.
    pub encoding: TransferEncoding,
    /// Octets as transported.
    pub encoded_size: Option<u64>,
}

impl Structure {
    /// The parts whose text is needed for [`Structure::body`], each once, in order.
    pub fn body_parts(&self) -> Vec<&TextPart> {
        let mut parts: Vec<_> = self.text.iter().collect();
        parts.extend(self.html.iter().filter(|part| !self.text.contains(part)));
        parts
    }

    /// The body, with `read` giving the decoded text of a part. There is a plain body if any part of it is
    /// plain, HTML likewise; several parts are joined, each converted to what the whole is.
    pub fn body(&self, mut read: impl FnMut(&TextPart) -> String) -> Body {
        let mut join = |parts: &[TextPart], as_html: bool| {
            if !parts.iter().any(|part| part.is_html == as_html) {
                return None;
            }
            let pieces = parts.iter().map(|part| {
                let text = read(part);
                match (part.is_html, as_html) {
                    (true, false) => html::to_text(&text),
                    (false, true) => html::from_text(&text),
                    _ => text,
                }
            });
            Some(pieces.collect::<Vec<_>>().join("\n"))
        };
        Body {
            text: join(&self.text, false),
            html: join(&self.html, true),
        }
    }

    /// Marks as inline the attachments that `html` refers to by `cid:` (RFC 2392).
    pub fn mark_inline(&mut self, html: &str) {
        let referenced = html::content_ids(html);
        for attachment in &mut self.attachments {
            if attachment
                .content_id
                .as_ref()
                .is_some_and(|id| referenced.contains(id.as_str()))
            {
                attachment.inline = true;
            }
        }
    }
}

/// A calendar method by its name (RFC 5546 section 1.4).
pub(crate) fn meeting_method(name: &str) -> MeetingMethod {
    match name.trim().to_ascii_uppercase().as_str() {
        "REQUEST" => MeetingMethod::Request,
        "REPLY" => MeetingMethod::Reply,
        "CANCEL" => MeetingMethod::Cancel,
        "COUNTER" => MeetingMethod::Counter,
        _ => MeetingMethod::Other,
    }
}

#[cfg(test)]
mod tests;
