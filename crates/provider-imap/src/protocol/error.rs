//! What goes wrong on an IMAP connection, and what it means to the gateway.

use std::{io, time::Duration};

use email_provider::{ErrorKind, ProviderError, network::NetworkError};

use super::{
    lexer::ParseError,
    response_code::ResponseCode,
    untagged::{Condition, StatusResponse},
};

/// A failed IMAP operation. Never holds a secret: what a server says is bounded and cleaned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// NO: the server understood and refuses.
    #[error("refused: {}", .0.text)]
    No(StatusResponse),
    /// BAD: the server did not understand. Courier says NO to that.
    #[error("not understood: {}", .0.text)]
    Bad(StatusResponse),
    /// BYE: the server ends the connection.
    #[error("the server ends the connection: {}", .0.text)]
    Bye(StatusResponse),
    /// The server refused the credentials; no other cause is named.
    #[error("the server refused the credentials: {}", .0.text)]
    Credentials(StatusResponse),
    /// The connection was closed.
    #[error("the server closed the connection")]
    Closed,
    /// Nothing came within the time allowed for this.
    #[error("no answer within the time for {0}")]
    Timeout(&'static str),
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[source] io::Error),
    /// No connection came about.
    #[error("the server is {0}")]
    Network(#[from] NetworkError),
    /// No encrypted connection came about.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// The server broke the protocol or exceeded a limit.
    #[error("the server broke the protocol: {0}")]
    Protocol(String),
    /// What was asked for cannot be written as a command.
    #[error("{0}")]
    Invalid(String),
    /// The server does not offer it.
    #[error("the server does not offer {0}")]
    Unsupported(&'static str),
    /// An earlier refusal still stands; the server is not asked again so soon.
    #[error("the server refused the last connection: {message}")]
    Backoff {
        /// The kind of that refusal.
        kind: ErrorKind,
        /// Its text.
        message: String,
        /// How long to wait.
        wait: Duration,
    },
    /// The command went out, and then the connection was lost: it may have had its effect.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(#[source] Box<Self>),
}

/// The result of an IMAP operation.
pub type Result<T> = std::result::Result<T, Error>;

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Self::Protocol(error.to_string())
    }
}

impl Error {
    /// A protocol violation.
    pub(super) fn protocol(what: impl Into<String>) -> Self {
        Self::Protocol(what.into())
    }

    /// The error of a tagged response that is not OK.
    pub(super) fn refused(status: StatusResponse) -> Self {
        match status.condition {
            Condition::Bye => Self::Bye(status),
            // Courier 5.0: every syntax error is a NO with this text.
            Condition::No if !status.text.contains("Error in IMAP command") => Self::No(status),
            _ => Self::Bad(status),
        }
    }

    /// The error of a refused sign-in. Many servers name no code: then it is the credentials, unless
    /// the text speaks of something that passes.
    pub(super) fn sign_in_refused(status: StatusResponse) -> Self {
        let credentials = match &status.code {
            Some(ResponseCode::AuthenticationFailed | ResponseCode::Expired) => true,
            None | Some(ResponseCode::Alert | ResponseCode::Other(_)) => {
                status.condition == Condition::No
                    && !is_throttle(&status)
                    && !is_passing(&status.text)
            }
            Some(_) => false,
        };
        if credentials {
            Self::Credentials(status)
        } else {
            Self::refused(status)
        }
    }

    /// What the server said.
    pub fn status(&self) -> Option<&StatusResponse> {
        match self {
            Self::No(status)
            | Self::Bad(status)
            | Self::Bye(status)
            | Self::Credentials(status) => Some(status),
            Self::OutcomeUnknown(cause) => cause.status(),
            _ => None,
        }
    }

    /// The response code, if there is one.
    pub fn code(&self) -> Option<&ResponseCode> {
        self.status()?.code.as_ref()
    }

    /// Whether the server answered, and the connection is in order.
    pub(super) fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::No(_) | Self::Bad(_) | Self::Invalid(_) | Self::Unsupported(_)
        )
    }

    /// Marks a failure in the midst of a command that changes something.
    pub(super) fn after_sending(self) -> Self {
        match self {
            answer if answer.is_answer() => answer,
            unknown @ Self::OutcomeUnknown(_) => unknown,
            lost => Self::OutcomeUnknown(Box::new(lost)),
        }
    }

    /// What it means to the gateway.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::No(status) | Self::Bad(status) | Self::Bye(status) => status_kind(status),
            Self::Credentials(_) => ErrorKind::Unauthenticated,
            Self::Closed | Self::Timeout(_) | Self::Io(_) => ErrorKind::Unavailable,
            Self::Network(NetworkError::Forbidden) => ErrorKind::Forbidden,
            Self::Network(NetworkError::Unreachable) => ErrorKind::Unavailable,
            Self::Tls(_) => ErrorKind::Unavailable,
            Self::Protocol(_) => ErrorKind::Unexpected,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Unsupported(_) => ErrorKind::Unsupported,
            Self::Backoff { kind, .. } => *kind,
            Self::OutcomeUnknown(_) => ErrorKind::OutcomeUnknown,
        }
    }

    /// How long the server, or the back-off, asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Backoff { wait, .. } => Some(*wait),
            _ => self.status().and_then(|status| backoff_time(&status.text)),
        }
    }
}

impl From<Error> for ProviderError {
    fn from(error: Error) -> Self {
        let provider = Self::new(error.kind(), error.to_string());
        let provider = match error.retry_after() {
            Some(wait) => provider.with_retry_after(wait),
            None => provider,
        };
        provider.with_source(error)
    }
}

/// RFC 5530's codes; without one, what the texts of well-known servers say.
fn status_kind(status: &StatusResponse) -> ErrorKind {
    use ResponseCode as Code;
    let by_code = match &status.code {
        Some(Code::AuthenticationFailed | Code::Expired) => Some(ErrorKind::Unauthenticated),
        Some(
            Code::AuthorizationFailed
            | Code::NoPerm
            | Code::PrivacyRequired
            | Code::ContactAdmin
            | Code::ReadOnly
            | Code::OverQuota,
        ) => Some(ErrorKind::Forbidden),
        Some(Code::Unavailable | Code::InUse | Code::ServerBug) => Some(ErrorKind::Unavailable),
        Some(Code::Limit | Code::Throttled) => Some(ErrorKind::RateLimited),
        Some(Code::AlreadyExists | Code::ExpungeIssued | Code::Modified(_)) => {
            Some(ErrorKind::Conflict)
        }
        Some(Code::NonExistent | Code::TryCreate) => Some(ErrorKind::NotFound),
        Some(Code::Cannot | Code::TooBig | Code::MessageLimit(..)) => Some(ErrorKind::Invalid),
        Some(Code::BadCharset) => Some(ErrorKind::Unsupported),
        _ => None,
    };
    if let Some(kind) = by_code {
        return kind;
    }
    let text = status.text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if is_throttle(status) {
        ErrorKind::RateLimited
    } else if status.condition == Condition::Bye || is_passing(&text) {
        ErrorKind::Unavailable
    } else if status.condition == Condition::Bad {
        ErrorKind::Unexpected
    } else if says(&["already exist"]) {
        ErrorKind::Conflict
    } else if says(&[
        "not exist",
        "doesn't exist",
        "no such mailbox",
        "unknown mailbox",
        "nonexistent",
    ]) {
        ErrorKind::NotFound
    } else if says(&["permission", "not allowed", "denied", "quota"]) {
        ErrorKind::Forbidden
    } else {
        ErrorKind::Unexpected
    }
}

/// Whether the server asks to slow down, or to open fewer connections.
pub(super) fn is_throttle(status: &StatusResponse) -> bool {
    let text = status.text.to_ascii_lowercase();
    matches!(
        status.code,
        Some(ResponseCode::Limit | ResponseCode::Throttled)
    ) || [
        "throttle",
        "too many",
        "too much",
        "backoff time",
        "rate limit",
        "bandwidth limit",
        "maximum number of conn",
    ]
    .iter()
    .any(|word| text.contains(word))
}

/// Whether a text speaks of something that passes. "User is authenticated but not connected" is
/// Exchange Online's word for a back end that is down.
fn is_passing(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [
        "temporar",
        "try again",
        "try later",
        "unavailable",
        "busy",
        "internal error",
        "but not connected",
        "timed out",
    ]
    .iter()
    .any(|word| text.contains(word))
}

/// Exchange Online: "Request is throttled. Suggested Backoff Time: 92415 milliseconds". At most a day.
fn backoff_time(text: &str) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    let (_, after) = text.split_once("backoff time:")?;
    let after = after.trim_start();
    let digits = after
        .find(|c: char| !c.is_ascii_digit())
        .map_or(after, |end| &after[..end]);
    let amount: u64 = digits.parse().ok()?;
    let unit = after[digits.len()..].trim_start();
    let wait = match unit.starts_with("sec") {
        true => Duration::from_secs(amount),
        false => Duration::from_millis(amount),
    };
    Some(wait.min(Duration::from_secs(24 * 60 * 60)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::protocol::parse_tagged;

    fn status(line: &'static str) -> StatusResponse {
        parse_tagged(&Bytes::from(line)).unwrap().1
    }

    #[test]
    fn codes_and_texts_become_kinds() {
        let cases = [
            (
                "A1 NO [TRYCREATE] Mailbox doesn't exist",
                ErrorKind::NotFound,
            ),
            (
                "A1 NO Mailbox does not exist, or must be subscribed to.",
                ErrorKind::NotFound,
            ),
            (
                "A1 NO [ALREADYEXISTS] Mailbox already exists",
                ErrorKind::Conflict,
            ),
            ("A1 NO [LIMIT] Too many", ErrorKind::RateLimited),
            (
                "A1 BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds",
                ErrorKind::RateLimited,
            ),
            ("A1 NO [UNAVAILABLE] Temporary", ErrorKind::Unavailable),
            ("A1 NO [OVERQUOTA] Full", ErrorKind::Forbidden),
            ("A1 BAD Unknown command", ErrorKind::Unexpected),
            (
                "A1 NO Error in IMAP command received by server.",
                ErrorKind::Unexpected,
            ),
        ];
        for (line, kind) in cases {
            assert_eq!(Error::refused(status(line)).kind(), kind, "{line}");
        }
    }

    #[test]
    fn only_a_definite_refusal_is_about_the_credentials() {
        let cases = [
            (
                "A1 NO [AUTHENTICATIONFAILED] Authentication failed.",
                ErrorKind::Unauthenticated,
            ),
            ("A1 NO Login failed.", ErrorKind::Unauthenticated),
            (
                "A1 NO [ALERT] Invalid credentials (Failure)",
                ErrorKind::Unauthenticated,
            ),
            (
                "A1 NO [UNAVAILABLE] Temporary authentication failure",
                ErrorKind::Unavailable,
            ),
            ("A1 NO Temporary failure, try again", ErrorKind::Unavailable),
            (
                "A1 NO [ALERT] Too many simultaneous connections. (Failure)",
                ErrorKind::RateLimited,
            ),
            (
                "A1 BAD User is authenticated but not connected.",
                ErrorKind::Unavailable,
            ),
        ];
        for (line, kind) in cases {
            assert_eq!(Error::sign_in_refused(status(line)).kind(), kind, "{line}");
        }
    }

    #[test]
    fn the_wait_that_a_server_names_is_kept() {
        let error = Error::refused(status(
            "A1 BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds",
        ));
        let provider = ProviderError::from(error);
        assert_eq!(provider.retry_after, Some(Duration::from_millis(92_415)));
        assert_eq!(provider.kind, ErrorKind::RateLimited);
    }
}
