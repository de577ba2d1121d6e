//! A client that wants a message sent: it repeats what it asked for as long as that may help, with the same key.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::{Api, Call, Failure};

/// How long it goes on.
const PATIENCE: Duration = Duration::from_secs(45);
/// How often it repeats what failed.
const REPEATS: usize = 3;
/// How often it repeats what is not known.
const UNKNOWN: usize = 2;
/// Between two calls at most.
const LONGEST_WAIT: Duration = Duration::from_millis(700);

/// How it ended for the client.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The message went out.
    Sent(Value),
    /// It did not.
    Refused(String),
    /// `send.unconfirmed`.
    Unconfirmed,
}

/// Asks until there is an answer to live with.
///
/// # Errors
/// When an answer breaks the contract, or none comes in time.
pub async fn talk(api: &Api, call: &Call) -> Result<Ending> {
    let start = Instant::now();
    let (mut failures, mut unknown) = (0, 0);
    let mut heard = String::new();
    let mut is_refused = false;
    while start.elapsed() < PATIENCE {
        let answer = match api.call(call.clone()).await {
            Ok(answer) => answer,
            Err(Failure::NoAnswer(why)) => {
                heard = why;
                is_refused = false;
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            Err(violation) => bail!("{violation}"),
        };
        heard = answer.told();
        is_refused = matches!(answer.status, 408 | 429 | 502 | 503);
        let asked = answer.retry_after().unwrap_or(Duration::from_millis(200));
        let mut wait = asked.min(LONGEST_WAIT);
        match (answer.status, answer.code()) {
            (200 | 201, _) if answer.json["status"] == "Ok" => {
                return Ok(Ending::Sent(answer.json));
            }
            (200, _) if answer.json["status"] == "Scheduled" => wait = Duration::from_millis(200),
            (200 | 201, _) => bail!("an answer of no sense: {heard}"),
            (409, _) => {}
            (_, "send.unconfirmed") if unknown < UNKNOWN => unknown += 1,
            (_, "send.unconfirmed") => return Ok(Ending::Unconfirmed),
            (408 | 429 | 502 | 503, _) if failures < REPEATS => failures += 1,
            _ => return Ok(Ending::Refused(heard)),
        }
        tokio::time::sleep(wait).await;
    }
    // Each answer may take long where the server puts everybody off.
    if is_refused {
        return Ok(Ending::Refused(heard));
    }
    bail!("no end after {PATIENCE:?}; the last answer: {heard}")
}
