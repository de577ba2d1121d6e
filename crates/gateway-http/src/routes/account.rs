//! The account that a caller has a token of.

pub(crate) mod delete;
pub(crate) mod delete_token;
pub(crate) mod get;

use axum::{Router, routing};

use crate::app::AppState;

/// Where it is mounted.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/account", routing::get(get::get).delete(delete::delete))
        .route(
            "/v1/account/token",
            routing::delete(delete_token::delete_token),
        )
}
