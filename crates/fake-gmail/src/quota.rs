//! Quota units by the minute.

use std::collections::BTreeMap;

use crate::error::ApiError;
use crate::faults::ErrorKind;
use crate::settings::{QuotaAnswer, Settings};

const MINUTE_MS: i64 = 60_000;

/// Units spent in a minute, and ever.
#[derive(Debug, Default)]
struct Meter {
    minute_starts: i64,
    this_minute: u32,
    total: u64,
}

impl Meter {
    fn room(&mut self, units: u32, limit: u32, now_ms: i64) -> bool {
        if now_ms - self.minute_starts >= MINUTE_MS {
            self.minute_starts = now_ms;
            self.this_minute = 0;
        }
        self.this_minute.saturating_add(units) <= limit
    }

    fn spend(&mut self, units: u32) {
        self.this_minute += units;
        self.total += u64::from(units);
    }
}

#[derive(Debug, Default)]
pub(crate) struct Quota {
    users: BTreeMap<String, Meter>,
    project: Meter,
    in_flight: BTreeMap<String, (u32, u32)>,
}

impl Quota {
    /// Spends units, or says that there are none left in this minute.
    pub fn spend(
        &mut self,
        user: &str,
        units: u32,
        settings: &Settings,
        now_ms: i64,
    ) -> Result<(), ApiError> {
        let meter = self.users.entry(user.to_owned()).or_default();
        let modern = settings.quota_answer == QuotaAnswer::TooManyRequests;
        let refusal = if !meter.room(units, settings.units_per_user, now_ms) {
            Some(ErrorKind::UserRateLimit)
        } else if !self.project.room(units, settings.units_per_project, now_ms) {
            Some(ErrorKind::RateLimit)
        } else {
            None
        };
        match refusal {
            Some(_) if modern => Err(ErrorKind::TooManyRequests.error(None)),
            Some(kind) => Err(kind.error(None)),
            None => {
                meter.spend(units);
                self.project.spend(units);
                Ok(())
            }
        }
    }

    pub fn user_total(&self, user: &str) -> u64 {
        self.users.get(user).map_or(0, |meter| meter.total)
    }

    pub fn project_total(&self) -> u64 {
        self.project.total
    }

    /// One more request of the user under way; false where that is too many.
    pub fn enter(&mut self, user: &str, limit: Option<u32>) -> bool {
        let (now, peak) = self.in_flight.entry(user.to_owned()).or_default();
        if limit.is_some_and(|limit| *now >= limit) {
            return false;
        }
        *now += 1;
        *peak = (*peak).max(*now);
        true
    }

    pub fn leave(&mut self, user: &str) {
        if let Some((now, _)) = self.in_flight.get_mut(user) {
            *now = now.saturating_sub(1);
        }
    }

    pub fn peak(&self, user: &str) -> u32 {
        self.in_flight.get(user).map_or(0, |(_, peak)| *peak)
    }
}
