//! The HTTP server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::StatusCode;
use fake_oauth::{FakeOAuth, TestClock};

use crate::world::World;

pub(crate) struct Inner {
    pub oauth: FakeOAuth,
    pub clock: TestClock,
    pub world: Mutex<World>,
}

impl Inner {
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .fallback(|| async { StatusCode::NOT_IMPLEMENTED })
        .with_state(inner)
}
