//! Messages.

pub(crate) mod attachment;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod raw;
pub(crate) mod status;

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::AppState;

/// Where they are mounted.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/email/messages", get(list::list))
        .route(
            "/v1/email/messages/{messageId}",
            get(get::get).delete(delete::delete),
        )
        .route("/v1/email/messages/{messageId}/raw", get(raw::raw))
        .route(
            "/v1/email/messages/{messageId}/status",
            post(status::status),
        )
        .route(
            "/v1/email/messages/{messageId}/attachments/{attachmentId}",
            get(attachment::attachment),
        )
}
