use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tokio::{sync::Semaphore, time::timeout};

use super::AnswerClock;
use crate::{
    app::HttpOptions,
    error::{ApiError, ApiResult},
};

/// The places for requests that are worked on.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
    longest_wait: Duration,
    deadline: Duration,
}

impl Admission {
    /// As many places as the options say.
    pub(super) fn new(options: &HttpOptions) -> Self {
        Self {
            places: Arc::new(Semaphore::new(options.concurrency)),
            longest_wait: options.longest_wait,
            deadline: options.deadline,
        }
    }
}

/// Runs a request once there is a place for it, until its response begins.
pub(super) async fn admit(
    State(admission): State<Admission>,
    mut request: Request,
    next: Next,
) -> ApiResult<Response> {
    let Ok(Ok(_place)) = timeout(admission.longest_wait, admission.places.acquire()).await else {
        return Err(ApiError::overloaded("too many requests at once"));
    };
    let clock = AnswerClock::running();
    request.extensions_mut().insert(clock.clone());
    let answer = clock.within(admission.deadline, next.run(request)).await;
    Ok(answer.unwrap_or_else(|| ApiError::too_slow().into_response()))
}
