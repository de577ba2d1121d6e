//! The endpoints, one a file, and where they are mounted.

pub(crate) mod account;
pub(crate) mod accounts;
pub(crate) mod auth;
pub(crate) mod conversations;
pub(crate) mod drafts;
pub(crate) mod folders;
pub(crate) mod messages;
pub(crate) mod push;
pub(crate) mod service;
pub(crate) mod sync;

use axum::Router;

use crate::app::AppState;

/// Everything below `/v1`.
pub(crate) fn api() -> Router<AppState> {
    Router::new()
        .merge(sync::routes())
        .merge(messages::routes())
        .merge(conversations::routes())
        .merge(drafts::routes())
        .merge(folders::routes())
        .merge(account::routes())
        .merge(accounts::routes())
        .merge(auth::routes())
        .merge(push::routes())
}

/// What the operator's tools and readers of the documentation ask for.
pub(crate) fn service() -> Router<AppState> {
    service::routes()
}
