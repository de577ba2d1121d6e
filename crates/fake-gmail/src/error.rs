//! Refusals in this vendor's form.

use serde_json::{Value, json};

/// An answer other than success.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub status: u16,
    /// `errors[].reason`.
    pub reason: &'static str,
    /// `errors[].domain`.
    pub domain: &'static str,
    pub message: String,
    /// No correct client makes this request.
    pub violation: bool,
    pub retry_after: Option<String>,
}

impl ApiError {
    /// A refusal that a correct client may meet.
    pub fn refused(status: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            domain: "global",
            message: message.into(),
            violation: false,
            retry_after: None,
        }
    }

    /// 400 to a request against the API's rules.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            violation: true,
            ..Self::refused(400, "invalidArgument", message)
        }
    }

    /// 404 for an object that is not there.
    pub fn not_found() -> Self {
        Self::refused(404, "notFound", "Requested entity was not found.")
    }

    /// 401: no token, or one that gives no access.
    pub fn unauthenticated(violation: bool) -> Self {
        Self {
            violation,
            ..Self::refused(
                401,
                "authError",
                "Request had invalid authentication credentials.",
            )
        }
    }

    /// 403: none of the method's scopes was granted.
    pub fn scope() -> Self {
        Self {
            violation: true,
            ..Self::refused(
                403,
                "insufficientPermissions",
                "Request had insufficient authentication scopes.",
            )
        }
    }

    /// 403 to a request that the token's kind forbids.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self {
            violation: true,
            ..Self::refused(403, "forbidden", message)
        }
    }

    fn canonical(&self) -> &'static str {
        match (self.status, self.reason) {
            (400, "failedPrecondition") => "FAILED_PRECONDITION",
            (400, _) => "INVALID_ARGUMENT",
            (401, _) => "UNAUTHENTICATED",
            (403, _) => "PERMISSION_DENIED",
            (404, _) => "NOT_FOUND",
            (409, _) => "ABORTED",
            (429, _) => "RESOURCE_EXHAUSTED",
            (503, _) => "UNAVAILABLE",
            _ => "INTERNAL",
        }
    }

    pub fn body(&self) -> Value {
        let mut item = json!({
            "message": self.message,
            "domain": self.domain,
            "reason": self.reason,
        });
        let mut error = json!({
            "code": self.status,
            "message": self.message,
            "status": self.canonical(),
        });
        match self.reason {
            "authError" => {
                item["message"] = json!("Invalid Credentials");
                item["location"] = json!("Authorization");
                item["locationType"] = json!("header");
            }
            "insufficientPermissions" => {
                item["message"] = json!("Insufficient Permission");
                error["details"] = json!([{
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                    "domain": "googleapis.com",
                }]);
            }
            _ => {}
        }
        error["errors"] = json!([item]);
        json!({"error": error})
    }

    /// The challenge that goes with 401 and with missing scopes (RFC 6750 §3).
    pub fn challenge(&self) -> Option<&'static str> {
        match self.reason {
            "authError" => {
                Some(r#"Bearer realm="https://accounts.google.com/", error="invalid_token""#)
            }
            "insufficientPermissions" => {
                Some(r#"Bearer realm="https://accounts.google.com/", error="insufficient_scope""#)
            }
            _ => None,
        }
    }
}
