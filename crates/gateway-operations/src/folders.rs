//! Folders and labels.

mod create;
mod listing;
mod well_known;

use email_model::FolderId;

/// The folders that the wire contract lets clients choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WellKnownFolders {
    /// Where archived messages go.
    pub archive: Option<FolderId>,
    /// Where sent messages are.
    pub sent: Option<FolderId>,
}

/// A change to them; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WellKnownChange {
    /// Where archived messages go.
    pub archive: Option<FolderId>,
    /// Where sent messages are.
    pub sent: Option<FolderId>,
}
