//! A deterministic generator of realistic mail.
use chrono::{DateTime, FixedOffset};
/// A generated message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedMail {
    /// When it was received.
    pub internal_date: DateTime<FixedOffset>,
    /// Flags and keywords.
    pub flags: Vec<&'static str>,
    /// The message.
    pub raw: Vec<u8>,
}
