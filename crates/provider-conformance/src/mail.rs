use base64::{Engine as _, prelude::BASE64_STANDARD};
use email_model::{Flags, Timestamp};

use crate::NewMail;

/// A message in the making.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `Message-ID`, with angle brackets.
    pub id: String,
    /// `Subject`.
    pub subject: String,
    /// `From`, a whole mailbox.
    pub from: String,
    /// `To`.
    pub to: String,
    /// Other header fields, each a whole line.
    pub headers: Vec<String>,
    /// The text.
    pub text: String,
    /// The HTML alternative.
    pub html: Option<String>,
    /// Attachments: name and bytes.
    pub attachments: Vec<(String, Vec<u8>)>,
    /// When the mailbox gets it.
    pub received_at: Timestamp,
    /// Its flags.
    pub flags: Flags,
    /// Its keywords.
    pub keywords: Vec<String>,
}

/// A moment on a fixed day, so many seconds in.
pub fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_709_290_800 + seconds, 0).expect("a time that exists")
}

impl Mail {
    /// A plain message. `name` makes its subject and `Message-ID`; `received` are seconds on the
    /// fixed day.
    pub fn new(name: &str, received: i64) -> Self {
        Self {
            id: format!("<{name}@conformance.example>"),
            subject: format!("About {name}"),
            from: "Ann Sender <ann@sender.example>".to_owned(),
            to: "Bob Reader <bob@reader.example>".to_owned(),
            headers: Vec::new(),
            text: format!("This is {name}.\r\n"),
            html: None,
            attachments: Vec::new(),
            received_at: moment(received),
            flags: Flags::empty(),
            keywords: Vec::new(),
        }
    }

    /// RFC 5322 bytes.
    pub fn raw(&self) -> Vec<u8> {
        let mut head = vec![
            format!("From: {}", self.from),
            format!("To: {}", self.to),
            format!("Subject: {}", self.subject),
            format!("Message-ID: {}", self.id),
            format!(
                "Date: {}",
                (self.received_at - chrono::TimeDelta::seconds(5)).to_rfc2822()
            ),
            "MIME-Version: 1.0".to_owned(),
        ];
        head.extend(self.headers.iter().cloned());
        let body = if self.attachments.is_empty() {
            self.texts()
        } else {
            self.mixed()
        };
        format!("{}\r\n{body}", head.join("\r\n")).into_bytes()
    }

    fn texts(&self) -> String {
        let text = format!(
            "Content-Type: text/plain; charset=utf-8\r\n\r\n{}",
            self.text
        );
        let Some(html) = &self.html else { return text };
        let html = format!("Content-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n");
        multipart("alternative", "inner", &[text, html])
    }

    fn mixed(&self) -> String {
        let mut parts = vec![self.texts()];
        parts.extend(self.attachments.iter().map(|(name, bytes)| {
            format!(
                "Content-Type: application/octet-stream; name=\"{name}\"\r\n\
                 Content-Disposition: attachment; filename=\"{name}\"\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n{}",
                encoded(bytes)
            )
        }));
        multipart("mixed", "outer", &parts)
    }

    /// To be stored.
    pub fn stored(&self) -> NewMail {
        NewMail {
            raw: self.raw(),
            received_at: self.received_at,
            flags: self.flags,
            keywords: self.keywords.clone(),
        }
    }
}

fn multipart(subtype: &str, boundary: &str, parts: &[String]) -> String {
    let parts: String = parts
        .iter()
        .map(|part| format!("--{boundary}\r\n{part}\r\n"))
        .collect();
    format!(
        "Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\r\n\r\n{parts}--{boundary}--\r\n"
    )
}

/// Base64 in lines of 76 characters (RFC 2045 section 6.8).
fn encoded(bytes: &[u8]) -> String {
    let lines: Vec<String> = bytes
        .chunks(57)
        .map(|line| BASE64_STANDARD.encode(line))
        .collect();
    lines.join("\r\n")
}
