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
    /// `submit` of the submitter.
    Submit,
    /// `settle` of the submitter.
    Settle,
    /// `file` of the submitter.
    File,
    /// `create` of the drafts.
    CreateDraft,
    /// `replace` of the drafts.
    ReplaceDraft,
    /// `discard` of the drafts.
    DiscardDraft,
    /// `find` of the drafts.
    FindDraft,
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
            Self::Submit => "submit",
            Self::Settle => "settle",
            Self::File => "file",
            Self::CreateDraft => "create_draft",
            Self::ReplaceDraft => "replace_draft",
            Self::DiscardDraft => "discard_draft",
            Self::FindDraft => "find_draft",
        }
    }

    /// Whether it leaves the mailbox as it is, so that doing it twice is harmless.
    pub fn is_read(&self) -> bool {
        match self {
            Self::Update
            | Self::Remove
            | Self::CreateFolder
            | Self::Submit
            | Self::File
            | Self::CreateDraft
            | Self::ReplaceDraft
            | Self::DiscardDraft => false,
            Self::Folders
            | Self::Search { .. }
            | Self::Fetch { .. }
            | Self::Raw
            | Self::Attachment
            | Self::Survey
            | Self::Begin
            | Self::Scan { .. }
            | Self::Changes { .. }
            | Self::Settle
            | Self::FindDraft => true,
        }
    }
}
