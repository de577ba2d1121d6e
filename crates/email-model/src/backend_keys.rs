//! Opaque keys of a backend: made by it, kept and handed back by the gateway.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A part of the mailbox with a change feed of its own: the whole mailbox, or one folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScopeKey(pub String);

impl fmt::Display for ScopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A backend's key of an entry within its scope, valid for as long as the entry is there, and never
/// of another message afterwards (IMAP: UIDVALIDITY and UID). At most 512 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntryKey(pub Vec<u8>);

impl fmt::Debug for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryKey({})", self.0.escape_ascii())
    }
}

/// How far a scope's changes have been read. Opaque; first byte is a format number; at most 64 KiB.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(pub Vec<u8>);

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({} bytes)", self.0.len())
    }
}
