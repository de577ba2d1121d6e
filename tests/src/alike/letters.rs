//! Mails of the kinds that differ on their way through a mailbox.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::now;

/// A mail.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    /// Without two alike.
    pub message_id: String,
    pub raw: Vec<u8>,
    /// A whole second, which every mailbox can keep.
    pub received: DateTime<Utc>,
}

/// Writes mails.
#[derive(Debug)]
pub(super) struct Letters {
    seed: u64,
    count: u32,
    start: DateTime<Utc>,
    /// Message-ID and subject of what can be replied to, and what it refers to itself.
    threads: Vec<(String, String, String)>,
}

const SUBJECTS: [(&str, &str); 4] = [
    ("invoice", "=?utf-8?q?Rechnung_f=C3=BCr_M=C3=A4rz?="),
    ("meeting", "=?utf-8?b?w5xiZXIgZGllIEt1Y2hl?="),
    ("garden", "The garden, again"),
    ("flight", "Flight"),
];

impl Letters {
    pub fn new(seed: u64) -> Self {
        let start = now() - TimeDelta::days(20);
        Self {
            seed,
            count: 0,
            start: start.duration_trunc(TimeDelta::seconds(1)).unwrap_or(start),
            threads: Vec::new(),
        }
    }

    /// It is gone, and nobody replies to it any more: which conversation a reply to a mail that is nowhere belongs to is
    /// every mailbox's own affair.
    pub fn forget(&mut self, letter: &Letter) {
        self.threads.retain(|(id, ..)| *id != letter.message_id);
    }

    /// Another mail: of text, of HTML, of both, with something attached or shown inside, or a reply to an older one.
    pub fn write(&mut self, rng: &mut ChaCha8Rng) -> Letter {
        self.count += 1;
        let count = self.count;
        let message_id = format!("<{count}.{}@alike.test>", self.seed);
        let received = self.start + TimeDelta::seconds(i64::from(count) * 97);
        let mut head = format!("Message-ID: {message_id}\r\n");
        let mut field = |line: &str| {
            head.push_str(line);
            head.push_str("\r\n");
        };
        field(match rng.random_range(0..3) {
            0 => "From: Bob <bob@example.org>",
            1 => "From: =?utf-8?q?J=C3=B6rg_M=C3=BCller?= <jm@example.org>",
            _ => "From: carol@example.org",
        });
        field("To: Alice <alice@example.org>, \"Doe, John\" <jd@example.org>");
        if rng.random_bool(0.3) {
            field("Cc: dave@example.org");
            field("Reply-To: List <list@example.org>");
        }
        let dated = received - TimeDelta::seconds(rng.random_range(1..50));
        field(&format!("Date: {}", dated.to_rfc2822()));
        let thread = self.threads.choose(rng).cloned();
        match thread.filter(|_| rng.random_bool(0.4)) {
            Some((parent, subject, references)) => {
                let references = format!("{references} {parent}");
                let references = references.trim();
                field(&format!("Subject: Re: {subject}"));
                field(&format!("In-Reply-To: {parent}"));
                field(&format!("References: {references}"));
                let replied = (message_id.clone(), subject, references.to_owned());
                self.threads.push(replied);
            }
            None => {
                let (word, subject) = SUBJECTS.choose(rng).copied().unwrap_or(SUBJECTS[0]);
                // Conversations are told apart by their subjects as well.
                let subject = format!("{subject} {word}{count}");
                field(&format!("Subject: {subject}"));
                self.threads
                    .push((message_id.clone(), subject, String::new()));
            }
        }
        if rng.random_bool(0.2) {
            field("List-Id: Alike <alike.example.org>");
        }
        if rng.random_bool(0.2) {
            field("Sensitivity: Private");
        }
        field("MIME-Version: 1.0");
        let content = match rng.random_range(0..6) {
            0 | 1 => text(count),
            2 => html(count),
            3 => both(count),
            4 => attached(count),
            _ => shown_inside(count),
        };
        Letter {
            message_id,
            raw: format!("{head}{content}").into_bytes(),
            received,
        }
    }
}

fn text(count: u32) -> String {
    format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         Grüße no. {count}.\r\n\r\nA second paragraph, with 1 < 2 & more.\r\n\r\n\
         > quoted\r\n> more\r\n"
    )
}

fn html(count: u32) -> String {
    format!(
        "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         <html><body><p>Hello no. {count}, <b>b=C3=BCcher</b>.</p></body></html>\r\n"
    )
}

fn both(count: u32) -> String {
    format!(
        "Content-Type: multipart/alternative; boundary=\"a{count}\"\r\n\r\n--a{count}\r\n{}\r\n--a{count}\r\n{}\r\n--a{count}--\r\n",
        plain(count),
        html(count)
    )
}

/// What the HTML says, as text.
fn plain(count: u32) -> String {
    format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         Hello no. {count}, bücher.\r\n"
    )
}

fn attached(count: u32) -> String {
    let octets = octets(count);
    format!(
        "Content-Type: multipart/mixed; boundary=\"m{count}\"\r\n\r\n--m{count}\r\n{}\r\n--m{count}\r\n\
         Content-Type: application/pdf; name=\"bill {count}.pdf\"\r\n\
         Content-Disposition: attachment; filename=\"bill {count}.pdf\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{octets}\r\n--m{count}\r\n\
         Content-Type: text/csv; charset=utf-8\r\n\
         Content-Disposition: attachment; filename*=utf-8''b%C3%BCcher.csv\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nYTtiDQo=\r\n--m{count}--\r\n",
        text(count)
    )
}

fn shown_inside(count: u32) -> String {
    let octets = octets(count);
    format!(
        "Content-Type: multipart/related; boundary=\"r{count}\"\r\n\r\n--r{count}\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n\
         <html><body>No. {count}: <img src=\"cid:i{count}@alike\"></body></html>\r\n--r{count}\r\n\
         Content-Type: image/png; name=\"i.png\"\r\nContent-ID: <i{count}@alike>\r\n\
         Content-Disposition: inline; filename=\"i.png\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{octets}\r\n--r{count}--\r\n"
    )
}

fn octets(count: u32) -> String {
    let octets: Vec<u8> = (0..40 + count).map(|n| (n % 251) as u8).collect();
    let encoded = STANDARD.encode(octets);
    let lines: Vec<&str> = encoded
        .as_bytes()
        .chunks(76)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    lines.join("\r\n")
}
