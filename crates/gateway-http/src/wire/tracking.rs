use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::{ApiError, ApiResult};

/// What is to be learned of a message after it went out.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OutEmailTrack {
    /// Answers.
    thread_replies: Option<bool>,
    /// Whether it was opened.
    opens: Option<bool>,
    /// Seconds after sending within which it does not count as opened.
    #[expect(
        dead_code,
        reason = "read for its type: it says nothing without `opens`"
    )]
    track_opens_after_send_delay: Option<i64>,
    /// The client's own note.
    #[expect(
        dead_code,
        reason = "read for its type: it says nothing without a switch"
    )]
    context: Option<String>,
    /// Which links were followed.
    links: Option<bool>,
    /// The host of links and pixel.
    #[expect(
        dead_code,
        reason = "read for its type: it says nothing without a switch"
    )]
    custom_domain_alias: Option<String>,
}

impl OutEmailTrack {
    /// Nothing is tracked: refused where anything is to be.
    pub(super) fn refuse(&self) -> ApiResult<()> {
        let switches = [self.thread_replies, self.opens, self.links];
        if switches.contains(&Some(true)) {
            return Err(ApiError::not_supported("tracking is not supported"));
        }
        Ok(())
    }

    /// The same for a body that may hold it.
    pub(crate) fn refused_in(tracking: Option<&Self>) -> ApiResult<()> {
        tracking.map_or(Ok(()), Self::refuse)
    }
}

/// How a draft is to be sent.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub(crate) struct DraftSendDetails {
    /// Tracking. Refused with 501 where any of it is asked for.
    pub(crate) tracking: Option<OutEmailTrack>,
}
