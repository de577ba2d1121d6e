//! A message put together again from the parts that the API tells: the header fields that matter, and the
//! texts. What the gateway makes of it is then made in one place, the same as for raw messages.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::wire::Part;

/// Deepest nesting and most parts that are followed.
const MAX_DEPTH: usize = 60;
const MAX_PARTS: usize = 10_000;
/// Header fields of the message that are not repeated: they are said anew.
const SAID_ANEW: [&str; 2] = ["content-type", "content-transfer-encoding"];
/// Header fields of a part that are repeated.
const OF_PARTS: [&str; 3] = ["content-disposition", "content-id", "content-location"];

/// The message as RFC 5322 has it. Bodies that were not told are empty.
pub(crate) fn message(root: &Part) -> Vec<u8> {
    let mut writer = Writer {
        text: String::new(),
        boundary: format!("{:032x}", rand::random::<u128>()),
        parts: 0,
    };
    writer.part(root, 0);
    writer.text.into_bytes()
}

/// The header block as it was told, for lists of it.
pub(crate) fn header_block(root: &Part) -> Vec<u8> {
    let mut text = String::new();
    for header in &root.headers {
        field(&mut text, &header.name, &header.value);
    }
    text.into_bytes()
}

struct Writer {
    text: String,
    boundary: String,
    parts: usize,
}

impl Writer {
    fn part(&mut self, part: &Part, depth: usize) {
        let number = self.parts;
        self.parts += 1;
        let is_multipart = part.is_multipart() && depth < MAX_DEPTH;
        // Nobody who wrote the message can know it.
        let boundary = format!("{}_{number}", self.boundary);
        let body = part.body.decoded();
        if is_multipart {
            let kind = format!("{}; boundary=\"{boundary}\"", media_type(part));
            field(&mut self.text, "Content-Type", &kind);
        } else {
            field(
                &mut self.text,
                "Content-Type",
                &content_type(part, body.as_deref()),
            );
            field(&mut self.text, "Content-Transfer-Encoding", "base64");
        }
        for header in &part.headers {
            let name = header.name.to_ascii_lowercase();
            let is_wanted = match depth {
                0 => !SAID_ANEW.contains(&name.as_str()),
                _ => OF_PARTS.contains(&name.as_str()),
            };
            if is_wanted {
                field(&mut self.text, &header.name, &header.value);
            }
        }
        self.text.push_str("\r\n");
        if is_multipart {
            for child in &part.parts {
                if self.parts >= MAX_PARTS {
                    break;
                }
                let _ = write!(self.text, "\r\n--{boundary}\r\n");
                self.part(child, depth + 1);
            }
            let _ = write!(self.text, "\r\n--{boundary}--\r\n");
        } else if let Some(body) = body {
            self.text.push_str(&BASE64_STANDARD.encode(body));
        }
    }
}

/// A field on one line, without what ends it or is none of it.
fn field(text: &mut String, name: &str, value: &str) {
    let is_name = |byte: u8| byte.is_ascii_graphic() && byte != b':';
    if name.is_empty() || !name.bytes().all(is_name) {
        return;
    }
    let _ = write!(text, "{name}: ");
    text.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c }));
    text.push_str("\r\n");
}

/// `type/subtype` as the API tells it.
fn media_type(part: &Part) -> &str {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"/-+._".contains(&byte);
    match part.mime_type.bytes().all(is_token) {
        true => &part.mime_type,
        false => "application/octet-stream",
    }
}

/// The type as the part has it. The API may have turned a text into UTF-8 and left its charset as it was:
/// what is UTF-8 beyond ASCII is no other charset.
fn content_type(part: &Part, body: Option<&[u8]>) -> String {
    let own = part.header("content-type").filter(|own| !own.is_empty());
    let is_text = media_type(part)
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("text/"));
    let is_utf8 = body.is_some_and(|body| !body.is_ascii() && std::str::from_utf8(body).is_ok());
    match own {
        Some(own) if !(is_text && is_utf8) => own.to_owned(),
        _ if is_text && is_utf8 => {
            let rest = own.map(without_charset).unwrap_or_default();
            format!("{}; charset=utf-8{rest}", media_type(part))
        }
        _ => media_type(part).to_owned(),
    }
}

/// The parameters of a type but its charset. Values in quotes may hold semicolons.
fn without_charset(content_type: &str) -> String {
    let mut is_quoted = false;
    let mut pieces = content_type.split(|c| {
        is_quoted ^= c == '"';
        c == ';' && !is_quoted
    });
    pieces.next();
    let kept = pieces.filter(|piece| {
        let name = piece.trim_start();
        !name
            .get(..7)
            .is_some_and(|name| name.eq_ignore_ascii_case("charset"))
    });
    kept.map(|piece| format!(";{piece}")).collect()
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;
    use crate::wire::{Body, Header};

    fn leaf(content_type: &str, body: &[u8]) -> Part {
        Part {
            mime_type: content_type.split(';').next().unwrap_or_default().into(),
            headers: vec![Header {
                name: "Content-Type".into(),
                value: content_type.into(),
            }],
            body: Body {
                data: Some(BASE64_URL_SAFE_NO_PAD.encode(body)),
                ..Body::default()
            },
            ..Part::default()
        }
    }

    fn text_of(part: &Part) -> String {
        let parsed = email_mime::parse(&message(part)).unwrap();
        parsed.content.body.text.unwrap_or_default()
    }

    #[test]
    fn a_text_is_read_whether_its_charset_was_undone_or_not() {
        let latin = "text/plain; charset=iso-8859-1; format=flowed";
        assert_eq!(text_of(&leaf(latin, b"\xe9t\xe9")), "été");
        assert_eq!(text_of(&leaf(latin, "été".as_bytes())), "été");
        let japanese = "text/plain; charset=\"iso-2022-jp\"";
        assert_eq!(text_of(&leaf(japanese, b"\x1b$B$\"\x1b(B")), "あ");
        assert_eq!(text_of(&leaf(japanese, "あ".as_bytes())), "あ");
        assert_eq!(text_of(&leaf("text/plain", b"plain")), "plain");
    }

    #[test]
    fn the_parts_keep_their_places_names_and_ids() {
        let mut attachment = leaf("application/pdf; name=\"a;b.pdf\"", b"");
        attachment.headers.push(Header {
            name: "Content-Disposition".into(),
            value: "attachment; filename=\"a;b.pdf\"".into(),
        });
        let inner = Part {
            mime_type: "message/rfc822".into(),
            parts: vec![leaf("text/plain", b"inner")],
            ..Part::default()
        };
        let root = Part {
            mime_type: "multipart/mixed".into(),
            headers: vec![Header {
                name: "Subject".into(),
                value: "one\r\nBcc: two".into(),
            }],
            parts: vec![leaf("text/html", b"<p>x</p>"), inner, attachment],
            ..Part::default()
        };
        let parsed = email_mime::parse(&message(&root)).unwrap();
        let envelope = parsed.content.envelope;
        assert_eq!(envelope.subject.as_deref(), Some("one  Bcc: two"));
        assert!(envelope.bcc.is_empty());
        let attachments: Vec<_> = envelope
            .attachments
            .iter()
            .flatten()
            .map(|one| {
                (
                    one.part.as_str().to_owned(),
                    one.mime_type.as_str().to_owned(),
                    one.name.clone(),
                )
            })
            .collect();
        assert_eq!(attachments[0], ("2".into(), "message/rfc822".into(), None));
        assert_eq!(attachments[1].0, "3");
        assert_eq!(attachments[1].2.as_deref(), Some("a;b.pdf"));
        assert_eq!(parsed.content.body.html.as_deref(), Some("<p>x</p>"));
    }
}
