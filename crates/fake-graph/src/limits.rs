//! Requests in a window of time and at the same time, by application and mailbox ("Outlook service limits").

use std::collections::BTreeMap;

use crate::error::ApiError;
use crate::faults::ErrorKind;
use crate::settings::Settings;

#[derive(Debug, Default)]
struct Meter {
    window_starts: i64,
    requests: u32,
    in_flight: u32,
    peak: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Limits {
    meters: BTreeMap<String, Meter>,
}

impl Limits {
    /// One more request; the refusal says how long to wait.
    pub fn count(&mut self, who: &str, settings: &Settings, now_ms: i64) -> Result<(), ApiError> {
        let window_ms = i64::try_from(settings.window.as_millis()).unwrap_or(i64::MAX);
        let meter = self.meters.entry(who.to_owned()).or_default();
        if now_ms - meter.window_starts >= window_ms {
            meter.window_starts = now_ms;
            meter.requests = 0;
        }
        if meter.requests >= settings.requests_per_window {
            let left = meter.window_starts + window_ms - now_ms;
            let mut error = ApiError::of(ErrorKind::TooManyRequests);
            error.retry_after = Some((left / 1000 + 1).to_string());
            return Err(error);
        }
        meter.requests += 1;
        Ok(())
    }

    /// One more request under way; false where that is too many.
    pub fn enter(&mut self, who: &str, settings: &Settings) -> bool {
        let meter = self.meters.entry(who.to_owned()).or_default();
        if meter.in_flight >= settings.concurrent_requests {
            return false;
        }
        meter.in_flight += 1;
        meter.peak = meter.peak.max(meter.in_flight);
        true
    }

    pub fn leave(&mut self, who: &str) {
        if let Some(meter) = self.meters.get_mut(who) {
            meter.in_flight = meter.in_flight.saturating_sub(1);
        }
    }

    pub fn peak(&self, who: &str) -> u32 {
        self.meters.get(who).map_or(0, |meter| meter.peak)
    }
}
