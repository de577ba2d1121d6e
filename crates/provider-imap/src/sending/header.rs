//! The header of a draft, read strictly and written anew.

use bytes::Bytes;
use email_mime::headers::message_ids;
use email_model::Timestamp;
use email_provider::{ErrorKind, MessageCopy, ProviderError, ProviderResult, SendEnvelope};

use super::recipients::addresses;

/// A header as it is to be sent.
#[derive(Debug)]
pub(super) struct DraftHeader {
    pub message_id: String,
    pub envelope: SendEnvelope,
    /// Each with its line breaks, which are CRLF.
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    /// In lower case.
    name: String,
    octets: Vec<u8>,
}

impl Field {
    fn value(&self) -> &[u8] {
        self.octets.get(self.name.len() + 1..).unwrap_or_default()
    }
}

/// Fields that may stand once (RFC 5322 section 3.6) and decide where a message goes or what it is.
const ONCE: [&str; 8] = [
    "date",
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "message-id",
    "reply-to",
];

/// Octets of the header at the beginning of a message with the empty line after it; all of it where there is no such
/// line.
pub(super) fn length(message: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        end += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return Some(end);
        }
    }
    None
}

impl DraftHeader {
    /// # Errors
    /// `Invalid` where the message cannot be sent as it stands.
    pub(super) fn read(block: &[u8]) -> ProviderResult<Self> {
        let fields = fields(block)?;
        for name in ONCE {
            if fields.iter().filter(|field| field.name == name).count() > 1 {
                return Err(invalid(format!(
                    "the draft has several fields named {name}"
                )));
            }
        }
        let value = |name: &str| {
            let found = fields.iter().find(|field| field.name == name);
            found.map(Field::value)
        };
        let people = |name: &'static str| {
            let found = value(name).map_or(Some(Vec::new()), addresses);
            found.ok_or_else(|| invalid(format!("an address of the draft's {name} is ambiguous")))
        };
        let mut senders = people("from")?;
        let sender = senders.pop();
        if sender.is_none() || !senders.is_empty() {
            return Err(invalid("a draft that is sent has one sender"));
        }
        let mut recipients: Vec<String> = Vec::new();
        for name in ["to", "cc", "bcc"] {
            for address in people(name)? {
                if !recipients.contains(&address) {
                    recipients.push(address);
                }
            }
        }
        if recipients.is_empty() {
            return Err(invalid("the draft names nobody to send to"));
        }
        let ids = value("message-id").map(message_ids).unwrap_or_default();
        let [message_id] = <[String; 1]>::try_from(ids).map_err(|_| {
            invalid("the draft has no Message-ID: it can be sent once it is saved anew")
        })?;
        let is_ascii = fields.iter().all(|field| field.octets.is_ascii());
        Ok(Self {
            message_id,
            envelope: SendEnvelope {
                sender,
                recipients,
                internationalised: !is_ascii,
            },
            fields,
        })
    }

    /// The header with the empty line after it, sent at this time.
    pub(super) fn write(&self, copy: MessageCopy, date: Option<Timestamp>) -> Bytes {
        let mut written = Vec::new();
        if let Some(date) = date {
            let line = format!("Date: {}\r\n", date.to_rfc2822());
            written.extend_from_slice(line.as_bytes());
        }
        let mut is_addressed = false;
        for field in &self.fields {
            let is_hidden = matches!(field.name.as_str(), "bcc" | "resent-bcc");
            if (is_hidden && copy == MessageCopy::Wire) || (field.name == "date" && date.is_some())
            {
                continue;
            }
            is_addressed |= matches!(field.name.as_str(), "to" | "cc");
            written.extend_from_slice(&field.octets);
        }
        if copy == MessageCopy::Wire && !is_addressed {
            // Filters distrust mail to nobody (RFC 5322 section 3.6.3 leaves it to the sender).
            written.extend_from_slice(b"To: undisclosed-recipients:;\r\n");
        }
        written.extend_from_slice(b"\r\n");
        Bytes::from(written)
    }
}

fn fields(block: &[u8]) -> ProviderResult<Vec<Field>> {
    let mut fields: Vec<Field> = Vec::new();
    for line in block.split_inclusive(|octet| *octet == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            break;
        }
        // A lone CR begins a new line to some readers, and with it a field that was not checked.
        if text.contains(&b'\r') || text.contains(&0) {
            return Err(invalid("the draft's header holds a control character"));
        }
        if text.starts_with(b" ") || text.starts_with(b"\t") {
            let field = fields
                .last_mut()
                .ok_or_else(|| invalid("the draft's header begins within a field"))?;
            field.octets.extend_from_slice(text);
            field.octets.extend_from_slice(b"\r\n");
            continue;
        }
        let colon = text.iter().position(|octet| *octet == b':');
        let name = colon.map(|colon| &text[..colon]).unwrap_or_default();
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            return Err(invalid("the draft's header holds a line that is no field"));
        }
        fields.push(Field {
            name: String::from_utf8_lossy(name).to_ascii_lowercase(),
            octets: [text, b"\r\n"].concat(),
        });
    }
    Ok(fields)
}

pub(super) fn invalid(why: impl AsRef<str>) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAFT: &[u8] = b"Message-ID: <a@b>\r\nDate: Thu, 1 Jan 1970 00:00:00 +0000\r\nFrom: A <a@b.test>\r\nBcc: x@y.test,\r\n z@y.test\r\nSubject: s\r\n\r\n";

    fn time() -> Timestamp {
        Timestamp::from_timestamp(1_700_000_000, 0).unwrap()
    }

    #[test]
    fn blind_copies_are_kept_and_never_sent() {
        let header = DraftHeader::read(DRAFT).unwrap();
        assert_eq!(header.message_id, "<a@b>");
        assert_eq!(header.envelope.sender.as_deref(), Some("a@b.test"));
        assert_eq!(header.envelope.recipients, ["x@y.test", "z@y.test"]);
        let wire = header.write(MessageCopy::Wire, Some(time()));
        assert_eq!(
            wire,
            "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <a@b>\r\nFrom: A <a@b.test>\r\nSubject: s\r\nTo: undisclosed-recipients:;\r\n\r\n"
        );
        let kept = header.write(MessageCopy::Kept, None);
        assert_eq!(kept, DRAFT);
    }

    #[test]
    fn a_header_that_can_be_read_in_two_ways_is_not_sent() {
        let with = |line: &str| {
            let text =
                format!("Message-ID: <a@b>\r\nFrom: a@b.test\r\nTo: c@d.test\r\n{line}\r\n\r\n");
            DraftHeader::read(text.as_bytes()).map(|header| header.envelope.recipients)
        };
        assert!(with("X: y").is_ok());
        for line in [
            "To: e@f.test",
            "From: e@f.test",
            "Subject: x\rBcc: e@f.test",
            "Cc: e@f.test (g@h.test)",
            "no field",
            "From e@f.test",
            "Bcc : e@f.test",
            "Message-ID: <c@d>",
        ] {
            assert!(with(line).is_err(), "{line}");
        }
        assert!(DraftHeader::read(b"From: a@b.test\r\nTo: c@d.test\r\n").is_err());
        assert!(DraftHeader::read(b"Message-ID: <a@b>\r\nTo: c@d.test\r\n").is_err());
        assert!(DraftHeader::read(b"Message-ID: <a@b>\r\nFrom: a@b.test\r\n").is_err());
    }

    #[test]
    fn the_header_ends_at_the_first_empty_line() {
        assert_eq!(length(b"a: b\r\n\r\nbody\r\n\r\n"), Some(8));
        assert_eq!(length(b"a: b\n\nbody"), Some(6));
        assert_eq!(length(b"a: b\r\n"), None);
    }
}
