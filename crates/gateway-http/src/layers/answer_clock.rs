use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use axum::http::Extensions;
use tokio::{sync::watch, time::Instant};

/// How long an answer has been waited for. It stands still while a large request arrives.
#[derive(Clone, Debug)]
pub(crate) struct AnswerClock(Arc<watch::Sender<Option<Instant>>>);

/// Lets the clock run anew when it is dropped.
#[derive(Debug)]
pub(crate) struct Stopped(AnswerClock);

impl AnswerClock {
    /// Runs from now on.
    pub(super) fn running() -> Self {
        Self(Arc::new(watch::Sender::new(Some(Instant::now()))))
    }

    /// Stops the clock of a request, if it has one.
    pub(crate) fn stopped(request: &Extensions) -> Option<Stopped> {
        let clock = request.get::<Self>()?.clone();
        clock.0.send_replace(None);
        Some(Stopped(clock))
    }

    /// The output of `answer`; `None` if the clock ran for so long before.
    pub(super) async fn within<T>(
        &self,
        deadline: Duration,
        answer: impl Future<Output = T>,
    ) -> Option<T> {
        let mut answer = pin!(answer);
        let mut runs_since = self.0.subscribe();
        loop {
            let begun = *runs_since.borrow_and_update();
            let expiry = async {
                match begun {
                    Some(begun) => tokio::time::sleep_until(begun + deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                answer = &mut answer => return Some(answer),
                changed = runs_since.changed() => changed.ok()?,
                () = expiry => return None,
            }
        }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.0.send_replace(Some(Instant::now()));
    }
}
