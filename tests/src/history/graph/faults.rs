//! Faults of the API and of the server of its tokens.

use std::time::Duration;

use anyhow::Result;
use fake_graph::{ErrorFault, ErrorKind, Expiry, Faults, Lag, When};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::GraphWorld;

/// Odd answers that are all the same right, in the whole of a history: what the vendor's clients must live with on any
/// day.
pub(super) fn usual(rng: &mut ChaCha8Rng) -> Faults {
    let mut chance = |most: f64| match rng.random_bool(0.7) {
        true => When::Chance(rng.random_range(0.0..most)),
        false => When::Never,
    };
    Faults {
        duplicates: chance(0.5),
        replays: chance(0.5),
        partial_items: chance(1.0),
        unreported_arrivals: chance(1.0),
        lost_returns: chance(1.0),
        empty_pages: chance(0.5),
        partial_folders: chance(0.5),
        missed_notifications: chance(0.5),
        duplicated_notifications: chance(0.5),
        folder_noise: rng.random_bool(0.5),
        shuffled_batches: rng.random_bool(0.5),
        expiry: any_expiry(rng),
        ..Faults::default()
    }
}

fn any_expiry(rng: &mut ChaCha8Rng) -> Expiry {
    let all = [
        Expiry::Gone,
        Expiry::ResyncRequired,
        Expiry::SyncStateNotFound,
        Expiry::SyncStateInvalid,
        Expiry::NotFound,
    ];
    all.choose(rng).copied().unwrap_or_default()
}

impl GraphWorld {
    /// One of them, or something that happens to the gateway.
    pub(super) async fn break_something(&mut self) -> Result<()> {
        match self.rng.random_range(0..100) {
            0..50 => self.trouble_the_api(),
            50..57 => {
                let usual = self.side.usual.clone();
                self.side.microsoft.graph.set_faults(usual);
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
        self.side.microsoft.graph.set_faults(faults);
        self.tell(format!("the API: {}", told.join("; ")));
    }

    /// Tokens end, and the server that refreshes them does not work.
    fn trouble_the_tokens(&mut self) {
        if !self.expire_tokens() {
            return;
        }
        let kind = self.rng.random_range(0..5);
        let milliseconds = self.rng.random_range(1..1_500);
        self.side.microsoft.oauth.set(|settings| {
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

fn trouble(faults: &mut Faults, rng: &mut ChaCha8Rng) -> String {
    let chance = rng.random_range(0.02..0.4);
    let often = When::Chance(chance);
    let name = match rng.random_range(0..14) {
        0..3 => return error(faults, rng),
        3 => {
            faults.expired_deltas = often;
            faults.expiry = any_expiry(rng);
            return format!("deltas expire {chance:.2}, {:?}", faults.expiry);
        }
        4 => {
            faults.expired_walks = often;
            faults.expiry = any_expiry(rng);
            return format!("walks expire {chance:.2}, {:?}", faults.expiry);
        }
        // What is not found three times in a row is believed to be gone.
        5 => {
            faults.missing_messages = When::Chance(rng.random_range(0.0..0.05));
            "messages are missing"
        }
        6 => {
            faults.lag = Lag {
                changes: rng.random_range(0..4),
                time: Duration::from_millis(rng.random_range(0..800)),
            };
            return format!("{:?}", faults.lag);
        }
        7 => {
            faults.truncated_bodies = often;
            "truncated bodies"
        }
        8 => {
            faults.cut_connections = often;
            "cut connections"
        }
        9 => {
            faults.dropped_requests = often;
            "dropped requests"
        }
        10 => {
            faults.stalls = often;
            let time = Duration::from_millis(rng.random_range(50..2_000));
            faults.stall_for = Some(time);
            return format!("stalls {chance:.2} of {time:?}");
        }
        11 => {
            faults.failures_after_effect = often;
            "failures after the effect"
        }
        12 => {
            faults.throttled_parts = often;
            let waits = [None, Some("0"), Some("1"), Some("nonsense")];
            let wait = waits.choose(rng).copied().flatten();
            faults.part_retry_after = wait.map(str::to_owned);
            return format!("throttled parts {chance:.2}, Retry-After {wait:?}");
        }
        _ => {
            faults.slow_pages = Some(rng.random_range(1..20));
            faults.delay = Duration::from_millis(rng.random_range(0..30));
            return format!(
                "504 beyond {:?}, delay {:?}",
                faults.slow_pages, faults.delay
            );
        }
    };
    format!("{name} {chance:.2}")
}

/// An error that requests get now and then, alone or in batches, with some wait or none.
fn error(faults: &mut Faults, rng: &mut ChaCha8Rng) -> String {
    let kinds = [
        ErrorKind::TooManyRequests,
        ErrorKind::MailboxConcurrency,
        ErrorKind::HtmlPage,
        ErrorKind::Internal,
        ErrorKind::BadGateway,
        ErrorKind::Unavailable,
        ErrorKind::MailboxMove,
        ErrorKind::Timeout,
    ];
    let kind = kinds.choose(rng).copied().unwrap_or(ErrorKind::Internal);
    let chance = rng.random_range(0.02..0.7);
    let mut error = ErrorFault::when(kind, When::Chance(chance));
    match rng.random_range(0..6) {
        0 => error = error.retry_after("0"),
        1 => error = error.retry_after("1"),
        2 => error = error.retry_after("Fri, 01 Jan 2021 00:00:00 GMT"),
        3 => error = error.retry_after("nonsense"),
        _ => {}
    }
    let told = format!("{kind:?} {chance:.2}, Retry-After {:?}", error.retry_after);
    faults.errors.push(error);
    told
}
