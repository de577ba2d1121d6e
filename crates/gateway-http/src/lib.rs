//! The REST API: routes, extractors, wire shapes, errors, OpenAPI.
//!
//! [`router`] makes an axum router of a [`Gateway`](gateway_operations::Gateway), [`serve`] serves it,
//! [`openapi_json`] describes it. Handlers hold no logic: they read a request, call one operation and
//! write what it answers.

mod app;
mod docs_page;
mod download;
mod error;
mod extract;
mod json;
mod layers;
mod openapi;
mod routes;
mod server;
mod uploads;
mod wire;

pub use app::{HttpOptions, router};
pub use openapi::openapi_json;
pub use server::{ServeOptions, Shutdown, serve};
