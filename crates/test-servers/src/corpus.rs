//! A deterministic generator of realistic mail.

mod charset;
mod encode;
mod message;
mod part;
mod vocabulary;

use chrono::{DateTime, FixedOffset};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::charset::Charset;
use self::encode::wrapped_base64;

/// A generated message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedMail {
    /// When it was received; never earlier than the message before it.
    pub internal_date: DateTime<FixedOffset>,
    /// System flags and keywords.
    pub flags: Vec<&'static str>,
    /// The message, with CRLF line ends.
    pub raw: Vec<u8>,
}

/// How large the messages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// Median about 12 kB, most between 3 and 60 kB, 0.6 % between 1 and 5 MB.
    Realistic,
    /// About 1 kB.
    Small,
}

/// `count` messages as a mailbox of some years holds them: plain and HTML text, inline images, attachments, forwarded
/// messages, invitations, delivery reports, list mail, threads, and many charsets. Always the same for the same seed.
#[must_use]
pub fn corpus(seed: u64, count: usize) -> Corpus {
    Corpus::new(seed, count, Size::Realistic)
}

/// As [`corpus`], but messages of about 1 kB.
#[must_use]
pub fn small_corpus(seed: u64, count: usize) -> Corpus {
    Corpus::new(seed, count, Size::Small)
}

/// A person who writes and is written to.
#[derive(Debug, Clone)]
struct Person {
    name: String,
    address: String,
}

/// A conversation that later messages may answer.
#[derive(Debug, Clone)]
struct Thread {
    subject: String,
    charset: usize,
    message_ids: Vec<String>,
}

/// Conversations that may still be answered.
const OPEN_THREADS: usize = 150;

/// The iterator of [`corpus`].
#[derive(Debug, Clone)]
pub struct Corpus {
    rng: ChaCha8Rng,
    seed: u64,
    size: Size,
    index: usize,
    count: usize,
    clock: DateTime<FixedOffset>,
    charsets: Vec<Charset>,
    people: Vec<Person>,
    threads: Vec<Thread>,
    /// Random bytes in base64 lines, of which attachments are slices.
    noise: Vec<u8>,
}

impl Corpus {
    fn new(seed: u64, count: usize, size: Size) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let charsets = charset::all(&mut rng);
        let people = (0..300)
            .map(|index| Person {
                name: format!(
                    "{} {}",
                    pick(&mut rng, vocabulary::FIRST_NAMES),
                    pick(&mut rng, vocabulary::LAST_NAMES)
                ),
                address: format!("p{index}@{}", pick(&mut rng, vocabulary::DOMAINS)),
            })
            .collect();
        let mut bytes = vec![0; 300_000];
        rng.fill(bytes.as_mut_slice());
        Self {
            noise: wrapped_base64(&bytes),
            clock: DateTime::from_timestamp(1_704_067_200, 0)
                .unwrap_or_default()
                .fixed_offset(),
            rng,
            seed,
            size,
            index: 0,
            count,
            charsets,
            people,
            threads: Vec::new(),
        }
    }

    /// The bytes this message shall have, roughly.
    fn target_size(&mut self) -> usize {
        let (median, spread, limits) = match self.size {
            Size::Realistic if self.rng.random_bool(0.006) => {
                return self.rng.random_range(1_000_000..5_000_000);
            }
            Size::Realistic => (12_000_f64, 1.1, (1_200.0, 400_000.0)),
            Size::Small => (700.0, 0.3, (300.0, 3_000.0)),
        };
        // Box and Muller's normal deviate.
        let (u, v): (f64, f64) = (self.rng.random_range(f64::EPSILON..1.0), self.rng.random());
        let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        let size = (median * (spread * normal).exp()).clamp(limits.0, limits.1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the limits above"
        )]
        let size = size as usize;
        size
    }

    fn flags(&mut self) -> Vec<&'static str> {
        [
            ("\\Seen", 0.7),
            ("\\Answered", 0.15),
            ("\\Flagged", 0.05),
            ("$Forwarded", 0.03),
            ("$Junk", 0.01),
            ("\\Draft", 0.005),
        ]
        .into_iter()
        .filter(|(_, share)| self.rng.random_bool(*share))
        .map(|(flag, _)| flag)
        .collect()
    }
}

impl Iterator for Corpus {
    type Item = GeneratedMail;

    fn next(&mut self) -> Option<GeneratedMail> {
        if self.index == self.count {
            return None;
        }
        self.clock += chrono::TimeDelta::seconds(self.rng.random_range(1..5_400));
        let raw = self.message();
        let flags = self.flags();
        self.index += 1;
        Some(GeneratedMail {
            internal_date: self.clock,
            flags,
            raw,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.count - self.index;
        (rest, Some(rest))
    }
}

impl ExactSizeIterator for Corpus {}

/// One of the items.
fn pick<'a, T: ?Sized>(rng: &mut ChaCha8Rng, items: &[&'a T]) -> &'a T {
    items[rng.random_range(0..items.len())]
}
