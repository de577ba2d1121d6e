//! Mailbox names: modified UTF-7 (RFC 3501 section 5.1.3) on the wire, text for people.

use std::{borrow::Cow, fmt};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// base64 with `,` for `/` and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// A mailbox's name exactly as the server writes it: compared octet by octet, never case-folded, except
/// INBOX (RFC 3501 section 5.1).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxName(Box<[u8]>);

impl MailboxName {
    /// As a server wrote it.
    pub fn from_wire(name: &[u8]) -> Self {
        match name.eq_ignore_ascii_case(b"INBOX") {
            true => Self::inbox(),
            false => Self(name.into()),
        }
    }

    /// INBOX.
    pub fn inbox() -> Self {
        Self(b"INBOX".as_slice().into())
    }

    /// Encodes a name for a server.
    pub fn encode(name: &str) -> Self {
        Self::from_wire(encode_utf7(name).as_bytes())
    }

    /// The octets for the server.
    pub fn wire(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is INBOX.
    pub fn is_inbox(&self) -> bool {
        *self.0 == *b"INBOX"
    }

    /// For people, without control characters. What is not valid modified UTF-7 is shown as it is.
    pub fn decoded(&self) -> String {
        match decode_utf7(&self.0) {
            Some(name) if !name.contains(char::is_control) => name,
            _ => String::from_utf8_lossy(&self.0).replace(char::is_control, "\u{fffd}"),
        }
    }

    /// A text that stands for the name and from which [`MailboxName::from_key`] gets it back, even if
    /// the name is not text: `%` and what is not printable is written as `%` and two hex digits.
    pub fn to_key(&self) -> String {
        let mut key = String::with_capacity(self.0.len());
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '%' => key.push_str("%25"),
                    c if c.is_control() => {
                        let mut utf8 = [0; 4];
                        escape(&mut key, c.encode_utf8(&mut utf8).as_bytes());
                    }
                    c => key.push(c),
                }
            }
            escape(&mut key, chunk.invalid());
        }
        key
    }

    /// The name that a key stands for.
    pub fn from_key(key: &str) -> Self {
        let (mut name, mut rest) = (Vec::with_capacity(key.len()), key.as_bytes());
        while let Some((&first, after)) = rest.split_first() {
            let octet = (first == b'%').then(|| hex(after)).flatten();
            name.push(octet.unwrap_or(first));
            rest = if octet.is_some() { &after[2..] } else { after };
        }
        Self::from_wire(&name)
    }
}

fn escape(key: &mut String, octets: &[u8]) {
    for octet in octets {
        key.push_str(&format!("%{octet:02X}"));
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digits = digits.get(..2)?;
    let value = |d: u8| char::from(d).to_digit(16);
    u8::try_from(value(digits[0])? * 16 + value(digits[1])?).ok()
}

impl fmt::Debug for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailboxName({})", self.0.escape_ascii())
    }
}

fn encode_utf7(text: &str) -> Cow<'_, str> {
    let plain = |c: char| matches!(c, ' '..='~');
    if text.chars().all(|c| plain(c) && c != '&') {
        return text.into();
    }
    let (mut encoded, mut rest) = (String::new(), text);
    while !rest.is_empty() {
        let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        encoded.push_str(&rest[..end].replace('&', "&-"));
        rest = &rest[end..];
        let end = rest.find(plain).unwrap_or(rest.len());
        if end > 0 {
            let utf16: Vec<u8> = rest[..end]
                .encode_utf16()
                .flat_map(u16::to_be_bytes)
                .collect();
            encoded.push('&');
            BASE64.encode_string(utf16, &mut encoded);
            encoded.push('-');
        }
        rest = &rest[end..];
    }
    encoded.into()
}

fn decode_utf7(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    let (mut decoded, mut rest) = (String::with_capacity(name.len()), name);
    while let Some((plain, shifted)) = rest.split_once('&') {
        decoded.push_str(plain);
        let (base64, after) = shifted.split_once('-')?;
        if base64.is_empty() {
            decoded.push('&');
        } else {
            let octets = BASE64.decode(base64).ok()?;
            let (units, odd) = octets.as_chunks::<2>();
            if !odd.is_empty() {
                return None;
            }
            let units: Vec<u16> = units.iter().map(|&u| u16::from_be_bytes(u)).collect();
            decoded.push_str(&String::from_utf16(&units).ok()?);
        }
        rest = after;
    }
    decoded.push_str(rest);
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_wire_and_the_key() {
        for name in [
            "Entwürfe & 日本",
            "a&b",
            "&",
            "100%",
            "Отправленные",
            "🙂x🙂",
            "",
            "a/b.c",
        ] {
            let mailbox = MailboxName::encode(name);
            assert!(mailbox.wire().is_ascii());
            assert_eq!(mailbox.decoded(), name);
            assert_eq!(MailboxName::from_key(&mailbox.to_key()), mailbox);
        }
        assert_eq!(
            MailboxName::encode("Отправленные").wire(),
            b"&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"
        );
    }

    #[test]
    fn a_broken_name_is_kept_as_it_is() {
        for wire in [
            &b"&%%%-"[..],
            b"&abc",
            b"&AAA-",
            b"&2AA-",
            b"caf\xe9",
            b"\0\r\n%41",
            "Entwürfe".as_bytes(),
        ] {
            let mailbox = MailboxName::from_wire(wire);
            assert_eq!(mailbox.wire(), wire);
            assert_eq!(
                mailbox.decoded(),
                String::from_utf8_lossy(wire).replace(char::is_control, "\u{fffd}")
            );
            assert_eq!(MailboxName::from_key(&mailbox.to_key()), mailbox);
            assert!(!mailbox.to_key().contains('\0'));
        }
    }

    #[test]
    fn inbox_is_the_same_in_any_case() {
        assert_eq!(MailboxName::from_wire(b"Inbox"), MailboxName::inbox());
        assert_ne!(
            MailboxName::from_wire(b"Sent"),
            MailboxName::from_wire(b"sent")
        );
    }
}
