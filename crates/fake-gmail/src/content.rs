//! A message's bytes, and what the mailbox needs to know of them.

use std::sync::OnceLock;

use mail_parser::parsers::MessageStream;
use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders, PartType};

/// An immutable message, with what is read from it once.
#[derive(Debug)]
pub(crate) struct Content {
    pub raw: Vec<u8>,
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// The ids in `References` and `In-Reply-To`, without angle brackets.
    pub references: Vec<String>,
    /// The subject without reply and forward prefixes, in lower case.
    pub base_subject: String,
    /// Seconds of the Unix epoch from the `Date` header.
    pub date: Option<i64>,
    words: OnceLock<Words>,
}

/// What the search looks at.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub from: Vec<String>,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub subject: Vec<String>,
    pub text: Vec<String>,
    pub filenames: Vec<Vec<String>>,
}

impl Content {
    pub fn new(raw: Vec<u8>) -> Self {
        let head = MessageParser::default().parse_headers(&raw);
        let of = |name: &str| {
            head.as_ref()
                .and_then(|message| header_value(message, 0, name))
        };
        let mut references = ids(&of("References").unwrap_or_default());
        references.extend(ids(&of("In-Reply-To").unwrap_or_default()));
        let message_id = of("Message-ID").and_then(|value| ids(&value).into_iter().next());
        let base_subject = base_subject(&of("Subject").unwrap_or_default());
        let date = head
            .as_ref()
            .and_then(Message::date)
            .map(mail_parser::DateTime::to_timestamp);
        Self {
            message_id,
            references,
            base_subject,
            date,
            words: OnceLock::new(),
            raw,
        }
    }

    pub fn words(&self) -> &Words {
        self.words.get_or_init(|| {
            MessageParser::default()
                .parse(&self.raw)
                .map_or_else(Words::default, |message| read_words(&message))
        })
    }

    /// The beginning of the text, with HTML's special characters escaped.
    pub fn snippet(&self) -> String {
        let text = MessageParser::default()
            .parse(&self.raw)
            .and_then(|message| message.body_text(0).map(std::borrow::Cow::into_owned))
            .unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        let short: String = words.join(" ").chars().take(200).collect();
        short
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;")
    }
}

fn read_words(message: &Message<'_>) -> Words {
    let of = |name: &str| tokens(&header_value(message, 0, name).unwrap_or_default());
    let mut words = Words {
        from: of("From"),
        to: of("To"),
        cc: of("Cc"),
        bcc: of("Bcc"),
        subject: of("Subject"),
        ..Words::default()
    };
    let bodies = message.text_body.len();
    for index in 0..bodies {
        if let Some(text) = message.body_text(index) {
            words.text.extend(tokens(&text));
        }
    }
    for part in &message.parts {
        if let Some(name) = part.attachment_name() {
            words.filenames.push(tokens(name));
        } else if matches!(part.body, PartType::Message(_)) {
            words.filenames.push(Vec::new());
        }
    }
    words
}

/// Words as the search sees them: runs of letters and digits, in lower case.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// A header of a part as it stands, unfolded; the first one of that name.
pub(crate) fn header_value(message: &Message<'_>, part: usize, name: &str) -> Option<String> {
    let header = message
        .parts
        .get(part)?
        .headers
        .iter()
        .find(|header| header.name.as_str().eq_ignore_ascii_case(name))?;
    Some(decode(raw_value(message, header)))
}

/// The value's octets between the colon and the header's end.
pub(crate) fn raw_value<'a>(
    message: &'a Message<'_>,
    header: &mail_parser::Header<'_>,
) -> &'a [u8] {
    let (start, end) = (header.offset_start as usize, header.offset_end as usize);
    message.raw_message.get(start..end).unwrap_or_default()
}

/// A header's text with encoded words (RFC 2047) decoded and folds removed.
pub(crate) fn decode(raw: &[u8]) -> String {
    let mut terminated = raw.to_vec();
    terminated.extend_from_slice(b"\r\n\r\n");
    match MessageStream::new(&terminated).parse_unstructured() {
        HeaderValue::Text(text) => text.trim().to_owned(),
        HeaderValue::TextList(texts) => texts.join(" "),
        _ => String::new(),
    }
}

/// A header's text with folds removed and encoded words as they are.
pub(crate) fn unfold(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw)
        .replace("\r\n", "")
        .replace('\n', "")
        .trim()
        .to_owned()
}

fn ids(value: &str) -> Vec<String> {
    value
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(id, _)| id.trim().to_owned())
        .take(100)
        .collect()
}

fn base_subject(subject: &str) -> String {
    let mut rest = subject.trim().to_lowercase();
    loop {
        let cut = ["re:", "fwd:", "fw:", "aw:", "wg:"]
            .iter()
            .find_map(|prefix| rest.strip_prefix(prefix).map(|left| left.trim().to_owned()));
        match cut {
            Some(left) => rest = left,
            None => return rest.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_need_is_read_from_the_headers() {
        let content = Content::new(
            b"Message-ID: <b@x>\r\nSubject: Re: =?utf-8?Q?Caf=C3=A9?=\r\n at\r\n noon\r\nReferences: <a@x>\r\n <c@x>\r\nIn-Reply-To: <a@x>\r\n\r\n<hi> & bye"
                .to_vec(),
        );
        assert_eq!(content.message_id.as_deref(), Some("b@x"));
        assert_eq!(content.references, ["a@x", "c@x", "a@x"]);
        assert_eq!(content.base_subject, "café at noon");
        assert_eq!(content.snippet(), "&lt;hi&gt; &amp; bye");
    }
}
