use email_model::{FolderKind, FolderRole};
use gateway_operations::{FolderRow, WellKnownFolders};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::literals::SysLabel;

/// A folder or label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailFolderInfo {
    /// Its id.
    id: String,
    /// Last element of its path.
    name: String,
    /// Its path, elements joined by `/`.
    full_name: String,
    /// A message is in exactly one of these.
    is_folder: bool,
    /// A message carries any number of these.
    is_label: bool,
    /// The folder above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    sys_label: Option<SysLabel>,
}

impl From<FolderRow> for EmailFolderInfo {
    fn from(row: FolderRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name,
            full_name: row.full_name,
            is_folder: row.kind == FolderKind::Folder,
            is_label: row.kind == FolderKind::Label,
            parent_id: row.parent.map(|id| id.to_string()),
            sys_label: row.role.and_then(sys_label),
        }
    }
}

/// The contract's word for a folder's role; it has none for an archive or a view of all mail.
pub(crate) fn sys_label(role: FolderRole) -> Option<SysLabel> {
    match role {
        FolderRole::Inbox => Some(SysLabel::Inbox),
        FolderRole::Sent => Some(SysLabel::Sent),
        FolderRole::Drafts => Some(SysLabel::Draft),
        FolderRole::Trash => Some(SysLabel::Trash),
        FolderRole::Junk => Some(SysLabel::Junk),
        FolderRole::Important => Some(SysLabel::Important),
        FolderRole::Flagged => Some(SysLabel::Flagged),
        FolderRole::Archive | FolderRole::All => None,
    }
}

/// All folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailFolderInfoPage {
    /// How many there are here.
    length: usize,
    /// The folders.
    records: Vec<EmailFolderInfo>,
}

impl From<Vec<FolderRow>> for EmailFolderInfoPage {
    fn from(rows: Vec<FolderRow>) -> Self {
        Self {
            length: rows.len(),
            records: rows.into_iter().map(Into::into).collect(),
        }
    }
}

/// A folder to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailFolderCreate {
    /// Its name: one path element.
    pub(crate) name: Option<String>,
    /// The folder above it.
    pub(crate) parent_id: Option<String>,
}

/// Folders to be chosen; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WellKnownFoldersIn {
    /// Id of the folder for archived messages.
    pub(crate) archive: Option<String>,
    /// Id of the folder of sent messages.
    pub(crate) sent: Option<String>,
}

/// The folders chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WellKnownFoldersOut {
    /// Id of the folder for archived messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<String>,
    /// Id of the folder of sent messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
}

impl From<WellKnownFolders> for WellKnownFoldersOut {
    fn from(folders: WellKnownFolders) -> Self {
        Self {
            archive: folders.archive.map(|id| id.to_string()),
            sent: folders.sent.map(|id| id.to_string()),
        }
    }
}
