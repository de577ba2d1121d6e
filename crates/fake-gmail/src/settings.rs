//! Limits, and choices that the documentation leaves open.

use std::time::Duration;

/// The API's limits and manners; the default is what is documented or observed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Quota units a minute for each user.
    pub units_per_user: u32,
    /// Quota units a minute for all users.
    pub units_per_project: u32,
    /// How requests over the quota are answered.
    pub quota_answer: QuotaAnswer,
    /// Requests of one user at the same time.
    pub concurrent_requests: Option<u32>,
    /// The largest body in octets outside the upload paths.
    pub body_limit: usize,
    /// Text parts up to this size stand in the message itself.
    pub inline_limit: usize,
    /// How long an attachment id is good for.
    pub attachment_lifetime: Duration,
    /// What `labelIds` in history records are.
    pub history_labels: HistoryLabels,
    /// Header values in message parts are decoded (RFC 2047); otherwise they stand as they were sent.
    pub decoded_headers: bool,
    /// A sent message gets another `Message-ID`; its own is kept as `X-Google-Original-Message-ID`.
    pub replaced_message_id: bool,
    /// A sent message with a foreign `From` is refused; otherwise it is sent as the user's own address.
    pub foreign_from_refused: bool,
    /// The Cloud project whose topics can be watched; none is any.
    pub project: Option<String>,
    /// `historyId` in push notifications is a string; otherwise a number.
    pub push_ids_as_strings: bool,
    /// Of the push notifications for a user in one second all but the first are dropped.
    pub push_rate_limit: bool,
}

/// The forms of the answer to a request over the quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaAnswer {
    /// 429 `rateLimitExceeded`.
    TooManyRequests,
    /// 403 `userRateLimitExceeded`, or `rateLimitExceeded` for the project.
    Forbidden,
}

/// The labels of messages in history records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryLabels {
    /// Those right after the change.
    AtTheTime,
    /// Those now.
    Current,
    /// None.
    Absent,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            units_per_user: 6_000,
            units_per_project: 1_200_000,
            quota_answer: QuotaAnswer::TooManyRequests,
            concurrent_requests: None,
            body_limit: 10 << 20,
            inline_limit: 64 << 10,
            attachment_lifetime: Duration::from_secs(600),
            history_labels: HistoryLabels::AtTheTime,
            decoded_headers: true,
            replaced_message_id: false,
            foreign_from_refused: false,
            project: None,
            push_ids_as_strings: false,
            push_rate_limit: false,
        }
    }
}
