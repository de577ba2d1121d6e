//! Row 9: messages a second into an SMTP server, beside lettre alone with as many connections.
//!
//! Twice: through Postfix, which writes each message to disk before it says that it has it, and into a server that keeps
//! nothing, so that only the sender's own cost is left. And the copy in the folder of sent messages apart.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use serde_json::json;
use test_servers::{Dovecot, DovecotOptions, Postfix, PostfixOptions, small_corpus};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::figure::{Figure, Report, say};
use crate::gateway::Gateway;
use crate::lettre_alone;
use crate::setting::{self, Setting};
use crate::sink::Sink;

const CLIENTS: usize = 4;
/// What the gateway opens to one account's sending server at most.
const CONNECTIONS: usize = 2;
const RECIPIENT: &str = "somebody@else.test";
/// Who sends with lettre alone.
const ALONE: &str = "alice@test.local";
const WITH_IDS: &str = "/v1/email/messages?returnIds=true";
const WITHOUT_IDS: &str = "/v1/email/messages";
const SEED: u64 = 9;

/// One of the ways in which a client sends, on an account of its own.
struct Way {
    what: &'static str,
    path: &'static str,
    client: Client,
    rates: Vec<f64>,
}

pub async fn measure(setting: &mut Setting, report: &mut Report) -> Result<()> {
    let mut dovecot = Dovecot::start(DovecotOptions::default()).await?;
    let mut postfix = Postfix::start(PostfixOptions::default()).await?;
    let sink = Sink::start().await?;
    let mut gateway = Gateway::start(None, &[]).await?;
    let mut users = dovecot.users().to_vec();
    users.retain(|user| user.starts_with('u'));

    let imap = dovecot.imap_port();
    // The one that keeps nothing first: it tells what message the gateway makes of this.
    let servers = [("no disk", sink.port()), ("Postfix", postfix.plain_port())];
    for (name, smtp) in servers {
        let mut ways = Vec::new();
        for (what, path, copies, sent) in [
            ("ids returned", WITH_IDS, true, 0),
            ("no ids returned", WITHOUT_IDS, true, 0),
            ("no copies kept", WITHOUT_IDS, false, 0),
            (
                "ids returned, many sent before",
                WITH_IDS,
                true,
                setting.options.messages,
            ),
        ] {
            let user = users.pop().unwrap_or_default();
            if sent > 0 {
                let mails = small_corpus(SEED, sent);
                dovecot.bulk_append(&user, "Sent", mails).await?;
            }
            let client = gateway.connect_to_send(&user, imap, smtp, copies).await?;
            ways.push(Way {
                what,
                path,
                client,
                rates: Vec::new(),
            });
        }
        let measured = measure_server(setting, report, &gateway, &sink, (name, smtp), ways).await;
        measured.with_context(|| postfix.log_tail())?;
    }
    gateway.stop().await?;
    postfix.stop().await?;
    dovecot.stop().await
}

async fn measure_server(
    setting: &Setting,
    report: &mut Report,
    gateway: &Gateway,
    sink: &Sink,
    (server, port): (&str, u16),
    mut ways: Vec<Way>,
) -> Result<()> {
    let time = Duration::from_secs(setting.options.seconds.max(1));
    let mail = mail();
    // Once before: connections, sign-ins and caches are not what is measured.
    for way in &ways {
        load(way, &mail, Duration::from_secs(1)).await?;
    }
    // The same message for lettre, as the gateway has written it.
    let message = sink.last();
    ensure!(!message.is_empty(), "no message to send with lettre");
    say(&format!("{server}: messages of {} octets", message.len()));
    let mut limits = Vec::new();
    for _ in 0..setting.options.rounds.max(1) {
        setting::written();
        let alone = lettre_alone::rate(port, ALONE, RECIPIENT, &message, CONNECTIONS, time);
        limits.push(alone.await?);
        for way in &mut ways {
            setting::written();
            let before = gateway.processor_time()?;
            let (sent, rate) = load(way, &mail, time).await?;
            let each = (gateway.processor_time()? - before) / sent;
            say(&format!(
                "{server}, {}: {rate:.0} a second, {:.2} ms of processor time each",
                way.what,
                each.as_secs_f64() * 1_000.0
            ));
            way.rates.push(rate);
        }
    }
    let limit = median(&mut limits);
    for mut way in ways {
        let rate = median(&mut way.rates);
        let what = format!("sent by {CLIENTS} clients, {}, {server}", way.what);
        report.add(Figure {
            limit: format!("{limit:.0} a second"),
            ratio: format!("{:.2} x", rate / limit),
            ..Figure::new(9, what, format!("{rate:.0} a second"))
        });
    }
    Ok(())
}

/// How many messages the clients sent, and how many a second.
async fn load(way: &Way, mail: &Bytes, time: Duration) -> Result<(u32, f64)> {
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for _ in 0..CLIENTS {
        let (client, mail, path) = (way.client.another()?, mail.clone(), way.path);
        tasks.spawn(async move {
            let mut done = 0_u32;
            while start.elapsed() < time {
                let length = mail.len() as u64;
                client
                    .post(path, "application/json", length, mail.clone())
                    .await?;
                done += 1;
            }
            anyhow::Ok(done)
        });
    }
    let mut done = 0;
    while let Some(one) = tasks.join_next().await {
        done += one??;
    }
    ensure!(done > 0, "nothing was sent");
    Ok((done, f64::from(done) / start.elapsed().as_secs_f64()))
}

fn mail() -> Bytes {
    let text =
        "<p>A line of a letter that says little, but says it in <b>two</b> ways.</p>\n".repeat(12);
    json!({
        "to": [{"name": "Somebody Else", "address": RECIPIENT}],
        "subject": "A letter like many",
        "body": text,
    })
    .to_string()
    .into()
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}
