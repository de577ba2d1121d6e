use gateway_operations::StatusChange;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::literals::OkStatus;

/// It worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct OkResponse {
    /// Always `Ok`.
    pub(crate) status: OkStatus,
}

impl OkResponse {
    /// The one value.
    pub(crate) const OK: Self = Self {
        status: OkStatus::Ok,
    };
}

/// What is to change about a message; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateMessageStatusData {
    /// Unread or read.
    unread: Option<bool>,
    /// Into the archive or back into the inbox.
    archived: Option<bool>,
    /// All keywords that the message is to have.
    keywords: Option<Vec<String>>,
    /// Flagged or not. Addition.
    flagged: Option<bool>,
}

impl From<UpdateMessageStatusData> for StatusChange {
    fn from(wire: UpdateMessageStatusData) -> Self {
        Self {
            unread: wire.unread,
            flagged: wire.flagged,
            archived: wire.archived,
            keywords: wire.keywords,
        }
    }
}
