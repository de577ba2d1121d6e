use serde::{Deserialize, Serialize};

/// A backend's own name for a folder or label: opaque to the gateway, compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FolderKey(pub String);

impl std::fmt::Display for FolderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a message is in exactly one of these or in any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FolderKind {
    /// A message is in exactly one folder.
    Folder,
    /// A message carries any number of labels.
    Label,
}

/// What a folder is for (RFC 6154 and its likes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FolderRole {
    /// Incoming mail.
    Inbox,
    /// Sent mail.
    Sent,
    /// Drafts.
    Drafts,
    /// Deleted, not yet gone.
    Trash,
    /// Spam.
    Junk,
    /// Archive.
    Archive,
    /// A view of all mail.
    All,
    /// A view of flagged mail.
    Flagged,
    /// A view of important mail.
    Important,
}

impl FolderRole {
    /// A view shows messages that are elsewhere; it is no place of its own and never synchronised,
    /// except where a backend makes it its only scope.
    pub fn is_view(self) -> bool {
        matches!(self, Self::All | Self::Flagged | Self::Important)
    }
}
