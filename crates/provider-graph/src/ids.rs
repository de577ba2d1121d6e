//! Ids as the API gives them. Everything is checked before it becomes part of an address.
//!
//! With `Prefer: IdType="ImmutableId"` a message's id stays the same when it moves; a folder's always does:
//! <https://learn.microsoft.com/graph/outlook-immutable-id>.

use email_model::{EntryKey, FolderKey, PartId, digest};
use email_provider::{MessageRef, ProviderResult, ScopeKey};

use crate::error;

/// Longest id, in octets: that of an entry's key.
const LONGEST: usize = 512;

/// Letters, digits and what base64 is written with for addresses.
fn is_id(text: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+".contains(&byte);
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_usual)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $name(String);

        impl $name {
            /// `None` for what is none. Upper and lower case are different.
            pub(crate) fn parse(text: &str) -> Option<Self> {
                is_id(text).then(|| Self(text.to_owned()))
            }

            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

id! {
    /// A message's.
    ItemId
}
id! {
    /// A folder's; or a well-known name, which stands for one.
    FolderId
}
id! {
    /// An attachment's.
    AttachmentId
}
id! {
    /// A subscription's.
    SubscriptionId
}

impl ItemId {
    /// The message that a reference names, `None` if it cannot be one.
    pub(crate) fn of(at: &MessageRef) -> Option<Self> {
        Self::parse(std::str::from_utf8(&at.key.0).ok()?)
    }

    /// The same, where there has to be one.
    pub(crate) fn required(at: &MessageRef) -> ProviderResult<Self> {
        Self::of(at).ok_or_else(error::no_message)
    }

    pub(crate) fn key(&self) -> EntryKey {
        EntryKey(self.0.clone().into_bytes())
    }

    pub(crate) fn at(&self, folder: &FolderId) -> MessageRef {
        MessageRef {
            scope: folder.scope(),
            key: self.key(),
        }
    }

    /// A short stand-in, for lists of what was told.
    pub(crate) fn mark(&self, version: &str) -> u64 {
        digest("graph.told.1", &[self.0.as_bytes(), version.as_bytes()]).short()
    }
}

impl FolderId {
    /// The folder whose scope it is.
    pub(crate) fn of_scope(scope: &ScopeKey) -> ProviderResult<Self> {
        Self::parse(&scope.0).ok_or_else(error::no_folder)
    }

    /// The folder of this key.
    pub(crate) fn of_key(key: &FolderKey) -> ProviderResult<Self> {
        Self::parse(&key.0).ok_or_else(error::no_folder)
    }

    pub(crate) fn scope(&self) -> ScopeKey {
        ScopeKey(self.0.clone())
    }

    pub(crate) fn key(&self) -> FolderKey {
        FolderKey(self.0.clone())
    }
}

impl AttachmentId {
    /// The public id of the part: made of the attachment's own, which stays the same as long as the message does. Its place
    /// in the list is no name, since a draft's attachments come and go.
    pub(crate) fn part(&self) -> PartId {
        let number = digest("graph.attachment.1", &[self.0.as_bytes()]).short();
        let place = |shift: u32| {
            // Below a million, and so without a zero at its beginning.
            100_000 + u32::try_from((number >> shift) % 900_000).unwrap_or(0)
        };
        PartId::from_path(&[place(0), place(20), place(40)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_ids_becomes_part_of_an_address() {
        assert!(ItemId::parse("AAMkAGI2TG93AAA=").is_some());
        let long = "A".repeat(513);
        for odd in [
            "", ".", "..", "../x", "a/b", "a?b", "a#b", "a%2fb", "a b", "a\r\nb", "a'b", "ü",
            "{{RID}}", "a&b", "a;b", &long,
        ] {
            assert!(ItemId::parse(odd).is_none(), "{odd:?}");
            assert!(FolderId::parse(odd).is_none(), "{odd:?}");
            assert!(AttachmentId::parse(odd).is_none(), "{odd:?}");
            assert!(SubscriptionId::parse(odd).is_none(), "{odd:?}");
        }
    }

    #[test]
    fn a_part_is_named_by_its_attachment() {
        let one = AttachmentId::parse("AAMk1=").unwrap().part();
        assert_eq!(one, AttachmentId::parse("AAMk1=").unwrap().part());
        assert_ne!(one, AttachmentId::parse("AAMK1=").unwrap().part());
        assert_eq!(one.as_str().parse(), Ok(one.clone()));
    }

    #[test]
    fn ids_differ_in_case() {
        assert_ne!(ItemId::parse("a"), ItemId::parse("A"));
        assert_ne!(
            ItemId::parse("a").unwrap().mark("1"),
            ItemId::parse("a").unwrap().mark("2")
        );
    }
}
