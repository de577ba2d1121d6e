//! What happens to every request before and after its handler.

mod admission;
mod answer_clock;
mod observation;
mod panics;

use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use self::answer_clock::AnswerClock;
use self::{admission::Admission, panics::PanicAnswer};
use crate::app::HttpOptions;

/// Bounds how many requests are worked on at once, and for how long.
pub(crate) fn admit<S>(router: Router<S>, options: &HttpOptions) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let admission = Admission::new(options);
    router.layer(middleware::from_fn_with_state(admission, admission::admit))
}

/// Gives every request an id, a span, a metric and, where it failed, its answer in the contract's
/// shape.
pub(crate) fn observe<S>(router: Router<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router
        .layer(CatchPanicLayer::custom(PanicAnswer))
        .layer(middleware::from_fn(observation::observe))
}

#[cfg(test)]
mod tests;
