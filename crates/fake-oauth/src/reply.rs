//! An answer before it is sent, and whether the request broke a rule.

use axum::body::Body;
use axum::http::{Response, header};
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub location: Option<String>,
    pub body: String,
    pub violation: Option<String>,
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json; charset=utf-8",
            location: None,
            body: body.to_string(),
            violation: None,
        }
    }

    /// An error page for the person at the browser.
    pub fn page(status: u16, text: &str) -> Self {
        Self {
            status,
            content_type: "text/html; charset=utf-8",
            location: None,
            body: format!("<html><body>Error {status}: {text}</body></html>"),
            violation: Some(text.to_owned()),
        }
    }

    pub fn redirect(target: &str) -> Self {
        Self {
            status: 302,
            content_type: "text/html; charset=utf-8",
            location: Some(target.to_owned()),
            body: String::new(),
            violation: None,
        }
    }

    /// The same answer to a request that no correct client makes.
    pub fn violation(mut self, problem: &str) -> Self {
        self.violation = Some(problem.to_owned());
        self
    }

    pub fn into_response(self) -> Response<Body> {
        let mut builder = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, self.content_type)
            .header(header::CACHE_CONTROL, "no-store");
        if let Some(location) = self.location {
            builder = builder.header(header::LOCATION, location);
        }
        builder
            .body(Body::from(self.body))
            .expect("status and headers are valid")
    }
}
