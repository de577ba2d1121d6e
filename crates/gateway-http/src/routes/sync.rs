//! The sync feed.

pub(crate) mod deleted;
pub(crate) mod start;
pub(crate) mod updated;

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::AppState;

/// Where it is mounted.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/email/sync", post(start::start))
        .route("/v1/email/sync/updated", get(updated::updated))
        .route("/v1/email/sync/deleted", get(deleted::deleted))
}
