//! JSON bodies, read as leniently as clients write them: no body and no content type are `{}`, unknown
//! fields are ignored, `null` members and elements are left out.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{ApiError, ApiResult};

/// Largest body taken, in octets.
const LARGEST: usize = 1 << 20;

/// How long a client may take to send a body.
const SLOWEST: Duration = Duration::from_secs(30);

/// The JSON body of a request.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> ApiResult<Self> {
        let (parts, body) = request.into_parts();
        let bytes = read_in_time(&parts.headers, body).await?;
        of_octets(&parts.headers, &bytes).map(Self)
    }
}

/// The JSON body that these octets are.
pub(super) fn of_octets<T: DeserializeOwned>(headers: &HeaderMap, octets: &[u8]) -> ApiResult<T> {
    if octets.iter().all(u8::is_ascii_whitespace) {
        return parse(b"{}");
    }
    if !says_json(headers) {
        return Err(ApiError::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    parse(octets)
}

/// The body of a request as it is.
#[derive(Debug)]
pub(crate) struct Octets(pub(crate) bytes::Bytes);

impl<S: Send + Sync> FromRequest<S> for Octets {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> ApiResult<Self> {
        let (parts, body) = request.into_parts();
        read_in_time(&parts.headers, body).await.map(Self)
    }
}

pub(super) async fn read_in_time(headers: &HeaderMap, body: Body) -> ApiResult<bytes::Bytes> {
    let read = tokio::time::timeout(SLOWEST, read(headers, body)).await;
    read.map_err(|_| ApiError::of_status(StatusCode::REQUEST_TIMEOUT).with_retry_after(SLOWEST))?
}

async fn read(headers: &HeaderMap, body: Body) -> ApiResult<bytes::Bytes> {
    let too_large = || ApiError::too_large(format!("a body has at most {LARGEST} octets"));
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > LARGEST as u64) {
        return Err(too_large());
    }
    to_bytes(body, LARGEST).await.map_err(|error| {
        let error = error.into_inner();
        if error.is::<http_body_util::LengthLimitError>() {
            too_large()
        } else {
            ApiError::bad_request("the body ended early")
        }
    })
}

/// `application/json`, any `+json`, or nothing said.
pub(crate) fn says_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

/// Reads JSON. Nesting is bounded by the parser (128 levels). The message of a failure tells the place
/// and never the text: a body may hold passwords.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> ApiResult<T> {
    let mut value: Value = serde_json::from_slice(bytes).map_err(|error| {
        ApiError::bad_request(format!(
            "the body is not JSON (line {}, column {})",
            error.line(),
            error.column()
        ))
    })?;
    if !value.is_object() {
        return Err(ApiError::bad_request("the body is not a JSON object"));
    }
    drop_nulls(&mut value);
    typed(value)
}

/// Reads a value without `null`. A failure tells the place alone, too.
pub(super) fn typed<T: DeserializeOwned>(value: Value) -> ApiResult<T> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        match path.as_str() {
            "." => ApiError::bad_request("a required field of the body is missing"),
            _ => ApiError::bad_request(format!("field {path} of the body is of a wrong type")),
        }
    })
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Array(elements) => {
            elements.retain(|element| !element.is_null());
            elements.iter_mut().for_each(drop_nulls);
        }
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
