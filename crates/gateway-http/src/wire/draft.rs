use chrono::{DateTime, Utc};
use gateway_operations::{DraftView, SavedDraft, ScheduledSend};
use serde::Serialize;
use utoipa::ToSchema;

use super::{EmailMessage, literals::ScheduledStatus};

/// A draft that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailDraftResponse {
    /// Its id, which stays the same.
    id: String,
    /// Where people find it in a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    web_link: Option<String>,
}

impl From<SavedDraft> for EmailDraftResponse {
    fn from(saved: SavedDraft) -> Self {
        Self {
            id: saved.id.to_string(),
            web_link: saved.web_link,
        }
    }
}

/// A draft as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct EmailDraft {
    /// Its id.
    id: String,
    /// The message that it is.
    message: EmailMessage,
    /// When it will be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled: Option<ScheduledDraft>,
}

impl EmailDraft {
    /// As the operations have it; with empty `nativeProperties` where a client asked for some.
    pub(crate) fn new(view: DraftView, native_properties: bool) -> Self {
        Self {
            id: view.id.to_string(),
            message: EmailMessage::from(view.message).with_native_properties(native_properties),
            scheduled: view.scheduled.map(Into::into),
        }
    }
}

/// A scheduled send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScheduledDraft {
    /// The number of its job.
    job_id: i64,
    /// When it is due.
    send_time: DateTime<Utc>,
    /// How far it has come.
    status: ScheduledStatus,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
}

impl From<ScheduledSend> for ScheduledDraft {
    fn from(scheduled: ScheduledSend) -> Self {
        Self {
            job_id: scheduled.job,
            send_time: scheduled.send_time,
            status: scheduled.status.into(),
            error_message: scheduled.error_message,
        }
    }
}
