use chrono::{DateTime, Utc};
use gateway_operations::{DeletedPage, DeletedRecord, SyncStarted, UpdatedPage};
use serde::Serialize;
use utoipa::ToSchema;

use super::EmailMessage;

/// A started sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncStatus {
    /// Start token of the updated stream.
    sync_updated_token: String,
    /// Start token of the deleted stream.
    sync_deleted_token: String,
    /// The tokens can be used; else ask again.
    ready: bool,
}

impl From<SyncStarted> for SyncStatus {
    fn from(started: SyncStarted) -> Self {
        Self {
            sync_updated_token: started.updated_token,
            sync_deleted_token: started.deleted_token,
            ready: started.ready,
        }
    }
}

/// A page of the updated stream.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailMessagesPage {
    /// The walk goes on with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    /// The walk is over; the next one begins with this. On the last page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_delta_token: Option<String>,
    /// How many records there are here.
    length: usize,
    /// Messages as they are now.
    records: Vec<EmailMessage>,
    /// Changes before this moment are in the answer. Addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_at: Option<DateTime<Utc>>,
}

impl From<UpdatedPage> for EmailMessagesPage {
    fn from(page: UpdatedPage) -> Self {
        Self {
            next_page_token: page.next_page_token,
            next_delta_token: page.next_delta_token,
            length: page.records.len(),
            records: page.records.into_iter().map(Into::into).collect(),
            verified_at: page.verified_at,
        }
    }
}

/// A message that is gone from the mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedEmailMessage {
    /// Its id.
    id: String,
    /// Where it was last.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder_id: Option<String>,
    /// Its `Message-ID`, with angle brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    internet_message_id: Option<String>,
    /// When its removal was noticed.
    timestamp: DateTime<Utc>,
    /// Of two records for one id the higher wins. Addition.
    version: i64,
}

impl From<DeletedRecord> for DeletedEmailMessage {
    fn from(record: DeletedRecord) -> Self {
        Self {
            id: record.id.to_string(),
            folder_id: record.folder.map(|id| id.to_string()),
            internet_message_id: record.message_id,
            timestamp: record.noticed_at,
            version: record.version,
        }
    }
}

/// A page of the deleted stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailDeletedPage {
    /// The walk goes on with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    /// The walk is over; the next one begins with this. On the last page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_delta_token: Option<String>,
    /// How many records there are here.
    length: usize,
    /// The removals.
    records: Vec<DeletedEmailMessage>,
    /// Changes before this moment are in the answer. Addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_at: Option<DateTime<Utc>>,
}

impl From<DeletedPage> for EmailDeletedPage {
    fn from(page: DeletedPage) -> Self {
        Self {
            next_page_token: page.next_page_token,
            next_delta_token: page.next_delta_token,
            length: page.records.len(),
            records: page.records.into_iter().map(Into::into).collect(),
            verified_at: page.verified_at,
        }
    }
}
