//! What a message says: read from MIME as the store takes it apart, or put together from a draft's JSON.

use std::collections::BTreeSet;

use mail_parser::decoders::html::{html_to_text, text_to_html};
use mail_parser::{Address as Group, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use crate::headers;
use crate::mime;

/// A mailbox, as `recipient` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub name: String,
    pub address: String,
}

/// What a message says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    /// The octets that it came in as; none for what was written with JSON.
    pub raw: Option<Vec<u8>>,
    pub headers: Vec<(String, String)>,
    pub subject: String,
    pub from: Option<Address>,
    pub sender: Option<Address>,
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    pub bcc: Vec<Address>,
    pub reply_to: Vec<Address>,
    /// With its angle brackets.
    pub message_id: Option<String>,
    /// With their angle brackets.
    pub references: Vec<String>,
    pub in_reply_to: Option<String>,
    /// The subject without reply and forward prefixes, in lower case.
    pub topic: String,
    /// Milliseconds of the Unix epoch.
    pub sent_ms: Option<i64>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    /// `low`, `normal`, `high`.
    pub importance: String,
    pub receipt_requested: bool,
}

/// Something attached.
#[derive(Clone, Debug)]
pub(crate) struct Attachment {
    /// Differs within the message.
    pub number: u32,
    pub name: String,
    pub content_type: Option<String>,
    pub inline: bool,
    pub content_id: Option<String>,
    pub body: AttachmentBody,
}

#[derive(Clone, Debug)]
pub(crate) enum AttachmentBody {
    File(Vec<u8>),
    /// A message, as MIME.
    Item(Vec<u8>),
    /// Something in the cloud.
    Reference(String),
}

impl Attachment {
    pub fn size(&self) -> usize {
        match &self.body {
            AttachmentBody::File(octets) | AttachmentBody::Item(octets) => octets.len(),
            AttachmentBody::Reference(url) => url.len(),
        }
    }
}

impl Content {
    /// Reads a message.
    pub fn parse(raw: Vec<u8>) -> Self {
        let mut content = MessageParser::default()
            .parse(&raw)
            .map(|message| read(&message))
            .unwrap_or_default();
        if content.importance.is_empty() {
            content.importance = "normal".to_owned();
        }
        content.raw = Some(raw);
        content
    }

    /// The message's octets.
    pub fn octets(&self) -> Vec<u8> {
        self.raw
            .clone()
            .unwrap_or_else(|| mime::compose(self, true))
    }

    pub fn size(&self) -> usize {
        match &self.raw {
            Some(raw) => raw.len(),
            None => mime::compose(self, true).len(),
        }
    }

    /// The body as HTML, and whether it was.
    pub fn as_html(&self) -> (String, bool) {
        match (&self.html, &self.text) {
            (Some(html), _) => (html.clone(), true),
            (None, Some(text)) => (text_to_html(text), false),
            (None, None) => (String::new(), false),
        }
    }

    pub fn as_text(&self) -> String {
        match (&self.html, &self.text) {
            // The store keeps one body, which is the HTML where there are both.
            // An empty line follows a paragraph, as in the published samples.
            (Some(html), _) => html_to_text(&html.replace("</p>", "</p><br>")),
            (None, Some(text)) => text.clone(),
            (None, None) => String::new(),
        }
    }

    /// The beginning of the text.
    pub fn preview(&self) -> String {
        let text = self.text.clone().unwrap_or_else(|| self.as_text());
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").chars().take(255).collect()
    }

    pub fn has_attachments(&self) -> bool {
        self.attachments.iter().any(|attachment| !attachment.inline)
    }

    pub fn recipients(&self) -> impl Iterator<Item = &Address> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }

    pub fn set_subject(&mut self, subject: &str) {
        subject.clone_into(&mut self.subject);
        self.topic = topic(subject);
    }

    /// A number that no attachment has.
    pub fn next_attachment(&self) -> u32 {
        self.attachments
            .iter()
            .map(|attachment| attachment.number + 1)
            .max()
            .unwrap_or_default()
    }
}

fn read(message: &Message<'_>) -> Content {
    let header = |name: &str| headers::value(message, 0, name);
    let subject = header("Subject").unwrap_or_default();
    let in_reply_to = header("In-Reply-To").and_then(|value| ids(&value).into_iter().next());
    let mut references = ids(&header("References").unwrap_or_default());
    references.extend(in_reply_to.clone());
    let from = addresses(message.from()).into_iter().next();
    let (text, html, bodies) = bodies(message);
    let mut content = Content {
        raw: None,
        headers: headers::all(message),
        topic: topic(&subject),
        subject,
        sender: addresses(message.sender())
            .into_iter()
            .next()
            .or_else(|| from.clone()),
        from,
        to: addresses(message.to()),
        cc: addresses(message.cc()),
        bcc: addresses(message.bcc()),
        reply_to: addresses(message.reply_to()),
        message_id: header("Message-ID").and_then(|value| ids(&value).into_iter().next()),
        references,
        in_reply_to,
        sent_ms: message.date().map(|date| date.to_timestamp() * 1000),
        text,
        html,
        attachments: Vec::new(),
        importance: importance(header("Importance"), header("X-Priority")).to_owned(),
        receipt_requested: header("Disposition-Notification-To").is_some(),
    };
    let html = content.html.as_deref().unwrap_or_default();
    content.attachments = message
        .parts
        .iter()
        .enumerate()
        .filter(|(index, part)| {
            !bodies.contains(index) && !matches!(part.body, PartType::Multipart(_))
        })
        .zip(0..)
        .map(|((_, part), number)| attachment(part, number, html))
        .collect();
    content
}

/// The text and the HTML of the body, and the parts that they stand in.
fn bodies(message: &Message<'_>) -> (Option<String>, Option<String>, BTreeSet<usize>) {
    let mut used = BTreeSet::new();
    let mut text: Option<String> = None;
    let mut html: Option<String> = None;
    let mut gather = |ids: &[u32], into_html: bool| {
        for id in ids {
            let index = *id as usize;
            let Some(part) = message.parts.get(index) else {
                continue;
            };
            match (&part.body, into_html) {
                (PartType::Text(body), false) => text.get_or_insert_default().push_str(body),
                (PartType::Html(body), true) => html.get_or_insert_default().push_str(body),
                // Text between parts in HTML is part of the one body that there is.
                (PartType::Text(_) | PartType::Html(_), _) => {}
                _ => continue,
            }
            used.insert(index);
        }
    };
    gather(&message.text_body, false);
    gather(&message.html_body, true);
    (text, html, used)
}

fn attachment(part: &MessagePart<'_>, number: u32, html: &str) -> Attachment {
    let content_id = part
        .content_id()
        .map(|id| id.trim_matches(['<', '>']).to_owned());
    let disposed = part
        .content_disposition()
        .is_some_and(mail_parser::ContentType::is_inline);
    let shown = content_id
        .as_ref()
        .is_some_and(|id| html.contains(&format!("cid:{id}")));
    let content_type = part.content_type().map(|kind| match kind.subtype() {
        Some(sub) => format!("{}/{sub}", kind.ctype()).to_lowercase(),
        None => kind.ctype().to_lowercase(),
    });
    let (name, body) = match &part.body {
        PartType::Message(inner) => {
            let subject = inner.subject().unwrap_or_default().to_owned();
            (subject, AttachmentBody::Item(inner.raw_message().to_vec()))
        }
        PartType::Text(text) | PartType::Html(text) => (
            String::new(),
            AttachmentBody::File(text.as_bytes().to_vec()),
        ),
        PartType::Binary(octets) | PartType::InlineBinary(octets) => {
            (String::new(), AttachmentBody::File(octets.to_vec()))
        }
        PartType::Multipart(_) => (String::new(), AttachmentBody::File(Vec::new())),
    };
    let given = part.attachment_name().map(str::to_owned);
    let item = matches!(body, AttachmentBody::Item(_));
    Attachment {
        number,
        name: given.unwrap_or_else(|| {
            if item {
                name
            } else {
                format!("ATT{:05}", number + 1)
            }
        }),
        content_type: if item { None } else { content_type },
        inline: shown || (disposed && content_id.is_some()),
        content_id,
        body,
    }
}

fn addresses(group: Option<&Group<'_>>) -> Vec<Address> {
    let Some(group) = group else {
        return Vec::new();
    };
    group
        .iter()
        .filter_map(|entry| {
            let address = entry.address()?.to_owned();
            let name = entry.name().unwrap_or(&address).to_owned();
            Some(Address { name, address })
        })
        .collect()
}

fn importance(importance: Option<String>, priority: Option<String>) -> &'static str {
    let word = importance.unwrap_or_default().trim().to_lowercase();
    let number = priority.unwrap_or_default().trim().chars().next();
    match (word.as_str(), number) {
        ("high", _) | ("", Some('1' | '2')) => "high",
        ("low", _) | ("", Some('4' | '5')) => "low",
        _ => "normal",
    }
}

fn ids(value: &str) -> Vec<String> {
    value
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(id, _)| format!("<{}>", id.trim()))
        .take(100)
        .collect()
}

fn topic(subject: &str) -> String {
    let mut rest = subject.trim().to_lowercase();
    loop {
        let cut = ["re:", "fw:", "fwd:", "aw:", "wg:"]
            .iter()
            .find_map(|prefix| rest.strip_prefix(prefix).map(|left| left.trim().to_owned()));
        match cut {
            Some(left) => rest = left,
            None => return rest,
        }
    }
}
