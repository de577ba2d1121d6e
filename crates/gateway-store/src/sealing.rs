//! Sealing of secrets: AES-256-GCM, bound to the table, row and column that holds them.
//!
//! A sealed value is `format (1) · key id (4) · nonce (12) · ciphertext · tag (16)`. The key id is the
//! beginning of the key's digest, so that a value tells which key opens it and keys can be rotated.

use std::fmt;

use email_model::digest;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use secrecy::{ExposeSecret, SecretBox};

const FORMAT: u8 = 1;
const HEADER: usize = 1 + 4 + NONCE_LEN;

/// A value that does not open: damaged, of another place, or sealed with another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open with this key")]
pub struct SealError;

/// Where a sealed value stands: part of what is authenticated, so that values cannot be swapped.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The row.
    pub row: &'a str,
    /// The column.
    pub column: &'a str,
}

impl Place<'_> {
    fn bytes(&self) -> [u8; 16] {
        let parts = [
            self.table.as_bytes(),
            self.row.as_bytes(),
            self.column.as_bytes(),
        ];
        digest("polypost.place.1", &parts).0
    }
}

/// Seals and opens with one 256-bit key.
pub struct Sealer {
    key: LessSafeKey,
    key_id: [u8; 4],
    random: SystemRandom,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({:02x?})", self.key_id)
    }
}

impl Sealer {
    /// A sealer with this key.
    pub fn new(key: &SecretBox<[u8; 32]>) -> Self {
        let bytes = key.expose_secret();
        let mut key_id = [0; 4];
        key_id.copy_from_slice(&digest("polypost.key-id.1", &[bytes]).0[..4]);
        #[expect(clippy::unwrap_used, reason = "32 bytes are a key of AES-256")]
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).unwrap());
        Self {
            key,
            key_id,
            random: SystemRandom::new(),
        }
    }

    /// A fresh random key.
    pub fn random_key() -> Result<SecretBox<[u8; 32]>, SealError> {
        let mut bytes = Box::new([0; 32]);
        SystemRandom::new()
            .fill(bytes.as_mut())
            .map_err(|_| SealError)?;
        Ok(SecretBox::new(bytes))
    }

    /// Seals `plain` for this place.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| SealError)?;
        let mut sealed = Vec::with_capacity(HEADER + plain.len() + AES_256_GCM.tag_len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&self.key_id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.bytes()),
                &mut sealed[HEADER..],
            )
            .map_err(|_| SealError)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made for the same place.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (header, body) = sealed.split_at_checked(HEADER).ok_or(SealError)?;
        if header[0] != FORMAT || header[1..5] != self.key_id {
            return Err(SealError);
        }
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&header[5..]);
        let mut body = body.to_vec();
        let plain = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.bytes()),
                &mut body,
            )
            .map_err(|_| SealError)?;
        let length = plain.len();
        body.truncate(length);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place {
        table: "account",
        row: "7",
        column: "secret",
    };

    fn sealer() -> Sealer {
        Sealer::new(&Sealer::random_key().unwrap())
    }

    #[test]
    fn what_was_sealed_opens_in_its_place() {
        let sealer = sealer();
        let sealed = sealer.seal(HERE, b"hunter2").unwrap();
        assert_eq!(sealer.open(HERE, &sealed).unwrap(), b"hunter2");
    }

    #[test]
    fn a_value_moved_to_another_row_does_not_open() {
        let sealer = sealer();
        let sealed = sealer.seal(HERE, b"hunter2").unwrap();
        assert_eq!(
            sealer.open(Place { row: "8", ..HERE }, &sealed),
            Err(SealError)
        );
    }

    #[test]
    fn any_altered_byte_and_any_cut_is_noticed() {
        let sealer = sealer();
        let sealed = sealer.seal(HERE, b"hunter2").unwrap();
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(sealer.open(HERE, &altered), Err(SealError), "byte {at}");
            assert_eq!(
                sealer.open(HERE, &sealed[..at]),
                Err(SealError),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn another_key_does_not_open_it() {
        let sealed = sealer().seal(HERE, b"hunter2").unwrap();
        assert_eq!(sealer().open(HERE, &sealed), Err(SealError));
    }
}
