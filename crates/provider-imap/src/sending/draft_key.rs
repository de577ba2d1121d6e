//! What a reference to a draft holds.

use email_provider::{DraftRef, ErrorKind, MessageRef, ProviderError, ProviderResult};
use serde::{Deserialize, Serialize};

use crate::{
    cursor::{read, write},
    protocol::MailboxName,
    provider::not_found,
    writing::reference,
};

/// A draft: the message that it is, and by what a changed one is known again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DraftKey {
    /// The key of the folder.
    pub folder: String,
    pub uid_validity: u32,
    pub uid: u32,
    /// With angle brackets; empty where it has none.
    pub message_id: String,
}

const FORMAT: u8 = 1;
/// Longest reference, in octets.
const LONGEST: usize = 4 << 10;

impl DraftKey {
    pub(super) fn write(&self) -> ProviderResult<DraftRef> {
        let bytes = write(FORMAT, self)?;
        match bytes.len() <= LONGEST {
            true => Ok(DraftRef(bytes)),
            false => Err(ProviderError::new(
                ErrorKind::Unsupported,
                "the name of the folder of drafts is too long",
            )),
        }
    }

    /// What is no reference of ours is to no draft.
    pub(super) fn read(draft: &DraftRef) -> ProviderResult<Self> {
        read(FORMAT, &draft.0).ok_or_else(|| not_found("the draft"))
    }

    pub(super) fn mailbox(&self) -> MailboxName {
        MailboxName::from_key(&self.folder)
    }

    pub(super) fn message(&self) -> MessageRef {
        reference(&self.mailbox(), self.uid_validity, self.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_it_was_written_and_nothing_else_is() {
        let key = DraftKey {
            folder: "Drafts".into(),
            uid_validity: 7,
            uid: 4_000_000_000,
            message_id: "<a@b>".into(),
        };
        let written = key.write().unwrap();
        assert_eq!(DraftKey::read(&written).unwrap(), key);
        for bad in [&b""[..], b"\x02Drafts", b"\x01", b"\x01\xff\xff\xff"] {
            assert!(DraftKey::read(&DraftRef(bad.to_vec())).is_err());
        }
        let folder = "x".repeat(5_000);
        assert!(DraftKey { folder, ..key }.write().is_err());
    }
}
