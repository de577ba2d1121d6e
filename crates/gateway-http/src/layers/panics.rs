use std::any::Any;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use tower_http::catch_panic::ResponseForPanic;

use crate::error::ApiError;

/// Answers for a handler that panicked: a fault of the gateway, which ends this request only.
#[derive(Clone, Copy, Debug)]
pub(super) struct PanicAnswer;

impl ResponseForPanic for PanicAnswer {
    type ResponseBody = Body;

    fn response_for_panic(&mut self, panic: Box<dyn Any + Send>) -> Response {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        tracing::error!(panic = text, "a handler panicked");
        ApiError::internal().into_response()
    }
}
