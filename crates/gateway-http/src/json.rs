use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::error::ApiError;

/// A JSON answer. Written into one vector: a page of mail is some hundred thousand small pieces, each of which
/// costs more where the buffer is a shared one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<T>(pub(crate) T);

/// What most answers are not larger than, in octets.
const USUAL: usize = 1 << 10;

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut body = Vec::with_capacity(USUAL);
        match serde_json::to_writer(&mut body, &self.0) {
            Ok(()) => {
                let json = HeaderValue::from_static("application/json");
                ([(header::CONTENT_TYPE, json)], body).into_response()
            }
            Err(_) => ApiError::from(gateway_operations::OperationError::internal(
                "an answer could not be written",
            ))
            .into_response(),
        }
    }
}
