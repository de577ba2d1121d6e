use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{Layer, Layered, Operation};
use crate::{Call, EmailProvider, ErrorKind, Priority, ProviderResult};

/// A span around each call, its duration in seconds in the histogram
/// `polypost_provider_call_seconds` and a count in `polypost_provider_calls_total`, both by
/// provider kind, operation, priority and outcome. Nothing tells of an account: their number is
/// not bounded.
pub type Measured = Layered<MeasuredCalls>;

/// The layer of [`Measured`].
#[derive(Debug)]
pub struct MeasuredCalls {
    kind: &'static str,
}

impl Measured {
    /// Measures the calls of a mailbox of this kind.
    pub fn new(inner: Arc<dyn EmailProvider>, kind: &'static str) -> Self {
        Self::around(inner, MeasuredCalls { kind })
    }
}

impl Layer for MeasuredCalls {
    async fn around<'a, T, F>(
        &'a self,
        operation: Operation,
        call: Call,
        run: F,
    ) -> ProviderResult<T>
    where
        T: Send + 'a,
        F: Fn() -> BoxFuture<'a, ProviderResult<T>> + Send + Sync + 'a,
    {
        let span = tracing::debug_span!(
            "provider_call",
            kind = self.kind,
            operation = operation.name()
        );
        let begun = Instant::now();
        let mut unfinished = Record {
            kind: self.kind,
            operation,
            call,
            begun,
            outcome: "dropped",
        };
        let answer = run().instrument(span.clone()).await;
        unfinished.outcome = match &answer {
            Ok(_) => "ok",
            Err(error) => {
                let _entered = span.enter();
                tracing::debug!(%error, source = error.source.as_deref(), "provider call failed");
                outcome(error.kind)
            }
        };
        answer
    }
}

/// Records when it goes, so that a call whose caller went away is counted too.
struct Record {
    kind: &'static str,
    operation: Operation,
    call: Call,
    begun: Instant,
    outcome: &'static str,
}

impl Drop for Record {
    fn drop(&mut self) {
        let labels = [
            ("kind", self.kind),
            ("operation", self.operation.name()),
            ("priority", priority(self.call.priority)),
            ("outcome", self.outcome),
        ];
        metrics::counter!("polypost_provider_calls_total", &labels).increment(1);
        metrics::histogram!("polypost_provider_call_seconds", &labels)
            .record(self.begun.elapsed().as_secs_f64());
    }
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Background => "background",
        Priority::Interactive => "interactive",
    }
}

fn outcome(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unauthenticated => "unauthenticated",
        ErrorKind::Forbidden => "forbidden",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Invalid => "invalid",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Conflict => "conflict",
        ErrorKind::RateLimited => "rate_limited",
        ErrorKind::CursorExpired => "cursor_expired",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::OutcomeUnknown => "outcome_unknown",
        ErrorKind::Unexpected => "unexpected",
    }
}
