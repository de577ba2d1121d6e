//! The API's failures to the gateway's kinds of error:
//! <https://developers.google.com/workspace/gmail/api/guides/handle-errors>.

use std::time::Duration;

use chrono::DateTime;
use email_model::Timestamp;
use email_provider::{ErrorKind, ProviderError};
use hyper::StatusCode;
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
    /// `error.errors[0].reason`, which tells more than the status.
    pub reason: String,
    /// `error.message`.
    pub message: String,
    /// What the server asks to wait.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Reads an answer's status, `Retry-After` and body.
    pub(crate) fn new(
        status: StatusCode,
        retry_after: Option<&str>,
        body: Option<&Value>,
        now: Timestamp,
    ) -> Self {
        let error = body.map(|body| &body["error"]);
        let text = |value: Option<&Value>| {
            let text = value.and_then(Value::as_str).unwrap_or_default();
            text.chars().take(300).collect::<String>()
        };
        let message = text(error.map(|error| &error["message"]));
        let retry_after = retry_after
            .and_then(|header| wait_of_header(header, now))
            .or_else(|| wait_of_message(&message, now));
        Self {
            status: status.as_u16(),
            reason: text(error.map(|error| &error["errors"][0]["reason"])),
            retry_after: retry_after.map(|wait| wait.min(LONGEST_WAIT)),
            message,
        }
    }

    /// Whether another access token may help.
    pub(crate) fn is_of_token(&self) -> bool {
        self.status == 401
    }

    /// Whether the vendor limits how much is asked for, for now.
    pub(crate) fn is_throttling(&self) -> bool {
        let passes = ["rateLimitExceeded", "userRateLimitExceeded"].contains(&self.reason.as_str());
        self.status == 429 || (self.status == 403 && passes)
    }

    /// Whether it is sending alone that is limited, for hours:
    /// <https://developers.google.com/workspace/gmail/api/guides/handle-errors>.
    pub(crate) fn is_of_sending(&self) -> bool {
        self.message.contains("Mail sending")
    }

    /// As the gateway understands it.
    pub(crate) fn into_error(self, effect: Effect) -> ProviderError {
        let kind = match self.status {
            _ if self.is_throttling() => ErrorKind::RateLimited,
            400 if self.message.starts_with("Invalid id value") => ErrorKind::NotFound,
            400 if self.reason == "failedPrecondition" => ErrorKind::Forbidden,
            400 | 405 | 411 | 413 | 414 => ErrorKind::Invalid,
            401 => ErrorKind::Unauthenticated,
            // The project's day is used up: it passes, but not soon.
            403 if ["dailyLimitExceeded", "quotaExceeded"].contains(&self.reason.as_str()) => {
                ErrorKind::RateLimited
            }
            403 => ErrorKind::Forbidden,
            404 | 410 => ErrorKind::NotFound,
            409 | 412 => ErrorKind::Conflict,
            // The request may have been carried out before its server failed.
            500.. if effect == Effect::Write => ErrorKind::OutcomeUnknown,
            408 | 500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Unexpected,
        };
        let wait = match kind {
            ErrorKind::RateLimited if !self.is_throttling() => Some(LONGEST_WAIT),
            ErrorKind::RateLimited | ErrorKind::Unavailable => self.retry_after,
            _ => None,
        };
        let message = match self.message.is_empty() {
            true => format!("the mailbox answered {}", self.status),
            false => format!("the mailbox answered {}: {}", self.status, self.message),
        };
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
        Err(_) => until(DateTime::parse_from_rfc2822(header).ok()?.to_utc(), now),
    }
}

/// "Retry after 2026-11-22T10:00:00.000Z" in the text of the error, where there is no header.
fn wait_of_message(message: &str, now: Timestamp) -> Option<Duration> {
    let (_, rest) = message.split_once("Retry after ")?;
    let date = rest
        .split([' ', ',', ')', '"'])
        .next()?
        .trim_end_matches('.');
    until(DateTime::parse_from_rfc3339(date).ok()?.to_utc(), now)
}

fn until(time: Timestamp, now: Timestamp) -> Option<Duration> {
    Some((time - now).to_std().unwrap_or(Duration::ZERO))
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

pub(crate) fn another_draft() -> ProviderError {
    ProviderError::new(ErrorKind::Conflict, "the draft was changed elsewhere")
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

    fn refusal(status: u16, reason: &str, message: &str, header: Option<&str>) -> Refusal {
        let body =
            serde_json::json!({"error": {"message": message, "errors": [{"reason": reason}]}});
        let now = Timestamp::from_timestamp(1_700_000_000, 0).unwrap();
        Refusal::new(
            StatusCode::from_u16(status).unwrap(),
            header,
            Some(&body),
            now,
        )
    }

    #[test]
    fn a_reason_says_more_than_a_status() {
        use ErrorKind::{CursorExpired, Forbidden, NotFound, RateLimited, Unavailable};
        for (status, reason, kind) in [
            (403, "userRateLimitExceeded", RateLimited),
            (403, "rateLimitExceeded", RateLimited),
            (403, "dailyLimitExceeded", RateLimited),
            (403, "domainPolicy", Forbidden),
            (403, "insufficientPermissions", Forbidden),
            (429, "", RateLimited),
            (404, "notFound", NotFound),
            (500, "backendError", Unavailable),
            (503, "", Unavailable),
        ] {
            let error = refusal(status, reason, "", None).into_error(Effect::None);
            assert_eq!(error.kind, kind, "{status} {reason}");
            assert_ne!(error.kind, CursorExpired);
        }
        let daily = refusal(403, "dailyLimitExceeded", "", Some("1"));
        assert!(!daily.is_throttling());
        assert_eq!(
            daily.into_error(Effect::None).retry_after,
            Some(LONGEST_WAIT)
        );
        let write = refusal(503, "backendError", "", None).into_error(Effect::Write);
        assert_eq!(write.kind, ErrorKind::OutcomeUnknown);
    }

    #[test]
    fn a_wait_is_found_in_the_header_or_in_the_text() {
        let wait = |header, text| refusal(429, "rateLimitExceeded", text, header).retry_after;
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(wait(Some("7"), ""), seconds(7));
        assert_eq!(wait(Some("Tue, 14 Nov 2023 22:14:20 GMT"), ""), seconds(60));
        assert_eq!(wait(Some("Tue, 14 Nov 2000 22:14:20 GMT"), ""), seconds(0));
        let text = "User-rate limit exceeded.  Retry after 2023-11-14T22:13:50.000Z";
        assert_eq!(wait(None, text), seconds(30));
        assert_eq!(wait(Some("soon"), "no"), None);
        assert_eq!(wait(Some("99999999"), ""), Some(LONGEST_WAIT));
        assert_eq!(wait(Some("99999999999999999999999"), ""), None);
    }
}
