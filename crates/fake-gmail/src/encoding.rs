//! Base64url as the API writes and reads it.

use base64::Engine;
use base64::alphabet::URL_SAFE as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{
    GeneralPurpose, GeneralPurposeConfig, URL_SAFE, URL_SAFE_NO_PAD,
};

/// Padded or not: both are read.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(crate) fn encode(bytes: &[u8], unpadded: bool) -> String {
    if unpadded {
        URL_SAFE_NO_PAD.encode(bytes)
    } else {
        URL_SAFE.encode(bytes)
    }
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text).ok()
}

/// An opaque token over some words.
pub(crate) fn seal(words: &[String]) -> String {
    URL_SAFE_NO_PAD.encode(words.join("\n"))
}

/// The words of a token.
pub(crate) fn open(token: &str) -> Option<Vec<String>> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    Some(text.split('\n').map(str::to_owned).collect())
}
