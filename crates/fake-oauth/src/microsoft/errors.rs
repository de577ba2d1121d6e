//! Errors with their numbers ("Microsoft Entra authentication and authorization error codes").

use serde_json::json;

use crate::reply::Reply;

/// An error that the token endpoint answers with, such as AADSTS50173 after a change of password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aadsts {
    /// The number after `AADSTS`.
    pub code: u32,
    /// `error`, such as `invalid_grant`.
    pub error: String,
    /// `suberror`, such as `bad_token`.
    pub suberror: Option<String>,
    /// The answer's status.
    pub status: u16,
}

impl Aadsts {
    /// 400 `invalid_grant` with this number.
    #[must_use]
    pub fn invalid_grant(code: u32) -> Self {
        Self {
            code,
            error: "invalid_grant".to_owned(),
            suberror: None,
            status: 400,
        }
    }

    /// With a `suberror`.
    #[must_use]
    pub fn suberror(mut self, suberror: &str) -> Self {
        self.suberror = Some(suberror.to_owned());
        self
    }

    pub(crate) fn new(status: u16, error: &str, code: u32) -> Self {
        Self {
            code,
            error: error.to_owned(),
            suberror: None,
            status,
        }
    }

    pub(crate) fn reply(&self, message: &str) -> Reply {
        let trace = "255d1aef-8c98-452f-ac51-23d051240864";
        let description = format!(
            "AADSTS{}: {message} Trace ID: {trace} Correlation ID: {trace} Timestamp: 2024-03-01 12:00:00Z",
            self.code
        );
        let mut body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": "2024-03-01 12:00:00Z",
            "trace_id": trace,
            "correlation_id": trace,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        if let Some(suberror) = &self.suberror {
            body["suberror"] = json!(suberror);
        }
        Reply::json(self.status, &body)
    }
}
