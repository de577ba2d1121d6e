use std::{sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable as _};
use futures::future::BoxFuture;
use tokio::time::Instant;

use super::{Layer, Layered, Operation};
use crate::{Call, EmailProvider, ProviderError, ProviderResult};

/// How often and how patiently reads are repeated.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(default, rename_all = "snake_case", deny_unknown_fields)]
pub struct RetryConfig {
    /// Repetitions after the first attempt.
    pub repetitions: usize,
    /// Milliseconds before the first repetition; doubled each time, with jitter.
    pub first_wait_ms: u64,
    /// Longest wait in milliseconds; a wait that the backend asks for is cut to it.
    pub longest_wait_ms: u64,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            repetitions: 2,
            first_wait_ms: 200,
            longest_wait_ms: 10_000,
        }
    }
}

/// Repeats reads that failed transiently, as long as the call's deadline allows it. Writes are never
/// repeated: the caller decides, knowing what may have happened.
pub type RetryReads = Layered<Retrying>;

/// The layer of [`RetryReads`].
#[derive(Debug)]
pub struct Retrying {
    config: RetryConfig,
}

impl RetryReads {
    /// Repeats the reads of this mailbox.
    pub fn new(inner: Arc<dyn EmailProvider>, config: RetryConfig) -> Self {
        Self::around(inner, Retrying { config })
    }
}

impl Retrying {
    /// The wait before the next attempt, `None` to give up. A wait that the backend asked for is
    /// honoured whole or not at all: to come back earlier would only be refused again.
    fn wait(
        &self,
        deadline: Instant,
        error: &ProviderError,
        backoff: Duration,
    ) -> Option<Duration> {
        let longest = Duration::from_millis(self.config.longest_wait_ms);
        let wait = match error.retry_after {
            Some(asked) if asked > longest => return None,
            Some(asked) => asked.max(backoff),
            None => backoff,
        };
        (Instant::now() + wait < deadline).then_some(wait)
    }
}

impl Layer for Retrying {
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
        let backoff = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(self.config.first_wait_ms))
            .with_max_delay(Duration::from_millis(self.config.longest_wait_ms))
            .with_max_times(self.config.repetitions)
            .with_jitter();
        run.retry(backoff)
            .when(|error: &ProviderError| operation.is_read() && error.is_transient())
            .adjust(|error, wait| self.wait(call.deadline, error, wait?))
            .await
    }
}
