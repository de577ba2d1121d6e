//! The API's failures to the gateway's kinds of error: <https://learn.microsoft.com/graph/errors>.

use std::time::Duration;

use chrono::DateTime;
use email_model::Timestamp;
use email_provider::{ErrorKind, ProviderError};
use serde_json::Value;

/// Longest wait that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Whether a request may have had an effect although it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only reads, or is harmless.
    None,
    /// It changes the mailbox.
    Write,
}

/// An answer that is no success.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusal {
    /// HTTP's status.
    pub status: u16,
    /// `error.code`, which tells more than the status.
    pub code: String,
    /// `error.message`.
    pub message: String,
    /// What the server asks to wait.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Reads an answer's status, `Retry-After` and body.
    pub(crate) fn new(
        status: u16,
        retry_after: Option<&str>,
        body: Option<&Value>,
        now: Timestamp,
    ) -> Self {
        let text = |name: &str| {
            let text = body.and_then(|body| body["error"][name].as_str());
            text.unwrap_or_default().chars().take(300).collect()
        };
        let retry_after = retry_after.and_then(|header| wait_of_header(header, now));
        Self {
            status,
            code: text("code"),
            message: text("message"),
            retry_after: retry_after.map(|wait| wait.min(LONGEST_WAIT)),
        }
    }

    /// Whether another access token may help.
    pub(crate) fn is_of_token(&self) -> bool {
        self.status == 401
    }

    /// Whether the vendor limits how much is asked for, for now.
    pub(crate) fn is_throttling(&self) -> bool {
        self.status == 429
    }

    /// How long the server, which is there and cannot serve for now, asks to leave it alone (RFC 9110 section 15.6.4).
    pub(crate) fn outage(&self) -> Option<Duration> {
        self.retry_after.filter(|_| self.status == 503)
    }

    /// The server gave up: large pages take it too long.
    pub(crate) fn is_too_slow(&self) -> bool {
        self.status == 504
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        codes
            .iter()
            .any(|code| self.code.eq_ignore_ascii_case(code))
    }

    /// The feed's token is no longer good ("Use delta query", synchronization reset). The codes come with several statuses,
    /// and in any case.
    pub(crate) fn is_expiry(&self) -> bool {
        const CODES: [&str; 5] = [
            "syncStateNotFound",
            "syncStateInvalid",
            "ErrorInvalidSyncStateData",
            "resyncRequired",
            "resyncChangesUploadDifferences",
        ];
        self.status == 410 || ((400..500).contains(&self.status) && self.has_code(&CODES))
    }

    /// As the gateway understands it.
    pub(crate) fn into_error(self, effect: Effect) -> ProviderError {
        // A mailbox that the API cannot reach: not that what was asked for is absent.
        const NO_MAILBOX: [&str; 3] = [
            "MailboxNotEnabledForRESTAPI",
            "MailboxNotSupportedForRESTAPI",
            "ErrorNonExistentMailbox",
        ];
        // What the sender may not, has too much of, or has too often; whatever the status.
        const NOT_ALLOWED: [&str; 4] = [
            "ErrorSendAsDenied",
            "ErrorAccountSuspend",
            "ErrorQuotaExceeded",
            "ErrorCannotUseDelegatedFolder",
        ];
        const TOO_OFTEN: [&str; 1] = ["ErrorSubmissionQuotaExceeded"];
        const WRONG: [&str; 6] = [
            "ErrorInvalidRecipients",
            "ErrorInvalidRecipient",
            "ErrorMessageSizeExceeded",
            "ErrorAttachmentSizeLimitExceeded",
            "ErrorMimeContentInvalid",
            "ErrorMimeContentInvalidBase64String",
        ];
        const NO_ID: [&str; 3] = [
            "ErrorInvalidIdMalformed",
            "ErrorInvalidId",
            "ErrorInvalidMailboxItemId",
        ];
        let kind = match self.status {
            _ if self.is_throttling() => ErrorKind::RateLimited,
            _ if self.is_expiry() => ErrorKind::CursorExpired,
            400..500 if self.has_code(&NO_MAILBOX) => ErrorKind::Forbidden,
            400.. if self.has_code(&NOT_ALLOWED) => ErrorKind::Forbidden,
            400.. if self.has_code(&TOO_OFTEN) => ErrorKind::RateLimited,
            400.. if self.has_code(&WRONG) => ErrorKind::Invalid,
            400 if self.has_code(&NO_ID) => ErrorKind::NotFound,
            400 | 405 | 406 | 411 | 413 | 414 | 415 | 422 => ErrorKind::Invalid,
            401 => ErrorKind::Unauthenticated,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            409 | 412 => ErrorKind::Conflict,
            // Nothing was done: what was asked for is not there in this cloud.
            501 => ErrorKind::Unsupported,
            // The request may have been carried out before its server failed.
            500.. if effect == Effect::Write => ErrorKind::OutcomeUnknown,
            408 | 423 | 500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Unexpected,
        };
        let wait = match kind {
            ErrorKind::RateLimited | ErrorKind::Unavailable => self.retry_after,
            _ => None,
        };
        let mut message = format!("the mailbox answered {}", self.status);
        for detail in [&self.code, &self.message] {
            if !detail.is_empty() {
                message = format!("{message}: {detail}");
            }
        }
        let error = ProviderError::new(kind, message);
        match wait {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }
}

/// `Retry-After`: seconds or a date (RFC 9110 section 10.2.3).
fn wait_of_header(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    match header.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let time = DateTime::parse_from_rfc2822(header).ok()?.to_utc();
            Some((time - now).to_std().unwrap_or(Duration::ZERO))
        }
    }
}

/// The connection or its answer was lost.
pub(crate) fn lost(effect: Effect) -> ProviderError {
    match effect {
        Effect::None => ProviderError::new(ErrorKind::Unavailable, "the connection was lost"),
        Effect::Write => ProviderError::new(
            ErrorKind::OutcomeUnknown,
            "the connection was lost before the mailbox answered",
        ),
    }
}

/// No answer in time.
pub(crate) fn late(effect: Effect) -> ProviderError {
    match effect {
        Effect::None => ProviderError::new(ErrorKind::Unavailable, "no answer in time"),
        Effect::Write => ProviderError::new(
            ErrorKind::OutcomeUnknown,
            "the mailbox did not answer in time",
        ),
    }
}

/// An answer that cannot be read. Nothing of it is told: it may be somebody's mail.
pub(crate) fn unreadable() -> ProviderError {
    ProviderError::new(ErrorKind::Unexpected, "the mailbox's answer cannot be read")
}

pub(crate) fn no_message() -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, "no such message")
}

pub(crate) fn no_draft() -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, "no such draft")
}

pub(crate) fn changed_elsewhere() -> ProviderError {
    ProviderError::new(ErrorKind::Conflict, "the draft was changed elsewhere")
}

pub(crate) fn unavailable(what: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Unavailable, what)
}

pub(crate) fn no_folder() -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, "no such folder")
}

pub(crate) fn no_part() -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, "no such part")
}

pub(crate) fn expired() -> ProviderError {
    ProviderError::new(ErrorKind::CursorExpired, "the position is no longer good")
}

pub(crate) fn invalid(what: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid, what)
}

pub(crate) fn unsupported(what: &str) -> ProviderError {
    ProviderError::new(
        ErrorKind::Unsupported,
        format!("this mailbox cannot do that: {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, code: &str, header: Option<&str>) -> Refusal {
        let body = serde_json::json!({"error": {"code": code, "message": "text"}});
        let now = Timestamp::from_timestamp(1_700_000_000, 0).unwrap();
        Refusal::new(status, header, Some(&body), now)
    }

    #[test]
    fn a_code_says_more_than_a_status() {
        use ErrorKind::{
            Conflict, CursorExpired, Forbidden, Invalid, NotFound, RateLimited, Unauthenticated,
            Unavailable,
        };
        for (status, code, kind) in [
            (400, "ErrorInvalidIdMalformed", NotFound),
            (400, "BadRequest", Invalid),
            (400, "SyncStateNotFound", CursorExpired),
            (400, "SyncStateInvalid", CursorExpired),
            (404, "syncStateNotFound", CursorExpired),
            (410, "resyncRequired", CursorExpired),
            (410, "", CursorExpired),
            (401, "InvalidAuthenticationToken", Unauthenticated),
            (403, "ErrorAccessDenied", Forbidden),
            (404, "ErrorItemNotFound", NotFound),
            (404, "MailboxNotEnabledForRESTAPI", Forbidden),
            (409, "ErrorFolderExists", Conflict),
            (412, "ErrorIrresolvableConflict", Conflict),
            (429, "ApplicationThrottled", RateLimited),
            (500, "ErrorInternalServerError", Unavailable),
            (501, "NotImplemented", ErrorKind::Unsupported),
            (503, "ErrorMailboxMoveInProgress", Unavailable),
            (504, "UnknownError", Unavailable),
            (403, "ErrorSendAsDenied", Forbidden),
            (400, "ErrorInvalidRecipients", Invalid),
            (500, "ErrorMessageSizeExceeded", Invalid),
            (403, "ErrorSubmissionQuotaExceeded", RateLimited),
            (302, "", ErrorKind::Unexpected),
        ] {
            let error = refusal(status, code, None).into_error(Effect::None);
            assert_eq!(error.kind, kind, "{status} {code}");
        }
        let write = refusal(503, "", None).into_error(Effect::Write);
        assert_eq!(write.kind, ErrorKind::OutcomeUnknown);
        let write = refusal(501, "", None).into_error(Effect::Write);
        assert_eq!(write.kind, ErrorKind::Unsupported);
        let throttled = refusal(429, "", Some("7")).into_error(Effect::Write);
        assert_eq!(throttled.kind, RateLimited);
        assert_eq!(throttled.retry_after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_wait_is_seconds_or_a_date_and_bounded() {
        let wait = |header| refusal(429, "", Some(header)).retry_after;
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(wait("7"), seconds(7));
        assert_eq!(wait("Tue, 14 Nov 2023 22:14:20 GMT"), seconds(60));
        assert_eq!(wait("Tue, 14 Nov 2000 22:14:20 GMT"), seconds(0));
        assert_eq!(wait("99999999"), Some(LONGEST_WAIT));
        assert_eq!((wait("-1"), wait("soon")), (None, None));
        assert_eq!(wait("99999999999999999999999"), None);
    }
}
