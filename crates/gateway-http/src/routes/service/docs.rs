use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{app::AppState, docs_page};

/// The page and what it consists of, all from here: it works without any other host.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route(
            "/docs",
            get(|| async { file(docs_page::PAGE, "text/html; charset=utf-8") }),
        )
        .route(
            "/docs/docs.js",
            get(|| async { file(docs_page::SCRIPT, "text/javascript; charset=utf-8") }),
        )
        .route(
            "/docs/docs.css",
            get(|| async { file(docs_page::STYLE, "text/css; charset=utf-8") }),
        )
}

fn file(content: &'static str, content_type: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, docs_page::POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content).into_response()
}
