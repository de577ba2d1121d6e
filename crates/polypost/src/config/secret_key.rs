use std::{fmt, str::FromStr};

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::{ExposeSecret as _, SecretBox};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::values::text_of_secret;

/// Either padding will do: people cut it off.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The key that seals secrets in the database: 32 octets, written in hex or base64.
pub struct SecretKey(SecretBox<[u8; 32]>);

impl SecretKey {
    /// The key itself.
    pub fn expose(&self) -> &SecretBox<[u8; 32]> {
        &self.0
    }

    /// This key in hex: how key files are written.
    pub fn to_hex(&self) -> secrecy::SecretString {
        let digits = self.0.expose_secret().iter();
        let hex: String = digits.map(|byte| format!("{byte:02x}")).collect();
        hex.into()
    }
}

impl From<SecretBox<[u8; 32]>> for SecretKey {
    fn from(key: SecretBox<[u8; 32]>) -> Self {
        Self(key)
    }
}

impl Clone for SecretKey {
    fn clone(&self) -> Self {
        Self(SecretBox::new(Box::new(*self.0.expose_secret())))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey([REDACTED])")
    }
}

/// Text that is no key. It does not tell the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAKey;

impl fmt::Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not 32 octets in hex (64 digits) or base64 (43 or 44 characters)")
    }
}

impl std::error::Error for NotAKey {}

impl FromStr for SecretKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let text = text.trim();
        let bytes = match text.len() {
            64 => from_hex(text),
            43 | 44 => from_base64(text),
            _ => None,
        };
        let key: [u8; 32] = bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(NotAKey)?;
        Ok(Self(SecretBox::new(Box::new(key))))
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?))
        .collect()
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    [base64::alphabet::STANDARD, base64::alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, LENIENT).decode(text).ok())
}

impl<'de> Deserialize<'de> for SecretKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_of_secret(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}
