//! Ids as this vendor's look: long, of base64's URL-safe letters, and different where only the case is.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Makes ids; every second one of a kind differs from the one before in the case of letters alone.
#[derive(Debug)]
pub(crate) struct IdMaker {
    rng: ChaCha8Rng,
    /// Those without their twin, by their beginning.
    single: BTreeMap<&'static str, String>,
}

impl IdMaker {
    pub fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            single: BTreeMap::new(),
        }
    }

    /// An id that changes when its message moves.
    pub fn mutable(&mut self) -> Arc<str> {
        self.make("AAMkAGI1")
    }

    /// An id that a message keeps.
    pub fn immutable(&mut self) -> Arc<str> {
        self.make("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A")
    }

    /// A folder's id.
    pub fn folder(&mut self) -> String {
        self.make("AQMkAGI1").to_string()
    }

    fn make(&mut self, prefix: &'static str) -> Arc<str> {
        let tail = match self.single.remove(prefix) {
            Some(tail) => swap_case(&tail),
            None => {
                // 23 octets: the encoding ends in one `=`, which must be escaped nowhere but often is.
                let octets: [u8; 23] = self.rng.random();
                let tail = URL_SAFE.encode(octets);
                self.single.insert(prefix, tail.clone());
                tail
            }
        };
        format!("{prefix}{tail}").into()
    }

    /// A name for a token, session or subscription: a GUID.
    pub fn guid(&mut self) -> String {
        let [a, b, c, d]: [u32; 4] = self.rng.random();
        format!(
            "{a:08x}-{:04x}-4{:03x}-a{:03x}-{:04x}{d:08x}",
            b >> 16,
            b & 0xfff,
            c & 0xfff,
            c >> 16
        )
    }

    pub fn octets(&mut self) -> [u8; 24] {
        self.rng.random()
    }
}

fn swap_case(text: &str) -> String {
    // The last letters carry padding bits, which must not change.
    let (head, tail) = text.split_at(text.len() - 4);
    let swapped: String = head
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    swapped + tail
}
