//! The bytes of the sample messages.

use email_model::Timestamp;
use rand::{Rng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;

use super::texts::{JUNK, NEWSLETTERS, PEOPLE, Person, Topic};

/// A message to be written.
#[derive(Debug)]
pub(super) struct Draft {
    /// `Message-ID`, with angle brackets.
    pub id: String,
    from: String,
    to: String,
    subject: String,
    headers: Vec<String>,
    text: String,
    has_html: bool,
    file: Option<(&'static str, Vec<u8>)>,
    sent_at: Timestamp,
}

impl Draft {
    fn new(random: &mut ChaCha8Rng, domain: &str, sent_at: Timestamp) -> Self {
        let id = format!("<{:016x}@{domain}>", random.random::<u64>());
        Self {
            id,
            from: String::new(),
            to: String::new(),
            subject: String::new(),
            headers: Vec::new(),
            text: String::new(),
            has_html: random.random_bool(0.6),
            file: None,
            sent_at,
        }
    }

    /// The next message of a conversation.
    pub(super) fn turn(
        random: &mut ChaCha8Rng,
        topic: Topic,
        other: Person,
        owner: &str,
        own: bool,
        thread: &[String],
        sent_at: Timestamp,
    ) -> Self {
        let (from, to) = (mailbox(other), owner.to_owned());
        let (from, to) = if own { (to, from) } else { (from, to) };
        let domain = if own { owner } else { other.address };
        let mut draft = Self::new(
            random,
            domain.split('@').next_back().unwrap_or(domain),
            sent_at,
        );
        (draft.from, draft.to) = (from, to);
        let text = topic.turns[thread.len() % topic.turns.len()];
        let greeting = if own {
            format!("Hello {},", first_name(other))
        } else {
            "Hello,".to_owned()
        };
        let farewell = if own {
            "Best regards".to_owned()
        } else {
            format!("Best\r\n{}", first_name(other))
        };
        draft.text = format!("{greeting}\r\n\r\n{}\r\n\r\n{farewell}\r\n", wrapped(text));
        match thread.last() {
            None => {
                draft.subject = topic.subject.to_owned();
                draft.file = topic.file.map(|name| (name, contents(random, name)));
            }
            Some(last) => {
                draft.subject = format!("Re: {}", topic.subject);
                draft.headers.push(format!("In-Reply-To: {last}"));
                draft
                    .headers
                    .push(format!("References: {}", thread.join("\r\n ")));
            }
        }
        if !own && random.random_bool(0.2) {
            let copied = PEOPLE.choose(random).copied().unwrap_or(other);
            draft.headers.push(format!("Cc: {}", mailbox(copied)));
        }
        draft
    }

    /// Something unwanted.
    pub(super) fn junk(random: &mut ChaCha8Rng, owner: &str, sent_at: Timestamp) -> Self {
        let mut draft = Self::new(random, "bargains.example", sent_at);
        let (subject, text) = JUNK.choose(random).copied().unwrap_or(JUNK[0]);
        draft.from = "Customer Service <service@bargains.example>".to_owned();
        draft.fill(owner, subject, text);
        draft
    }

    /// A newsletter.
    pub(super) fn newsletter(random: &mut ChaCha8Rng, owner: &str, sent_at: Timestamp) -> Self {
        let mut draft = Self::new(random, "letters.example", sent_at);
        let (subject, text) = NEWSLETTERS
            .choose(random)
            .copied()
            .unwrap_or(NEWSLETTERS[0]);
        draft.from = "Letters <news@letters.example>".to_owned();
        draft
            .headers
            .push("List-Unsubscribe: <https://letters.example/unsubscribe>".to_owned());
        draft.fill(owner, subject, text);
        draft
    }

    /// Begun by the owner, never sent.
    pub(super) fn unfinished(random: &mut ChaCha8Rng, owner: &str, sent_at: Timestamp) -> Self {
        let mut draft = Self::new(random, "sample.example", sent_at);
        let other = PEOPLE.choose(random).copied().unwrap_or(PEOPLE[0]);
        draft.fill(
            &mailbox(other),
            "An idea for next year",
            "I have been thinking about",
        );
        draft.from = owner.to_owned();
        draft
    }

    fn fill(&mut self, to: &str, subject: &str, text: &str) {
        self.to = to.to_owned();
        self.subject = subject.to_owned();
        self.text = format!("{}\r\n", wrapped(text));
    }

    /// RFC 5322 bytes.
    pub(super) fn raw(&self) -> Vec<u8> {
        let mut head = vec![
            format!("From: {}", self.from),
            format!("To: {}", self.to),
            format!("Subject: {}", word(&self.subject)),
            format!("Date: {}", self.sent_at.to_rfc2822()),
            format!("Message-ID: {}", self.id),
            "MIME-Version: 1.0".to_owned(),
        ];
        head.extend(self.headers.iter().cloned());
        let body = match &self.file {
            None => self.texts(),
            Some((name, bytes)) => {
                multipart("mixed", "files", &[self.texts(), attached(name, bytes)])
            }
        };
        format!("{}\r\n{body}", head.join("\r\n")).into_bytes()
    }

    fn texts(&self) -> String {
        let text = format!(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}",
            self.text
        );
        if !self.has_html {
            return text;
        }
        let paragraphs = self.text.trim_end().replace("\r\n\r\n", "</p>\r\n<p>");
        let html = format!(
            "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
             <html><body><p>{paragraphs}</p></body></html>\r\n"
        );
        multipart("alternative", "texts", &[text, html])
    }
}

fn multipart(subtype: &str, boundary: &str, parts: &[String]) -> String {
    let parts: String = parts
        .iter()
        .map(|part| format!("--{boundary}\r\n{part}\r\n"))
        .collect();
    format!(
        "Content-Type: multipart/{subtype}; boundary={boundary}\r\n\r\n{parts}--{boundary}--\r\n"
    )
}

fn attached(name: &str, bytes: &[u8]) -> String {
    let mime_type = match name.rsplit('.').next() {
        Some("pdf") => "application/pdf",
        Some("jpg") => "image/jpeg",
        Some("zip") => "application/zip",
        _ => "text/plain",
    };
    let lines: Vec<String> = bytes.chunks(57).map(base64).collect();
    format!(
        "Content-Type: {mime_type}; name=\"{name}\"\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}",
        lines.join("\r\n")
    )
}

/// Made-up contents of a file.
fn contents(random: &mut ChaCha8Rng, name: &str) -> Vec<u8> {
    let mut bytes = format!("{name}\n").into_bytes();
    bytes.extend((0..random.random_range(2_000..40_000)).map(|_| random.random::<u8>()));
    bytes
}

fn mailbox(person: Person) -> String {
    format!("{} <{}>", word(person.name), person.address)
}

fn first_name(person: Person) -> &'static str {
    person.name.split(' ').next().unwrap_or(person.name)
}

/// As an encoded word where it is not ASCII (RFC 2047).
fn word(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_owned(),
        false => format!("=?utf-8?B?{}?=", base64(text.as_bytes())),
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}

/// Lines of at most some 76 characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + word.len() < 76 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\r\n")
}
