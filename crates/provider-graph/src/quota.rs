//! What the API allows a client in one mailbox:
//! <https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits>.

use std::time::Duration;

use email_provider::layers::{BudgetConfig, Rate};
use serde::Deserialize;

/// The `quota` part of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Quota {
    /// Requests in each window for each mailbox. Each part of a batch is one.
    requests: u32,
    /// Length of the window in seconds.
    window_seconds: u32,
    /// Requests that background work leaves for who waits.
    reserve: Option<u32>,
    /// Requests of one mailbox at the same time, and how many of them may be background work.
    concurrency: usize,
    background_concurrency: usize,
    /// Milliseconds of the first pause after a throttled request that names none; doubled each time.
    throttle_pause_ms: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            requests: 10_000,
            window_seconds: 600,
            reserve: None,
            concurrency: 4,
            background_concurrency: 3,
            throttle_pause_ms: 1_000,
        }
    }
}

impl Quota {
    /// First pause after a throttled request that names none.
    pub(crate) fn throttle_pause(&self) -> Duration {
        Duration::from_millis(self.throttle_pause_ms)
    }

    /// Requests of one mailbox at the same time.
    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency.clamp(1, 64)
    }

    /// A mailbox's budget. A sixth is kept for who waits.
    pub(crate) fn account(&self) -> BudgetConfig {
        BudgetConfig {
            concurrency: self.concurrency(),
            background_concurrency: self.background_concurrency,
            rate: Some(Rate {
                units: self.requests,
                window_seconds: self.window_seconds,
                reserve: self.reserve.unwrap_or(self.requests / 6),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_can_be_chosen_one_by_one() {
        let usual = Quota::default().account();
        assert_eq!(usual.concurrency, 4);
        let rate = usual.rate.unwrap();
        assert_eq!((rate.units, rate.window_seconds), (10_000, 600));
        let chosen: Quota = serde_json::from_str(r#"{"requests": 60, "concurrency": 0}"#).unwrap();
        assert_eq!(chosen.concurrency(), 1);
        assert_eq!(chosen.account().rate.unwrap().reserve, 10);
        assert!(serde_json::from_str::<Quota>(r#"{"units": 1}"#).is_err());
    }
}
