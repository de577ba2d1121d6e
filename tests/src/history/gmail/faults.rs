//! Faults of the API and of the server of its tokens.

use std::time::Duration;

use anyhow::Result;
use chrono::TimeDelta;
use fake_gmail::{ErrorFault, ErrorKind, Faults, HistoryExpired, Lag, LagReaders};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::GmailWorld;
use crate::now;

/// Odd answers that are all the same right, in the whole of a history.
pub(super) fn usual(rng: &mut ChaCha8Rng) -> Faults {
    Faults {
        empty_pages: rng.random_range(0.0..0.5),
        duplicated_history: rng.random_range(0.0..0.5),
        unpadded_base64: rng.random_bool(0.5),
        shuffled_batches: rng.random_bool(0.5),
        frozen_walks: rng.random_bool(0.5),
        ..Faults::default()
    }
}

impl GmailWorld {
    /// One of them, or something that happens to the gateway.
    pub(super) async fn break_something(&mut self) -> Result<()> {
        match self.rng.random_range(0..100) {
            0..50 => self.trouble_the_api(),
            50..57 => {
                self.side.google.gmail.set_faults(self.side.usual.clone());
                self.tell("the API works again");
            }
            57..65 => self.trouble_the_tokens(),
            65..83 => self.kill_gateway().await?,
            83..92 => self.back_up().await?,
            _ => self.restore().await?,
        }
        Ok(())
    }

    /// One to three kinds of trouble, until the API works again.
    fn trouble_the_api(&mut self) {
        let mut faults = self.side.usual.clone();
        let mut told = Vec::new();
        for _ in 0..self.rng.random_range(1..=3) {
            told.push(trouble(&mut faults, &mut self.rng));
        }
        self.side.google.gmail.set_faults(faults);
        self.tell(format!("the API: {}", told.join("; ")));
    }

    /// Tokens end, and the server that refreshes them does not work.
    fn trouble_the_tokens(&mut self) {
        if !self.expire_tokens() {
            return;
        }
        let kind = self.rng.random_range(0..5);
        let milliseconds = self.rng.random_range(1..1_500);
        self.side.google.oauth.set(|settings| {
            *settings = Default::default();
            match kind {
                0 => settings.fail_with = Some(503),
                1 => settings.fail_with = Some(500),
                2 => settings.broken_json = true,
                3 => settings.lose_answers = true,
                _ => settings.delay = Duration::from_millis(milliseconds),
            }
        });
        self.tell(format!("trouble {kind} with other tokens"));
    }
}

/// Adds a kind of trouble and tells of it.
fn trouble(faults: &mut Faults, rng: &mut ChaCha8Rng) -> String {
    let often = rng.random_range(0.02..0.4);
    match rng.random_range(0..13) {
        0..3 => return error(faults, rng),
        3 => faults.history_expired = HistoryExpired::AtStart,
        4 => {
            faults.history_expired = HistoryExpired::MidWalk;
            faults.empty_pages = faults.empty_pages.max(0.3);
            return "the history expires in the middle of walks".to_owned();
        }
        // What is not found three times in a row is believed to be gone.
        5 => faults.missing_messages = rng.random_range(0.0..0.05),
        6 => {
            let readers = [LagReaders::All, LagReaders::History, LagReaders::Lists];
            faults.lag = Lag {
                changes: rng.random_range(0..4),
                time: Duration::from_millis(rng.random_range(0..800)),
                readers: readers.choose(rng).copied().unwrap_or_default(),
            };
            return format!("{:?}", faults.lag);
        }
        7 => faults.truncated_bodies = often,
        8 => faults.cut_connections = often,
        9 => faults.dropped_requests = often,
        10 => {
            faults.stalls = often;
            let time = Duration::from_millis(rng.random_range(50..2_000));
            faults.stall_for = Some(time);
            return format!("stalls {often:.2} of {time:?}");
        }
        11 => faults.failures_after_effect = often,
        _ => {
            faults.expired_page_tokens = often;
            faults.empty_pages = faults.empty_pages.max(0.3);
            faults.delay = Duration::from_millis(rng.random_range(0..30));
        }
    }
    let usual = format!("{:?}", Faults::default());
    let changed = format!("{faults:?}");
    let differences = changed.split(", ").zip(usual.split(", "));
    let told: Vec<&str> = differences
        .filter(|(now, before)| now != before)
        .map(|(now, _)| now)
        .collect();
    told.join(", ")
}

/// An error that requests get now and then, with one of the waits that this vendor asks for, or none.
fn error(faults: &mut Faults, rng: &mut ChaCha8Rng) -> String {
    let kinds = [
        ErrorKind::TooManyRequests,
        ErrorKind::TooManyConcurrent,
        ErrorKind::RateLimit,
        ErrorKind::UserRateLimit,
        ErrorKind::Internal,
        ErrorKind::Unavailable,
    ];
    let kind = kinds.choose(rng).copied().unwrap_or(ErrorKind::Internal);
    let mut error = ErrorFault {
        probability: rng.random_range(0.02..0.7),
        ..ErrorFault::always(kind)
    };
    match rng.random_range(0..7) {
        0 => error = error.retry_after("0"),
        1 => error = error.retry_after("1"),
        2 => error = error.retry_after("Fri, 01 Jan 2021 00:00:00 GMT"),
        3 => error = error.retry_after("nonsense"),
        4 => {
            let later = now() + TimeDelta::milliseconds(700);
            let later = later.format("%Y-%m-%dT%H:%M:%S%.3fZ");
            error = error.message(&format!("User-rate limit exceeded.  Retry after {later}"));
        }
        _ => {}
    }
    let told = format!(
        "{kind:?} {:.2}, Retry-After {:?}, {:?}",
        error.probability, error.retry_after, error.message
    );
    faults.errors.push(error);
    told
}
