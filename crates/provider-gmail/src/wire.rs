//! Messages as the API tells them. The client library's own types refuse base64 without padding, which the
//! API sends.

use email_mime::{TransferDecoder, TransferEncoding};
use serde::{Deserialize, Deserializer};

/// A message; what was not asked for is not there.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Message {
    pub id: String,
    pub thread_id: String,
    pub label_ids: Vec<String>,
    /// Milliseconds since 1970.
    #[serde(deserialize_with = "number")]
    pub internal_date: Option<i64>,
    #[serde(deserialize_with = "number")]
    pub size_estimate: Option<i64>,
    /// With HTML's character references.
    pub snippet: String,
    pub payload: Option<Part>,
    pub raw: Option<String>,
}

/// A draft and the message that it is now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Draft {
    pub id: String,
    pub message: Message,
}

/// A part of a message.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Part {
    pub mime_type: String,
    pub filename: String,
    pub headers: Vec<Header>,
    pub body: Body,
    pub parts: Vec<Part>,
}

/// A header field.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Header {
    pub name: String,
    pub value: String,
}

/// A part's body: its data, or an id to fetch it by, good for a short time.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Body {
    pub attachment_id: Option<String>,
    #[serde(deserialize_with = "number")]
    pub size: Option<i64>,
    pub data: Option<String>,
}

impl Part {
    /// The first header field of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(&found.value)
    }

    /// Holds other parts, as far as part ids are concerned: a message within the message is one part.
    pub(crate) fn is_multipart(&self) -> bool {
        let starts = self.mime_type.get(..10);
        starts.is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
            && !self.parts.is_empty()
    }

    /// The part at a path of positions counted from 1 (RFC 9051 section 6.4.5); no multipart.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        if !self.is_multipart() {
            return (path == "1").then_some(self);
        }
        let mut part = self;
        for position in path.split('.') {
            if !part.is_multipart() {
                return None;
            }
            let position: usize = position.parse().ok()?;
            part = part.parts.get(position.checked_sub(1)?)?;
        }
        (!part.is_multipart()).then_some(part)
    }
}

impl Body {
    /// Octets, where told.
    pub(crate) fn octets(&self) -> Option<u64> {
        self.size.and_then(|size| u64::try_from(size).ok())
    }

    /// The data, decoded.
    pub(crate) fn decoded(&self) -> Option<Vec<u8>> {
        self.data.as_deref().map(decoded)
    }
}

/// Text in base64url, with padding or without.
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    let mut decoder = Base64Url::default();
    let mut octets = Vec::with_capacity(text.len() / 4 * 3 + 3);
    decoder.push(text.as_bytes(), &mut octets);
    decoder.finish(&mut octets);
    octets
}

/// Decodes base64url (RFC 4648 section 5) piece by piece, with padding or without.
#[derive(Debug)]
pub(crate) struct Base64Url(TransferDecoder);

impl Default for Base64Url {
    fn default() -> Self {
        Self(TransferDecoder::new(TransferEncoding::Base64))
    }
}

impl Base64Url {
    /// Appends what the piece decodes to.
    pub(crate) fn push(&mut self, piece: &[u8], decoded: &mut Vec<u8>) {
        let usual = |byte: &u8| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => *byte,
        };
        let piece: Vec<u8> = piece.iter().map(usual).collect();
        self.0.push(&piece, decoded);
    }

    /// Appends what was still held.
    pub(crate) fn finish(self, decoded: &mut Vec<u8>) {
        self.0.finish(decoded);
    }
}

/// The API writes 64-bit numbers as text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(i64),
        Text(String),
    }
    Ok(match Option::deserialize(deserializer)? {
        None => None,
        Some(Number::Number(number)) => Some(number),
        Some(Number::Text(text)) => text.parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_text_or_as_numbers() {
        let text = r#"{"id":"1","internalDate":"1700000000123","sizeEstimate":5,"other":[1]}"#;
        let message: Message = serde_json::from_str(text).unwrap();
        assert_eq!(message.internal_date, Some(1_700_000_000_123));
        assert_eq!(message.size_estimate, Some(5));
    }

    #[test]
    fn base64_is_read_with_padding_or_without() {
        for text in ["-_-_YQ==", "-_-_YQ", "+/+/YQ="] {
            assert_eq!(decoded(text), [0xfb, 0xff, 0xbf, b'a'], "{text}");
        }
        assert!(decoded("").is_empty());
    }

    #[test]
    fn parts_are_found_by_their_positions() {
        let leaf = |name: &str| Part {
            mime_type: "text/plain".into(),
            filename: name.into(),
            ..Part::default()
        };
        let both = |parts| Part {
            mime_type: "Multipart/Mixed".into(),
            parts,
            ..Part::default()
        };
        let root = both(vec![both(vec![leaf("a"), leaf("b")]), leaf("c")]);
        let name = |path| root.at(path).map(|part| part.filename.as_str());
        assert_eq!((name("1.2"), name("2")), (Some("b"), Some("c")));
        for path in ["1", "3", "0", "2.1", "1.2.1", "", "x"] {
            assert_eq!(name(path), None, "{path}");
        }
        assert!(leaf("d").at("1").is_some() && leaf("d").at("2").is_none());
    }
}
