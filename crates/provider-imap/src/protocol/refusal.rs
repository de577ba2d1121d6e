//! What a refusal means: by its code, and without one by the words of well-known servers.

use std::time::Duration;

use email_provider::ErrorKind;

use super::{
    response_code::ResponseCode,
    untagged::{Condition, StatusResponse},
};

/// RFC 5530's codes; without one, what the texts of well-known servers say. `Unavailable` is the mailbox as a
/// whole: a defect, damage or a lock that a command meets is most often that of the folder it is about, and the
/// other folders go on.
pub(super) fn status_kind(status: &StatusResponse) -> ErrorKind {
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
        Some(Code::Unavailable) => Some(ErrorKind::Unavailable),
        Some(Code::InUse | Code::ServerBug | Code::Corruption) => Some(ErrorKind::Unexpected),
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
    } else if status.condition == Condition::Bye || names_the_server(&text) {
        ErrorKind::Unavailable
    } else if status.condition == Condition::Bad || is_passing(&text) {
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

/// Whether the cause of a refusal passes, by its code or else by its text.
pub(super) fn passes(status: &StatusResponse) -> bool {
    use ResponseCode as Code;
    match &status.code {
        Some(Code::Unavailable | Code::InUse | Code::ServerBug | Code::Corruption) => true,
        None | Some(Code::Alert | Code::ClientBug | Code::Other(_)) => {
            !is_throttle(status) && is_passing(&status.text)
        }
        Some(_) => false,
    }
}

/// Whether a text speaks of the server, or of what stands behind it, and not of a folder. "User is
/// authenticated but not connected" is Exchange Online's word for a back end that is down.
fn names_the_server(text: &str) -> bool {
    [
        "but not connected",
        "server busy",
        "server is busy",
        "server unavailable",
        "server is unavailable",
        "service unavailable",
        "service is unavailable",
        "service temporarily",
        "service is temporarily",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// Whether a text speaks of something that passes.
pub(super) fn is_passing(text: &str) -> bool {
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
pub(super) fn backoff_time(text: &str) -> Option<Duration> {
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
    use email_provider::ProviderError;

    use super::*;
    use crate::protocol::{Error, parse_tagged};

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
            ("A1 NO Server Unavailable. 15", ErrorKind::Unavailable),
            (
                "A1 BAD User is authenticated but not connected.",
                ErrorKind::Unavailable,
            ),
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
    fn what_a_command_meets_in_a_folder_is_not_the_whole_mailbox() {
        for line in [
            "A1 NO [SERVERBUG] Internal error occurred. Refer to server log for more information.",
            "A1 NO [CORRUPTION] The folder's index is damaged",
            "A1 NO [INUSE] The folder is locked, try again",
            "A1 NO Internal error occurred",
            "A1 NO Mailbox is busy, try again",
            "A1 NO System I/O error",
        ] {
            let error = Error::refused(status(line));
            assert_eq!(error.kind(), ErrorKind::Unexpected, "{line}");
            let whole = Error::refused(status(line)).of_the_server();
            let passes = !line.contains("I/O");
            assert_eq!(whole.kind() == ErrorKind::Unavailable, passes, "{line}");
        }
    }

    #[test]
    fn a_refusal_without_a_reason_is_known() {
        let cases = [
            ("A1 NO Unable to open this mailbox.", true),
            ("A1 NO System I/O error", true),
            ("A1 NO Mailbox does not exist", true),
            ("A1 NO [TRYCREATE] Mailbox does not exist", true),
            ("A1 NO [NONEXISTENT] Unknown mailbox", false),
            ("A1 NO [SERVERBUG] Internal error", false),
            ("A1 NO Server busy", false),
            ("A1 NO Mailbox is busy, try again", false),
            ("A1 NO Permission denied", false),
            ("A1 NO Too many simultaneous connections", false),
            ("A1 BAD Unknown command", false),
        ];
        for (line, unexplained) in cases {
            let error = Error::refused(status(line));
            assert_eq!(error.is_unexplained(), unexplained, "{line}");
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
            ("A1 NO [SERVERBUG] Internal error", ErrorKind::Unavailable),
            ("A1 NO [INUSE] Locked by POP", ErrorKind::Unavailable),
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
