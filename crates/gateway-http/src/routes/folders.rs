//! Folders and labels.

pub(crate) mod choose;
pub(crate) mod chosen;
pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod messages;

use axum::{Router, routing::get};

use crate::app::AppState;

/// Where they are mounted.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/email/folders", get(list::list).post(create::create))
        .route(
            "/v1/email/folders/wellKnown",
            get(chosen::chosen).patch(choose::choose),
        )
        .route("/v1/email/folders/{folderId}", get(get::get))
        .route(
            "/v1/email/folders/{folderId}/messages",
            get(messages::messages),
        )
}
