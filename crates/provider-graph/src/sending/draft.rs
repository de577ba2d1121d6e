//! What a draft is known by.

use email_provider::{DraftRef, ProviderResult};
use serde::{Deserialize, Serialize};

use crate::{error, ids::ItemId};

const FORMAT: u8 = 1;
/// Longest version, in octets.
const LONGEST_VERSION: usize = 256;

/// A digest (SHA-256) of what a request cannot change, or not at once: where it stays the same, nothing has to be done.
pub(super) type Mark = [u8; 32];

/// A draft as it was when it was kept or found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    /// The message's, the same until it is gone.
    pub id: ItemId,
    /// Its `changeKey`, another one after each change.
    pub version: String,
    /// Of the header fields that can only be given when a draft is made; `None` for a draft that was found.
    pub fields: Option<Mark>,
    /// Of the attachments; `None` for a draft that was found.
    pub files: Option<Mark>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    id: String,
    version: String,
    fields: Option<Mark>,
    files: Option<Mark>,
}

impl Draft {
    /// The draft that a reference names, `NotFound` where it cannot be one.
    pub(super) fn of(draft: &DraftRef) -> ProviderResult<Self> {
        Self::read(&draft.0).ok_or_else(error::no_draft)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (&FORMAT, bytes) = bytes.split_first()? else {
            return None;
        };
        let stored: Stored = postcard::from_bytes(bytes).ok()?;
        Some(Self {
            id: ItemId::parse(&stored.id)?,
            version: version(&stored.version)?,
            fields: stored.fields,
            files: stored.files,
        })
    }

    pub(super) fn to_ref(&self) -> DraftRef {
        let stored = Stored {
            id: self.id.as_str().to_owned(),
            version: self.version.clone(),
            fields: self.fields,
            files: self.files,
        };
        // Text and octets have a form.
        let stored = postcard::to_stdvec(&stored).unwrap_or_default();
        DraftRef([&[FORMAT], stored.as_slice()].concat())
    }
}

/// What may stand in a header as a version: base64.
pub(super) fn version(text: &str) -> Option<String> {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    let is_version = (1..=LONGEST_VERSION).contains(&text.len()) && text.bytes().all(is_usual);
    is_version.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_gives_its_draft_back() {
        let draft = Draft {
            id: ItemId::parse("AAMk=").unwrap(),
            version: "CQAAABYAAAB+/".into(),
            fields: Some([1; 32]),
            files: None,
        };
        assert_eq!(Draft::of(&draft.to_ref()).unwrap(), draft);
    }

    #[test]
    fn what_is_no_reference_names_nothing() {
        let odd = |id: &str, version: &str| {
            let stored = Stored {
                id: id.into(),
                version: version.into(),
                fields: None,
                files: None,
            };
            [vec![FORMAT], postcard::to_stdvec(&stored).unwrap()].concat()
        };
        assert!(Draft::of(&DraftRef(odd("A", "B"))).is_ok());
        for bytes in [
            Vec::new(),
            vec![FORMAT],
            vec![2, 1, b'A', 1, b'B', 0, 0],
            odd("../A", "B"),
            odd("A", ""),
            odd("A", "B\"\r\nX: y"),
        ] {
            assert!(Draft::of(&DraftRef(bytes.clone())).is_err(), "{bytes:?}");
        }
    }
}
