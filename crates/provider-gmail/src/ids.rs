//! Ids as the API gives them. Everything is checked before it becomes part of an address: the client
//! library puts ids into paths as they stand.

use email_model::EntryKey;
use email_provider::{ErrorKind, MessageRef, ProviderError, ProviderResult, ScopeKey};
use serde::{Deserialize, Serialize};

use crate::error;

/// The one scope: the history is the whole mailbox's.
pub(crate) const SCOPE: &str = "mailbox";

/// A message's or a thread's id: a 64-bit number in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct HexId(String);

impl HexId {
    /// `None` for what is none: `[0-9a-f]{1,32}`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        ((1..=32).contains(&text.len()) && text.bytes().all(digit)).then(|| Self(text.to_owned()))
    }

    /// The message that a reference names, `None` if it cannot be one of this mailbox.
    pub(crate) fn of(at: &MessageRef) -> Option<Self> {
        let key = std::str::from_utf8(&at.key.0).ok()?;
        (at.scope.0 == SCOPE).then(|| Self::parse(key))?
    }

    /// The same, where there has to be one.
    pub(crate) fn required(at: &MessageRef) -> ProviderResult<Self> {
        Self::of(at).ok_or_else(error::no_message)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The number, for large sets of ids.
    pub(crate) fn number(&self) -> u128 {
        // At most 32 hexadecimal digits.
        u128::from_str_radix(&self.0, 16).unwrap_or_default()
    }

    pub(crate) fn key(&self) -> EntryKey {
        EntryKey(self.0.clone().into_bytes())
    }

    pub(crate) fn at(&self) -> MessageRef {
        MessageRef {
            scope: ScopeKey(SCOPE.to_owned()),
            key: self.key(),
        }
    }
}

/// A label's id: `INBOX`, `Label_12`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LabelId(String);

impl LabelId {
    /// `None` for what is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        is_word(text, 200).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A draft's id, which it keeps whatever becomes of its content: `r-12345`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DraftId(String);

impl DraftId {
    /// `None` for what is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        is_word(text, 200).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A page token: a parameter, never part of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PageToken(String);

impl PageToken {
    const LONGEST: usize = 4_096;

    /// `None` for what is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = (1..=Self::LONGEST).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(text.to_owned()))
    }

    /// The token of an answer's next page, where there is one.
    pub(crate) fn next(text: Option<String>) -> ProviderResult<Option<Self>> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        match Self::parse(&text) {
            Some(token) => Ok(Some(token)),
            None => Err(ProviderError::new(
                ErrorKind::Unexpected,
                "a page token that is none",
            )),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// An attachment's id, good for a short time: part of a path.
pub(crate) fn is_attachment_id(text: &str) -> bool {
    is_word(text, 4_096)
}

fn is_word(text: &str, longest: usize) -> bool {
    let fits = (1..=longest).contains(&text.len());
    fits && text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_ids_becomes_part_of_an_address() {
        assert!(HexId::parse("18c2f0a1b2c3d4e5").is_some());
        for odd in [
            "",
            "../x",
            "1?format=raw",
            "1#",
            "A1",
            "1/2",
            "g",
            "1 ",
            "1\r\n",
        ] {
            assert!(HexId::parse(odd).is_none(), "{odd:?}");
        }
        assert!(HexId::parse(&"1".repeat(33)).is_none());
        for label in ["INBOX", "Label_12", "CATEGORY_SOCIAL"] {
            assert!(LabelId::parse(label).is_some());
        }
        for odd in ["", "a/b", "a b", "a\u{e9}", "a%2f", "a."] {
            assert!(LabelId::parse(odd).is_none(), "{odd:?}");
            assert!(!is_attachment_id(odd), "{odd:?}");
        }
        assert!(PageToken::parse("a b").is_none() && PageToken::parse("09_-=~").is_some());
    }

    #[test]
    fn a_reference_into_another_scope_is_no_message() {
        let at = HexId::parse("1f").unwrap().at();
        assert_eq!(HexId::of(&at), HexId::parse("1f"));
        let other = MessageRef {
            scope: ScopeKey("INBOX".into()),
            ..at
        };
        assert_eq!(HexId::of(&other), None);
    }
}
