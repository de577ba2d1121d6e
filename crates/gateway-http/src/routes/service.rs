//! Health, and the documentation.

mod docs;
pub(crate) mod health;
mod openapi;
pub(crate) mod ready;

use axum::{Router, routing::get};

use crate::app::AppState;

/// Where they are mounted.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(health::health))
        .route("/readyz", get(ready::ready))
        .route("/openapi.json", get(openapi::openapi))
        .merge(docs::routes())
}
