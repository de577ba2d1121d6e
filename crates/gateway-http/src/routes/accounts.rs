//! The accounts of an application.

pub(crate) mod connect;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod save;

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::AppState;

/// Where they are mounted.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/am/accounts", get(list::list).post(save::save))
        .route("/v1/am/accounts/connect", post(connect::connect))
        .route("/v1/am/accounts/{id}", get(get::get).delete(delete::delete))
}
