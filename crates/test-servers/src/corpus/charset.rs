//! Text in many charsets, made once and used in pieces.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::encode::quoted_printable;
use super::{pick, vocabulary};

/// Paragraphs kept for each charset.
const PARAGRAPHS: usize = 48;

/// A charset with ready-made paragraphs.
#[derive(Debug, Clone)]
pub(super) struct Charset {
    /// As labelled in Content-Type.
    pub(super) label: &'static str,
    encoding: &'static encoding_rs::Encoding,
    words: &'static [&'static str],
    /// Paragraphs of wrapped lines as the charset's bytes.
    pub(super) plain: Vec<Vec<u8>>,
    /// The same paragraphs in quoted-printable.
    pub(super) quoted: Vec<Vec<u8>>,
}

pub(super) fn all(rng: &mut ChaCha8Rng) -> Vec<Charset> {
    vocabulary::CHARSETS
        .iter()
        .map(|(label, words)| {
            let encoding =
                encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8);
            let mut charset = Charset {
                label,
                encoding,
                words,
                plain: Vec::new(),
                quoted: Vec::new(),
            };
            for _ in 0..PARAGRAPHS {
                let plain = charset.paragraph(rng);
                charset.quoted.push(quoted_printable(&plain));
                charset.plain.push(plain);
            }
            charset
        })
        .collect()
}

impl Charset {
    /// Whether text in it needs no transfer encoding.
    pub(super) fn is_7bit(&self) -> bool {
        matches!(self.label, "us-ascii" | "iso-2022-jp")
    }

    pub(super) fn bytes(&self, text: &str) -> Vec<u8> {
        self.encoding.encode(text).0.into_owned()
    }

    /// Some words, about every sixth of this charset's own.
    pub(super) fn words(&self, rng: &mut ChaCha8Rng, count: usize) -> String {
        let mut text = String::new();
        for index in 0..count {
            if index > 0 {
                text.push(' ');
            }
            let own = rng.random_ratio(1, 6);
            text.push_str(pick(
                rng,
                if own { self.words } else { vocabulary::ENGLISH },
            ));
        }
        text
    }

    fn paragraph(&self, rng: &mut ChaCha8Rng) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..rng.random_range(2..9) {
            let words = rng.random_range(7..12);
            bytes.extend(self.bytes(&self.words(rng, words)));
            bytes.extend(b"\r\n");
        }
        bytes
    }
}
