use crate::{Detail, ScanDetail};

/// A call as layers see it: what it does and how much of it, never whose data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `folders`.
    Folders,
    /// `search`.
    Search {
        /// Most hits wanted.
        limit: usize,
    },
    /// `fetch`.
    Fetch {
        /// Messages asked for.
        messages: usize,
        /// How much of each.
        detail: Detail,
    },
    /// `raw`.
    Raw,
    /// `attachment`.
    Attachment,
    /// `survey`.
    Survey,
    /// `begin`.
    Begin,
    /// `scan`.
    Scan {
        /// Most entries wanted.
        limit: usize,
        /// How much of each.
        detail: ScanDetail,
    },
    /// `changes`.
    Changes {
        /// Most entries wanted.
        limit: usize,
    },
    /// `update`.
    Update,
    /// `remove`.
    Remove,
    /// `create_folder`.
    CreateFolder,
}

impl Operation {
    /// Its name, for metrics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Folders => "folders",
            Self::Search { .. } => "search",
            Self::Fetch { .. } => "fetch",
            Self::Raw => "raw",
            Self::Attachment => "attachment",
            Self::Survey => "survey",
            Self::Begin => "begin",
            Self::Scan { .. } => "scan",
            Self::Changes { .. } => "changes",
            Self::Update => "update",
            Self::Remove => "remove",
            Self::CreateFolder => "create_folder",
        }
    }

    /// Whether it leaves the mailbox as it is, so that doing it twice is harmless.
    pub fn is_read(&self) -> bool {
        !matches!(self, Self::Update | Self::Remove | Self::CreateFolder)
    }
}
