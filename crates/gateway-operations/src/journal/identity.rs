//! Ids for life: digests of the mailbox's identity and what a backend recognises a thing by, so that
//! a journal rebuilt from nothing gives the same ones.

use email_model::{Digest128, FolderId, FolderKey, ThreadId, digest};
use email_provider::Identity;

/// The digest whose beginning is a message's id. `ordinal` tells true duplicates apart.
pub(crate) fn message_digest(mailbox: &str, identity: &Identity, ordinal: u32) -> Digest128 {
    let parts: [&[u8]; 3] = [
        mailbox.as_bytes(),
        &identity.to_bytes(),
        &ordinal.to_be_bytes(),
    ];
    digest("polypost.message.1", &parts)
}

/// A folder's id.
pub(crate) fn folder_id(mailbox: &str, key: &FolderKey) -> FolderId {
    FolderId(digest("polypost.folder.1", &[mailbox.as_bytes(), key.0.as_bytes()]).short())
}

/// A conversation's id, from the backend's id of it or from the Message-ID of its root.
pub(crate) fn thread_id(mailbox: &str, native: bool, root: &str) -> ThreadId {
    let origin: &[u8] = if native { b"native" } else { b"root" };
    ThreadId(
        digest(
            "polypost.thread.1",
            &[mailbox.as_bytes(), origin, root.as_bytes()],
        )
        .short(),
    )
}
