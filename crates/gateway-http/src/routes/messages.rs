//! Messages.

pub(crate) mod attachment;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod raw;
pub(crate) mod reply;
pub(crate) mod send;
pub(crate) mod status;

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::AppState;

/// Where they are mounted.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/email/messages", get(list::list).post(send::send))
        .route(
            "/v1/email/messages/{messageId}",
            get(get::get).delete(delete::delete),
        )
        .route("/v1/email/messages/{messageId}/raw", get(raw::raw))
        .route("/v1/email/messages/{messageId}/reply", post(reply::reply))
        .route(
            "/v1/email/messages/{messageId}/status",
            post(status::status),
        )
        .route(
            "/v1/email/messages/{messageId}/attachments/{attachmentId}",
            get(attachment::attachment),
        )
}
