//! Row 1: from a new account to a mailbox that is scanned to its end, every envelope committed.
//!
//! Twice. A server that nobody has asked before reads every message to answer, whoever asks; that is where an account is
//! new. And a server whose own index holds every answer: then nothing hides what the gateway itself takes.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::client::{Next, Pages};
use crate::figure::{Figure, Report, say, told};
use crate::raw::Raw;
use crate::samples::Samples;
use crate::setting::{REALISTIC, Setting, Synced};
use crate::stores::Kind;

const MOST: f64 = 2.5;

pub async fn measure(setting: &mut Setting, report: &mut Report) -> Result<()> {
    for is_asked_first in [true, false] {
        let state = if is_asked_first {
            "a server never asked before"
        } else {
            "a server that has it all in its index"
        };
        say(&format!("{state}:"));
        let (limits, times) = rounds(setting, is_asked_first).await?;
        let messages = setting.options.messages;
        for (kind, times) in Kind::BOTH.into_iter().zip(times) {
            let name = kind.name();
            let what = format!("account added to ready, {messages} messages, {name}, {state}");
            report.add(Figure::times(
                1,
                what,
                times.median(),
                limits.median(),
                MOST,
            ));
        }
    }
    Ok(())
}

async fn rounds(setting: &mut Setting, is_asked_first: bool) -> Result<(Samples, [Samples; 2])> {
    let port = setting.mailbox(REALISTIC).await?;
    let messages = setting.options.messages;
    let mut limits = Samples::default();
    let mut times = Kind::BOTH.map(|_| Samples::default());
    for _ in 0..setting.options.rounds.max(1) {
        if is_asked_first {
            setting.forget_index(REALISTIC).await?;
        }
        let start = Instant::now();
        let found = Raw::open(REALISTIC, port).await?.envelopes().await?;
        limits.add(start.elapsed());
        ensure!(found == messages, "{found} messages, not {messages}");
        say(&format!("fetched and dropped: {}", told(start.elapsed())));
        for (kind, times) in Kind::BOTH.into_iter().zip(&mut times) {
            if is_asked_first {
                setting.forget_index(REALISTIC).await?;
            }
            let mut synced = setting.sync(kind, &[]).await?;
            times.add(synced.took);
            say(&format!(
                "{}: {}, processor time {}",
                kind.name(),
                told(synced.took),
                told(synced.processor)
            ));
            check(&synced, messages).await?;
            if is_asked_first {
                synced.gateway.stop().await?;
            } else {
                setting.keep(kind, synced);
            }
        }
    }
    Ok((limits, times))
}

/// Every message is in the journal.
async fn check(synced: &Synced, messages: usize) -> Result<()> {
    let pages = Pages {
        limit: Some(500),
        ..Pages::default()
    };
    let from = Next::Delta(synced.token.clone());
    let (records, _) = synced.client.walk(from, pages).await?;
    ensure!(
        records == messages,
        "{records} messages in the journal, not {messages}"
    );
    Ok(())
}
