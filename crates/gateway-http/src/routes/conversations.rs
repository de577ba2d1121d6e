//! Conversations.

pub(crate) mod get;

use axum::{Router, routing::get};

use crate::app::AppState;

/// Where they are mounted.
pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/v1/email/conversations/{threadId}", get(get::get))
}
