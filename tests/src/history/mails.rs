//! Small mails, no two alike.

use chrono::{DateTime, FixedOffset, Offset, TimeDelta, Utc};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::now;

/// A mail to append.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its bytes.
    pub raw: Vec<u8>,
    /// When it was received.
    pub received: DateTime<FixedOffset>,
}

/// Makes mails and remembers threads to reply to.
#[derive(Debug, Default)]
pub struct Mails {
    count: usize,
    threads: Vec<(String, String)>,
}

const WORDS: [&str; 12] = [
    "invoice",
    "harbour",
    "Küche",
    "meeting",
    "quarterly",
    "ticket",
    "garden",
    "flight",
    "draft",
    "señal",
    "contract",
    "photo",
];

impl Mails {
    /// How many were made.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Another mail. Some have no Message-ID, some an old or a foreign Date, some are replies, some have attachments.
    /// INTERNALDATE is of the last three weeks, or older than seven: near the edge of a window of 30 days its exact place
    /// would matter.
    pub fn make(&mut self, rng: &mut ChaCha8Rng, seed: u64) -> Mail {
        self.count += 1;
        let number = self.count;
        let age = if rng.random_bool(0.65) {
            TimeDelta::minutes(rng.random_range(0..21 * 24 * 60))
        } else {
            TimeDelta::days(rng.random_range(50..800))
        };
        let zone = FixedOffset::east_opt(rng.random_range(-10..=12) * 3600);
        let zone = zone.unwrap_or_else(|| Utc.fix());
        let received = (now() - age).with_timezone(&zone);
        let dated = match rng.random_range(0..10) {
            0 => None,
            1 | 2 => Some(received - TimeDelta::days(rng.random_range(100..4_000))),
            _ => Some(received - TimeDelta::seconds(rng.random_range(1..600))),
        };
        let word = WORDS.choose(rng).copied().unwrap_or_default();
        let reply = self.threads.choose(rng).cloned();
        let reply = reply.filter(|_| rng.random_bool(0.3));
        let mut head = String::new();
        let mut field = |name: &str, value: &str| head.push_str(&format!("{name}: {value}\r\n"));
        field(
            "From",
            &format!("Sender {number} <s{}@example.org>", rng.random_range(0..5)),
        );
        field("To", "Alice <alice@test.local>");
        if let Some(date) = dated {
            field("Date", &date.to_rfc2822());
        }
        let subject = match &reply {
            Some((_, subject)) => format!("Re: {subject}"),
            None => format!(
                "{} {number} of history {seed}",
                word.replace(['ü', 'ñ'], "x")
            ),
        };
        field("Subject", &subject);
        if let Some((parent, _)) = &reply {
            field("In-Reply-To", parent);
            field("References", parent);
        }
        // Without a Date there is one, so that something tells it from its like.
        if dated.is_none() || rng.random_bool(0.9) {
            let id = format!("<{number}.{seed}@history.test>");
            field("Message-ID", &id);
            self.threads.push((id, subject));
        }
        field("MIME-Version", "1.0");
        let body = format!(
            "{word} says hello, for the {number}th time.\r\n{}",
            "line\r\n".repeat(number % 7)
        );
        let rest = if rng.random_bool(0.2) {
            format!(
                "Content-Type: multipart/mixed; boundary=\"b{number}\"\r\n\r\n--b{number}\r\nContent-Type: text/plain; \
                 charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n--b{number}\r\nContent-Type: \
                 application/octet-stream; name=\"{number}.bin\"\r\nContent-Disposition: attachment; \
                 filename=\"{number}.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAwQF\r\n--b{number}--\r\n"
            )
        } else {
            format!(
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}"
            )
        };
        Mail {
            raw: format!("{head}{rest}").into_bytes(),
            received,
        }
    }
}
