//! Row 2: a client's first walk through everything, with bodies.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::client::{Next, Pages};
use crate::figure::{Figure, Report, say};
use crate::raw::Raw;
use crate::samples::Samples;
use crate::setting::{REALISTIC, Setting};
use crate::stores::Kind;

const MOST: f64 = 2.0;

pub async fn measure(setting: &mut Setting, report: &mut Report) -> Result<()> {
    let port = setting.mailbox(REALISTIC).await?;
    let (messages, rounds) = (setting.options.messages, setting.options.rounds.max(1));
    let synced = setting.synced(Kind::Sqlite).await?;
    // Once for nothing: the mail's files are in the machine's memory afterwards, for both.
    let (_, octets) = Raw::open(REALISTIC, port).await?.contents().await?;
    say(&format!("the mailbox holds {octets} octets"));
    let (mut limits, mut usual, mut long) = <(Samples, Samples, Samples)>::default();
    for _ in 0..rounds {
        let start = Instant::now();
        let (found, _) = Raw::open(REALISTIC, port).await?.contents().await?;
        limits.add(start.elapsed());
        ensure!(found == messages, "{found} messages, not {messages}");
        for (limit, times) in [(None, &mut usual), (Some(500), &mut long)] {
            let pages = Pages {
                body_type: Some("html"),
                limit,
            };
            let start = Instant::now();
            let from = Next::Delta(synced.token.clone());
            let (told, _) = synced.client.walk(from, pages).await?;
            times.add(start.elapsed());
            ensure!(told == messages, "{told} messages, not {messages}");
        }
    }
    for (name, times) in [("50 (the default)", usual), ("500", long)] {
        let what = format!("first walk with HTML bodies, pages of {name}");
        report.add(Figure::times(
            2,
            what,
            times.median(),
            limits.median(),
            MOST,
        ));
    }
    Ok(())
}
