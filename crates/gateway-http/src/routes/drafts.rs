//! Drafts.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod send;
pub(crate) mod update;

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::AppState;

/// Where they are mounted.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/email/drafts", post(create::create))
        .route(
            "/v1/email/drafts/{draftId}",
            get(get::get).put(update::update).delete(delete::delete),
        )
        .route("/v1/email/drafts/{draftId}/send", post(send::send))
}
