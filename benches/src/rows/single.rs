//! Row 5: one message, read from the server and from memory.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::client::Next;
use crate::figure::{Figure, Report, say, told};
use crate::raw::Raw;
use crate::samples::Samples;
use crate::setting::{REALISTIC, Setting};
use crate::stores::Kind;

/// What the gateway may add to the server's round trip.
const MORE: Duration = Duration::from_millis(5);
const MOST_CACHED_MILLIS: f64 = 3.0;

pub async fn measure(setting: &mut Setting, report: &mut Report) -> Result<()> {
    let port = setting.mailbox(REALISTIC).await?;
    let (samples, last) = (setting.options.samples, setting.options.messages);
    // A gateway that has read no contents yet.
    let synced = setting.sync(Kind::Sqlite, &[]).await?;
    let first = Next::Delta(synced.token.clone());
    let ids = synced.client.ids(&first, samples.clamp(1, 500)).await?;
    ensure!(!ids.is_empty(), "no messages");
    let mut raw = Raw::open(REALISTIC, port).await?;
    let (mut limits, mut uncached, mut cached) = <(Samples, Samples, Samples)>::default();
    // A walk's first records are the newest messages, and UIDs grow with time.
    for (index, id) in ids.iter().enumerate() {
        let uid = u32::try_from(last - index)?;
        limits.add(raw.message(uid).await?);
        uncached.add(synced.client.get(&path(id)).await?.took);
    }
    for id in &ids {
        cached.add(synced.client.get(&path(id)).await?.took);
    }
    say(&format!("uncached: {}", uncached.told()));
    say(&format!("cached: {}", cached.told()));
    say(&format!("UID FETCH of the same: {}", limits.told()));
    let more = uncached.median().saturating_sub(limits.median());
    report.add(Figure {
        limit: told(limits.median()),
        ratio: format!("+ {}", told(more)),
        at_most: format!("+ {}", told(MORE)),
        keeps: Some(more <= MORE),
        ..Figure::new(
            5,
            "one message, read for the first time",
            told(uncached.median()),
        )
    });
    let millis = cached.median().as_secs_f64() * 1_000.0;
    let what = "one message, read again";
    report.add(Figure::most(5, what, millis, MOST_CACHED_MILLIS, "ms"));
    Ok(())
}

fn path(id: &str) -> String {
    format!("/v1/email/messages/{id}")
}
