//! Refusals in this vendor's form ("Microsoft Graph error responses and resource types").

use serde_json::{Value, json};

use crate::faults::ErrorKind;

/// An answer other than success.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub status: u16,
    /// `error.code`.
    pub code: &'static str,
    pub message: String,
    /// No correct client makes this request.
    pub violation: bool,
    pub retry_after: Option<String>,
    /// Where to start anew.
    pub location: Option<String>,
    pub form: Form,
}

/// What the body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Json,
    Html,
    Nothing,
}

impl ApiError {
    /// A refusal that a correct client may meet.
    pub fn refused(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            violation: false,
            retry_after: None,
            location: None,
            form: Form::Json,
        }
    }

    /// A refusal of what no correct client asks.
    pub fn wrong(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            violation: true,
            ..Self::refused(status, code, message)
        }
    }

    /// 400 to a request that OData's rules or the model's types forbid.
    pub fn parse(message: impl Into<String>) -> Self {
        Self::wrong(400, "RequestBroker--ParseUri", message)
    }

    /// 400 to a body that is not what the method takes.
    pub fn body(message: impl Into<String>) -> Self {
        Self::wrong(400, "UnableToDeserializePostBody", message)
    }

    /// 400 to an option that this method does not take.
    pub fn query(message: impl Into<String>) -> Self {
        Self::wrong(400, "ErrorInvalidUrlQuery", message)
    }

    /// 404 for an item or folder that is not there.
    pub fn not_found() -> Self {
        Self::refused(
            404,
            "ErrorItemNotFound",
            "The specified object was not found in the store., The process failed to get the correct properties.",
        )
    }

    /// 400 for an id that was never one.
    pub fn malformed_id() -> Self {
        Self::wrong(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    }

    /// 401: no token, or one that gives no access.
    pub fn unauthenticated(violation: bool, message: &str) -> Self {
        Self {
            violation,
            ..Self::refused(401, "InvalidAuthenticationToken", message)
        }
    }

    /// 403: none of the method's scopes was granted.
    pub fn scope() -> Self {
        Self::wrong(
            403,
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        )
    }

    pub fn of(kind: ErrorKind) -> Self {
        let (status, code, message) = match kind {
            ErrorKind::TooManyRequests => (
                429,
                "ApplicationThrottled",
                "Application is over its RequestThrottle limit.",
            ),
            ErrorKind::MailboxConcurrency => (
                429,
                "ApplicationThrottled",
                "Application is over its MailboxConcurrency limit.",
            ),
            ErrorKind::InvalidToken => (
                401,
                "InvalidAuthenticationToken",
                "Access token has expired or is not yet valid.",
            ),
            ErrorKind::AccessDenied => (
                403,
                "ErrorAccessDenied",
                "Access is denied. Check credentials and try again.",
            ),
            ErrorKind::MailboxNotEnabled => (
                404,
                "MailboxNotEnabledForRESTAPI",
                "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
            ),
            ErrorKind::HtmlPage => (500, "", "Server Error"),
            ErrorKind::Internal => (
                500,
                "ErrorInternalServerError",
                "An internal server error occurred. The operation failed.",
            ),
            ErrorKind::BadGateway => (502, "", ""),
            ErrorKind::Unavailable => (
                503,
                "ErrorMailboxStoreUnavailable",
                "The mailbox database is temporarily unavailable.",
            ),
            ErrorKind::MailboxMove => (
                503,
                "ErrorMailboxMoveInProgress",
                "Mailbox move in progress. Try again later.",
            ),
            ErrorKind::Timeout => (504, "UnknownError", ""),
        };
        Self {
            form: match kind {
                ErrorKind::HtmlPage => Form::Html,
                ErrorKind::BadGateway => Form::Nothing,
                _ => Form::Json,
            },
            ..Self::refused(status, code, message)
        }
    }

    pub fn body_json(&self) -> Value {
        json!({"error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": "2024-03-01T12:00:00",
                "request-id": "6f1c3b6e-8e44-4a0c-9f5e-27b1f3a7a6c1",
                "client-request-id": "6f1c3b6e-8e44-4a0c-9f5e-27b1f3a7a6c1",
            },
        }})
    }

    /// The challenge that goes with 401 (RFC 6750 §3).
    pub fn challenge(&self) -> Option<&'static str> {
        (self.status == 401).then_some(
            r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000""#,
        )
    }
}
