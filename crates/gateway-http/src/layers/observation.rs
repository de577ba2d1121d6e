use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::{
    error::{ApiError, Failure, Page},
    json::Json,
    wire::{ApiRequestFailed, literals::REQUEST_ID_HEADER},
};

/// A span and a log line for each request, its duration in seconds in the histogram
/// `polypost_http_request_seconds` by method, route template and status.
///
/// Neither tells a path, a query string, a header or an id of an account: routes stand as templates.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let id = Uuid::new_v4();
    let mut record = Record {
        begun: Instant::now(),
        method: method(request.method()),
        route: request.extensions().get::<MatchedPath>().cloned(),
        status: None,
    };
    let span = tracing::info_span!(
        "http_request",
        method = record.method,
        route = record.route(),
        request_id = %id,
    );
    let response = next.run(request).instrument(span.clone()).await;
    record.status = Some(response.status());
    let _entered = span.enter();
    let response = answer(response, id);
    tracing::info!(
        status = response.status().as_u16(),
        latency_ms = u64::try_from(record.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// Completes a response: its id, the body of a failure, and headers that keep what strangers wrote
/// from being taken for a page of ours.
fn answer(response: Response, id: Uuid) -> Response {
    let mut response = match failure_in(&response) {
        Some(error) => {
            log(error.failure());
            render(&response, &error, id)
        }
        None => response,
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(HeaderName::from_static(REQUEST_ID_HEADER), id);
    }
    let mut default = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::CACHE_CONTROL, "no-store");
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; sandbox",
    );
    response
}

/// Why a request failed: as its handler says, or by the status where no handler spoke.
fn failure_in(response: &Response) -> Option<ApiError> {
    let status = response.status();
    let is_page = response.extensions().get::<Page>().is_some();
    let failed = !is_page && (status.is_client_error() || status.is_server_error());
    failed.then(|| {
        response
            .extensions()
            .get::<ApiError>()
            .cloned()
            .unwrap_or_else(|| ApiError::of_status(status))
    })
}

fn render(response: &Response, error: &ApiError, id: Uuid) -> Response {
    let body = Json(ApiRequestFailed::new(error.failure(), id));
    let mut rendered = (response.status(), body).into_response();
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            rendered.headers_mut().append(name.clone(), value.clone());
        }
    }
    rendered
}

/// What the operator needs to know: causes of faults on this side, the code alone of a caller's.
fn log(failure: &Failure) {
    let Failure {
        status,
        code,
        message,
        cause,
        ..
    } = failure;
    match status.as_u16() {
        500 => tracing::error!(code, message, cause, "the request failed"),
        501.. => tracing::warn!(code, message, cause, "the request failed"),
        _ => tracing::debug!(code, "the request was refused"),
    }
}

/// The methods that there are; others are one, so that callers cannot make up labels.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Records when it goes, so that a request whose caller went away is counted too.
struct Record {
    begun: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    status: Option<StatusCode>,
}

impl Record {
    fn route(&self) -> &str {
        self.route.as_ref().map_or("none", MatchedPath::as_str)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let status = self
            .status
            .map_or_else(|| "dropped".to_owned(), |status| status.as_str().to_owned());
        metrics::histogram!(
            "polypost_http_request_seconds",
            "method" => self.method,
            "route" => self.route().to_owned(),
            "status" => status,
        )
        .record(self.begun.elapsed().as_secs_f64());
    }
}
