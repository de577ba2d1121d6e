//! Attachments, checked, and the header of their part.

use std::collections::HashSet;

use email_model::{AttachmentContent, OutgoingAttachment};

use super::{
    invalid::{self, Invalid, Rule, at_most, within},
    parameters,
};
use crate::headers::{fields::fields, parameters::Parameterised};

/// Most attachments.
const MAX_FILES: usize = 500;
/// Longest file name, in octets.
const MAX_FILE_NAME: usize = 1_024;
/// Longest content id, in octets.
const MAX_CONTENT_ID: usize = 255;
/// Longest media type, and each value of its parameters, in octets.
const MAX_MEDIA_TYPE: usize = 255;
/// Most parameters of a media type.
const MAX_PARAMETERS: usize = 10;

const OCTET_STREAM: &str = "application/octet-stream";

/// An attachment that may be written.
#[derive(Clone, Debug)]
pub(super) struct File {
    media_type: String,
    parameters: Vec<(String, String)>,
    name: Option<String>,
    inline: bool,
    /// Without angle brackets.
    content_id: Option<String>,
    pub(super) content: AttachmentContent,
}

impl File {
    /// Whether the HTML can show it where it refers to it.
    pub(super) fn is_related(&self) -> bool {
        self.inline && self.content_id.is_some()
    }

    fn check(attachment: &OutgoingAttachment) -> Result<Self, (&'static str, Rule)> {
        let name = attachment.name.as_deref().unwrap_or_default();
        invalid::one_line(name, MAX_FILE_NAME).map_err(|rule| ("name", rule))?;
        // Readers take this mark at the beginning for a sign of the charset.
        let name = name.trim_start_matches('\u{feff}').trim();
        let (media_type, parameters) =
            media_type(attachment.mime_type.as_deref()).map_err(|rule| ("mimeType", rule))?;
        let content_id = attachment.content_id.as_deref().filter(|id| !id.is_empty());
        let content_id = content_id
            .map(content_id_of)
            .transpose()
            .map_err(|rule| ("contentId", rule))?;
        Ok(Self {
            media_type,
            parameters,
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            inline: attachment.inline,
            content_id,
            content: attachment.content.clone(),
        })
    }

    /// The header of the part, each field with its line break.
    pub(super) fn header(&self) -> String {
        let mut header = format!("Content-Type: {}", self.media_type);
        for (name, value) in &self.parameters {
            parameters::write(name, value, &mut header);
        }
        if let Some(name) = &self.name {
            parameters::write_for_old_readers("name", name, &mut header);
        }
        header.push_str("\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: ");
        header.push_str(self.disposition());
        if let Some(name) = &self.name {
            parameters::write("filename", name, &mut header);
        }
        header.push_str("\r\n");
        if let Some(id) = &self.content_id {
            // The id is at most 255 octets of printable ASCII.
            header.push_str("Content-ID: <");
            header.push_str(id);
            header.push_str(">\r\n");
        }
        header
    }

    fn disposition(&self) -> &'static str {
        if self.inline { "inline" } else { "attachment" }
    }

    /// Whether a recipient reads from the header what it was to say.
    fn is_read_back(&self) -> bool {
        let header = self.header();
        let found: Vec<_> = fields(header.as_bytes()).collect();
        let of = |name: &str| {
            found
                .iter()
                .find(|field| field.is(name))
                .map(|field| field.value)
        };
        let read = |name: &str| Parameterised::parse(of(name).unwrap_or_default());
        let content_type = read("Content-Type");
        let disposition = read("Content-Disposition");
        found.len() == 3 + usize::from(self.content_id.is_some())
            && content_type.value == self.media_type
            && disposition.value == self.disposition()
            && disposition.get("filename") == self.name.as_deref()
            && self
                .parameters
                .iter()
                .all(|(name, value)| content_type.get(name) == Some(value))
    }
}

/// Checks attachments; no two may have the same content id.
pub(super) fn check(attachments: &[OutgoingAttachment]) -> Result<Vec<File>, Invalid> {
    at_most(attachments, MAX_FILES, "attachments")?;
    let mut ids = HashSet::new();
    let mut files = Vec::with_capacity(attachments.len());
    for (index, attachment) in attachments.iter().enumerate() {
        let at = |part: &str, rule: Rule| rule.at(format!("attachments[{index}].{part}"));
        let file = File::check(attachment).map_err(|(part, rule)| at(part, rule))?;
        if file
            .content_id
            .as_ref()
            .is_some_and(|id| !ids.insert(id.clone()))
        {
            return Err(at("contentId", Rule::Repeated));
        }
        if !file.is_read_back() {
            return Err(at("name", Rule::NotReadBack));
        }
        files.push(file);
    }
    Ok(files)
}

/// The type of a file and its parameters, without a name: that has its own field.
///
/// A multipart is no file, and a message in pieces or elsewhere is not shown as what it is. A message within
/// a message may not be in base64 (RFC 2046 section 5.2.1): readers would take the letters for its header. It
/// goes as bytes, to which its file name gives a meaning.
fn media_type(given: Option<&str>) -> Result<(String, Vec<(String, String)>), Rule> {
    let Some(given) = given.filter(|given| !given.is_empty()) else {
        return Ok((OCTET_STREAM.to_owned(), Vec::new()));
    };
    invalid::one_line(given, 4 * MAX_MEDIA_TYPE)?;
    let parsed: mime::Mime = given.trim().parse().map_err(|_| Rule::MediaType)?;
    let essence = parsed.essence_str().to_ascii_lowercase();
    within(&essence, MAX_MEDIA_TYPE)?;
    let concrete = !essence.contains('*');
    match parsed.type_().as_str() {
        "multipart" => return Err(Rule::MediaType),
        "message" if matches!(parsed.subtype().as_str(), "partial" | "external-body") => {
            return Err(Rule::MediaType);
        }
        "message" => return Ok((OCTET_STREAM.to_owned(), Vec::new())),
        _ if !concrete => return Err(Rule::MediaType),
        _ => {}
    }
    let mut parameters: Vec<(String, String)> = Vec::new();
    for (name, value) in parsed.params() {
        let name = name.as_str().to_ascii_lowercase();
        let value = value.as_str();
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let repeated = parameters.iter().any(|(other, _)| *other == name);
        if !name.bytes().all(is_token) || name.len() > 40 || value.contains(['"', '\\']) || repeated
        {
            return Err(Rule::MediaType);
        }
        within(value, MAX_MEDIA_TYPE)?;
        if name != "name" {
            parameters.push((name, value.to_owned()));
        }
    }
    if parameters.len() > MAX_PARAMETERS {
        return Err(Rule::MediaType);
    }
    Ok((essence, parameters))
}

fn content_id_of(given: &str) -> Result<String, Rule> {
    if given.chars().any(char::is_control) {
        return Err(Rule::Control);
    }
    let id = match given.strip_prefix('<') {
        Some(rest) => rest.strip_suffix('>').ok_or(Rule::ContentId)?,
        None => given,
    };
    let is_part = |byte: u8| {
        byte.is_ascii_graphic()
            && !matches!(byte, b'<' | b'>' | b'"' | b'(' | b')' | b'\\' | b',' | b';')
    };
    if id.is_empty() || !id.bytes().all(is_part) {
        return Err(Rule::ContentId);
    }
    within(id, MAX_CONTENT_ID)?;
    Ok(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(given: &str) -> Result<String, Rule> {
        let (essence, parameters) = media_type(Some(given))?;
        let parameters = parameters
            .iter()
            .map(|(name, value)| format!(";{name}={value}"));
        Ok(essence + &parameters.collect::<String>())
    }

    #[test]
    fn media_types_keep_their_parameters() {
        for (given, read) in [
            ("application/PDF", "application/pdf"),
            (
                "text/calendar; method=REQUEST; charset=\"utf-8\"",
                "text/calendar;method=REQUEST;charset=utf-8",
            ),
            ("image/svg+xml", "image/svg+xml"),
            ("text/plain; name=\"x.txt\"", "text/plain"),
            ("", OCTET_STREAM),
            ("message/rfc822", OCTET_STREAM),
        ] {
            assert_eq!(typed(given).as_deref(), Ok(read), "{given}");
        }
    }

    #[test]
    fn what_is_no_type_of_a_file_is_refused() {
        for given in [
            "pdf",
            "a/b/c",
            "*/*",
            "image/*",
            "multipart/mixed; boundary=x",
            "message/partial",
            "message/external-body",
            "text/plain; a*=utf-8''x",
            "text/plain; a=b; a=c",
            "text/plain; a=\"\\\"\"",
            "té/xt",
        ] {
            assert_eq!(typed(given), Err(Rule::MediaType), "{given}");
        }
        assert_eq!(typed("text/plain\r\nBcc: x"), Err(Rule::Control));
    }

    #[test]
    fn content_ids_lose_their_brackets() {
        assert_eq!(content_id_of("<image1@x>").as_deref(), Ok("image1@x"));
        assert_eq!(content_id_of("image1").as_deref(), Ok("image1"));
        for id in ["<image1", "a b", "é", "<>", "a>b", "a\"b"] {
            assert_eq!(content_id_of(id), Err(Rule::ContentId), "{id}");
        }
        assert_eq!(content_id_of("a\n"), Err(Rule::Control));
    }
}
