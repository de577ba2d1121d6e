use email_model::{Flags, FolderKey};

/// A change to one message. What is `None` or empty stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageEdit {
    /// Flags to set.
    pub add_flags: Flags,
    /// Flags to clear.
    pub remove_flags: Flags,
    /// The keywords, all of them.
    pub keywords: Option<Vec<String>>,
    /// Folder backends: move it there. Label backends: add this place and leave the inbox, trash and
    /// junk.
    pub move_to: Option<FolderKey>,
    /// Into the archive: the archive folder, or out of the inbox on label backends. `false` is back
    /// into the inbox.
    pub archived: Option<bool>,
}

/// How to remove a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Into the trash. A message already there stays there.
    Trash,
    /// For good.
    Forever,
}
