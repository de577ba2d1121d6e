//! Row 1: from a new account to a mailbox that is scanned to its end, every envelope committed.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::client::{Next, Pages};
use crate::figure::{Figure, Report};
use crate::raw::Raw;
use crate::samples::Samples;
use crate::setting::{REALISTIC, Setting};
use crate::stores::Kind;

const MOST: f64 = 2.5;

pub async fn measure(setting: &mut Setting, report: &mut Report) -> Result<()> {
    let port = setting.mailbox(REALISTIC).await?;
    let messages = setting.options.messages;
    let mut limits = Samples::default();
    let mut times = Kind::BOTH.map(|_| Samples::default());
    for _ in 0..setting.options.rounds.max(1) {
        let start = Instant::now();
        let found = Raw::open(REALISTIC, port).await?.envelopes().await?;
        limits.add(start.elapsed());
        ensure!(found == messages, "{found} messages, not {messages}");
        for (kind, times) in Kind::BOTH.into_iter().zip(&mut times) {
            let synced = setting.sync(kind, &[]).await?;
            times.add(synced.took);
            let pages = Pages {
                limit: Some(500),
                ..Pages::default()
            };
            let from = Next::Delta(synced.token.clone());
            let (told, _) = synced.client.walk(from, pages).await?;
            ensure!(
                told == messages,
                "{told} messages in the journal, not {messages}"
            );
            setting.keep(kind, synced);
        }
    }
    for (kind, times) in Kind::BOTH.into_iter().zip(times) {
        let what = format!(
            "account added to ready, {messages} messages, {}",
            kind.name()
        );
        report.add(Figure::times(
            1,
            what,
            times.median(),
            limits.median(),
            MOST,
        ));
    }
    Ok(())
}
