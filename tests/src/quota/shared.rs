//! Background work and requests that somebody waits for, within one budget.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{Client, EMAIL, deliver};
use crate::{Call, GatewayOptions, GatewayProcess, Google, StoreKind};

/// What there is before, and what arrives at once: more than can be read in a minute.
const BEFORE: usize = 60;
const FLOOD: usize = 450;
const MINUTE_MS: i64 = 60_000;
/// Between two reads.
const PAUSE: Duration = Duration::from_millis(1_500);

/// How long reads take while a flood of mail is being read in the background, and what is spent a minute: the
/// fake enforces today's limit, and the gateway keeps the budget that it has by default.
///
/// # Errors
/// When something does not work, or the budget is not kept.
pub async fn shared(program: &Path) -> Result<String> {
    let google = Google::start(EMAIL).await?;
    deliver(&google.user, 0, BEFORE);
    let options = google.options(GatewayOptions::new(StoreKind::Sqlite), &json!({}));
    let gateway = GatewayProcess::start(program, options).await?;
    let api = google.connect(&gateway).await?;
    let mut client = Client::begin(&api).await?;
    let known = client.walk().await?;
    deliver(&google.user, BEFORE, FLOOD);
    let begun = Instant::now();
    let following = tokio::spawn(async move {
        let mut told = 0;
        while told < FLOOD {
            told += client.walk().await?.len();
            sleep(Duration::from_millis(300)).await;
        }
        anyhow::Ok(begun.elapsed())
    });
    let mut latencies = Vec::new();
    for id in known.iter().cycle() {
        if following.is_finished() {
            break;
        }
        let asked = Instant::now();
        let call = Call::get("/v1/email/messages/{messageId}/raw").with("messageId", id);
        let answer = api.call(call).await?;
        ensure!(answer.status == 200, "{}", answer.told());
        latencies.push(asked.elapsed());
        sleep(PAUSE).await;
    }
    let flooded = following.await??;
    latencies.sort_unstable();
    let median = latencies.get(latencies.len() / 2).context("a read")?;
    let worst = latencies.last().context("a read")?;
    let (most, refused) = spent(&google);
    let limit = 6_000;
    let mut text =
        format!("{FLOOD} new messages and a read every {PAUSE:?}, {limit} units a minute\n");
    let mut line = |what: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{what:46} {value:>8}");
    };
    line(
        "the flood was read within",
        format!("{:.0} s", flooded.as_secs_f64()),
    );
    line("reads meanwhile", latencies.len().to_string());
    line("a read took, median", format!("{} ms", median.as_millis()));
    line("a read took, at most", format!("{} ms", worst.as_millis()));
    line("most units in any 60 s", most.to_string());
    line("requests refused for the quota", refused.to_string());
    ensure!(most <= limit, "the budget is not kept:\n{text}");
    ensure!(refused == 0, "requests were refused:\n{text}");
    Ok(text)
}

/// The most units in any minute, and the requests that were too many.
fn spent(google: &Google) -> (u64, usize) {
    let requests = google.gmail.requests();
    let refused = requests
        .iter()
        .filter(|one| matches!(one.status, 403 | 429));
    let refused = refused.count();
    let mut most = 0;
    let mut within = 0;
    let mut first = 0;
    for last in &requests {
        within += u64::from(last.units);
        while requests[first].at_ms <= last.at_ms - MINUTE_MS {
            within -= u64::from(requests[first].units);
            first += 1;
        }
        most = most.max(within);
    }
    (most, refused)
}
