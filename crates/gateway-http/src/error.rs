//! Failures as the wire contract words them: one place where a kind of failure becomes a status, a
//! code and a body.

use std::{sync::Arc, time::Duration};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use gateway_operations::{OperationError, OperationErrorKind};
use serde_json::Value;

/// The result of a handler.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// A failed request.
///
/// As a response it has no body yet: the layer that knows the request's id writes it
/// (`layers::observe`), from the error that it finds among the response's extensions.
#[derive(Clone, Debug)]
pub(crate) struct ApiError(Arc<Failure>);

/// Marks a response that is a page for people, and stays as it is although its status is a failure's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page;

/// What is known of a failure.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The status.
    pub(crate) status: StatusCode,
    /// The contract's word for it.
    pub(crate) code: &'static str,
    /// For people; no secrets.
    pub(crate) message: String,
    /// The provider's own error, where it may be told.
    pub(crate) original: Option<Value>,
    /// Causes, for the operator's log only.
    pub(crate) cause: Option<String>,
    headers: HeaderMap,
}

/// Told with a status that must say when to ask again and comes without a better guess.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl ApiError {
    /// A failure with this status and code.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self(Arc::new(Failure {
            status,
            code,
            message: message.into(),
            original: None,
            cause: None,
            headers: HeaderMap::new(),
        }))
    }

    /// 400: malformed input.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "badRequest", message)
    }

    /// 401: no credentials, or unknown ones.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// 403: not allowed here.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 404: unknown or deleted.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "notFound",
            format!("{what} not found"),
        )
    }

    /// 413: more than is taken.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "tooLarge", message)
    }

    /// 415: written in a way that is not taken.
    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupportedMediaType",
            message,
        )
    }

    /// 422: well-formed, but cannot be done as asked.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", message)
    }

    /// 429: the gateway's own limit.
    pub(crate) fn overloaded(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rateLimited", message)
            .with_retry_after(Duration::from_secs(1))
    }

    /// 501: not there for this mailbox, or at all.
    pub(crate) fn not_supported(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "notSupported", message)
    }

    /// 503: no room for the request now.
    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "mailbox.unavailable",
            message,
        )
        .with_retry_after(RETRY_AFTER)
    }

    /// 503: the request came to no end.
    pub(crate) fn too_slow() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "mailbox.unavailable",
            "the request took too long",
        )
        .with_retry_after(RETRY_AFTER)
    }

    /// 500: the gateway broke.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the gateway failed; the log has the cause under this request's id",
        )
    }

    /// What stands for a failure that came about without a handler (no such route, no such method).
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (code, message) = match status {
            StatusCode::NOT_FOUND => ("notFound", "no such endpoint"),
            StatusCode::METHOD_NOT_ALLOWED => (
                "methodNotAllowed",
                "this endpoint does not take this method",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => ("tooLarge", "the request is too large"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupportedMediaType", "expected JSON"),
            StatusCode::UNAUTHORIZED => ("unauthorized", "credentials are missing or unknown"),
            StatusCode::REQUEST_TIMEOUT => ("requestTimeout", "the request took too long"),
            status if status.is_server_error() => ("internal", "the gateway failed"),
            _ => ("badRequest", "malformed request"),
        };
        Self::new(status, code, message)
    }

    /// Adds a header of the response.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        Arc::make_mut(&mut self.0).headers.insert(name, value);
        self
    }

    /// Adds when to ask again, in whole seconds, rounded up.
    pub(crate) fn with_retry_after(self, wait: Duration) -> Self {
        let rest = u64::from(wait.subsec_nanos() > 0);
        let seconds = wait.as_secs().saturating_add(rest);
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// Adds what only the operator's log tells.
    pub(crate) fn with_cause(mut self, cause: String) -> Self {
        Arc::make_mut(&mut self.0).cause = Some(cause);
        self
    }

    /// What is known of it.
    pub(crate) fn failure(&self) -> &Failure {
        &self.0
    }

    /// Adds the challenge that a 401 of an endpoint for applications carries (RFC 7617 section 2).
    pub(crate) fn asking_for_basic(self) -> Self {
        if self.0.status != StatusCode::UNAUTHORIZED {
            return self;
        }
        self.with_header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(r#"Basic realm="Polypost", charset="UTF-8""#),
        )
    }
}

/// Status and code of each kind of failure.
fn status_and_code(kind: OperationErrorKind) -> (StatusCode, &'static str) {
    use OperationErrorKind as Kind;
    match kind {
        Kind::BadRequest => (StatusCode::BAD_REQUEST, "badRequest"),
        Kind::TokenNotValid => (StatusCode::BAD_REQUEST, "token.notValid"),
        Kind::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
        Kind::TokenDead => (StatusCode::UNAUTHORIZED, "token.dead"),
        Kind::TokenRefreshFailed => (StatusCode::UNAUTHORIZED, "token.refresh.failed"),
        Kind::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
        Kind::NotFound => (StatusCode::NOT_FOUND, "notFound"),
        Kind::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "requestTimeout"),
        Kind::Conflict => (StatusCode::CONFLICT, "conflict"),
        Kind::SyncTokenExpired => (StatusCode::GONE, "syncToken.expired"),
        Kind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "tooLarge"),
        Kind::Unprocessable => (StatusCode::UNPROCESSABLE_ENTITY, "unprocessable"),
        Kind::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rateLimited"),
        Kind::NotSupported => (StatusCode::NOT_IMPLEMENTED, "notSupported"),
        Kind::Provider => (StatusCode::BAD_GATEWAY, "provider.error"),
        Kind::ProviderUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "provider.unavailable"),
        Kind::SendUnconfirmed => (StatusCode::BAD_GATEWAY, "send.unconfirmed"),
        Kind::MailboxUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "mailbox.unavailable"),
        Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    }
}

impl From<OperationError> for ApiError {
    fn from(error: OperationError) -> Self {
        let (status, code) = status_and_code(error.kind);
        let cause = error.source.as_deref().map(chain);
        let told = Self(Arc::new(Failure {
            status,
            code,
            message: error.message,
            original: error.original,
            cause,
            headers: HeaderMap::new(),
        }));
        let must_say_when = matches!(
            status,
            StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
                | StatusCode::SERVICE_UNAVAILABLE
        );
        match error.retry_after.or(must_say_when.then_some(RETRY_AFTER)) {
            Some(wait) => told.with_retry_after(wait),
            None => told,
        }
    }
}

/// An error and its causes in one line.
fn chain(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        next = cause.source();
    }
    line
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.headers_mut().extend(self.0.headers.clone());
        // A 401 names a way to sign in (RFC 9110 section 15.5.2).
        if self.0.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .entry(header::WWW_AUTHENTICATE)
                .or_insert(HeaderValue::from_static(r#"Bearer realm="Polypost""#));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests;
