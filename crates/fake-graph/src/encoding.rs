//! Times, change keys and tokens as text.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat};

/// A time without a fraction, as the times of messages are given.
pub(crate) fn instant(ms: i64) -> String {
    DateTime::from_timestamp(ms.div_euclid(1000), 0)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A literal of `Edm.DateTimeOffset`, or a date alone, in milliseconds of the Unix epoch.
pub(crate) fn parse_instant(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let date = text.parse::<chrono::NaiveDate>().ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis())
}

/// What `changeKey` and the etag say of a version.
pub(crate) fn change_key(version: u64) -> String {
    let mut octets = vec![9, 0, 0, 0, 22, 0, 0, 0, 0xb4, 0x6e, 0x11];
    octets.extend_from_slice(&version.to_be_bytes());
    STANDARD.encode(octets)
}

/// A conversation's id.
pub(crate) fn conversation_id(conversation: u64) -> String {
    let mut octets = *b"\x00\x00\x00\x00\x00\x00\x00\x00conversation....";
    octets[..8].copy_from_slice(&conversation.to_be_bytes());
    format!("AAQkAGI1{}=", URL_SAFE_NO_PAD.encode(octets))
}

/// Octets as text in JSON.
pub(crate) fn base64(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).ok()
}
