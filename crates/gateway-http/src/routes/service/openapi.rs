use std::sync::LazyLock;

use axum::{http::header, response::IntoResponse};

use crate::openapi::openapi_json;

/// It never changes while the process runs.
static DOCUMENT: LazyLock<String> = LazyLock::new(openapi_json);

/// The OpenAPI document.
pub(crate) async fn openapi() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        DOCUMENT.as_str(),
    )
}
