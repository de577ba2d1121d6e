//! Row 3: a delta call. The gateway reaches the server through a [`Meter`], which tells how long the server took for what
//! this very call asked it: the rest is the gateway's own time.
//!
//! Pushed hints are off. With them a change is read before anyone asks for it, and the call finds less to do.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::client::{Client, Next, Pages};
use crate::figure::{Figure, Report, say, told};
use crate::gateway::Gateway;
use crate::meter::Meter;
use crate::samples::Samples;
use crate::setting::{LARGE, REALISTIC, Setting};
use crate::stores::Kind;

const MOST_MILLIS: f64 = 10.0;
/// By how much the two sizes may differ: by this share or this time.
const SHARE: f64 = 0.2;
const DIFFERENCE: Duration = Duration::from_millis(2);
/// Calls before the ones that count: they find a gateway that was busy with something else.
const WARM_UP: usize = 10;
/// A prime, so that the messages do not repeat.
const STRIDE: u32 = 7_919;

/// The gateway's own time of calls that find nothing, and of calls that find one flag changed.
struct Own {
    nothing: Samples,
    flag: Samples,
}

pub async fn measure(setting: &mut Setting, report: &mut Report) -> Result<()> {
    for kind in Kind::BOTH {
        let small = own_time(setting, kind, REALISTIC).await?;
        let large = own_time(setting, kind, LARGE).await?;
        let (few, many) = (setting.options.messages, setting.options.large);
        for (what, small, large) in [
            ("nothing changed", small.nothing, large.nothing),
            ("one flag changed", small.flag, large.flag),
        ] {
            for (count, samples) in [(few, &small), (many, &large)] {
                let what = format!(
                    "delta call, {what}, {count} messages, {}: our own time",
                    kind.name()
                );
                let millis = samples.median().as_secs_f64() * 1_000.0;
                report.add(Figure::most(3, what, millis, MOST_MILLIS, "ms"));
            }
            report.add(compared(kind, what, small.median(), large.median()));
        }
    }
    Ok(())
}

fn compared(kind: Kind, what: &str, small: Duration, large: Duration) -> Figure {
    let ratio = large.as_secs_f64() / small.as_secs_f64();
    let what = format!("the same, {what}, {}: large beside small", kind.name());
    Figure {
        limit: told(small),
        ratio: format!("{ratio:.2} x"),
        at_most: format!("{} x or + {}", 1.0 + SHARE, told(DIFFERENCE)),
        keeps: Some((ratio - 1.0).abs() <= SHARE || small.abs_diff(large) <= DIFFERENCE),
        ..Figure::new(3, what, told(large))
    }
}

async fn own_time(setting: &mut Setting, kind: Kind, user: &'static str) -> Result<Own> {
    let (samples, port) = (setting.options.samples, setting.mailbox(user).await?);
    let database = setting.database(kind).await?;
    let meter = Meter::start(port).await?;
    let gateway = Gateway::start(database, &[("POLYPOST_SYNC__PUSH", "false")]).await?;
    let (_, client) = gateway.connect(user, meter.port()).await?;
    let start = std::time::Instant::now();
    let token = client.sync_to_the_end().await?;
    say(&format!(
        "{user} is scanned on {} after {}",
        kind.name(),
        told(start.elapsed())
    ));
    let pages = Pages {
        limit: Some(500),
        ..Pages::default()
    };
    let (records, mut token) = client.walk(Next::Delta(token), pages).await?;

    let mut imap = setting.imap(user).await?;
    imap.select("INBOX").await?;
    let last = u32::try_from(records)?;
    let mut own = Own {
        nothing: Samples::default(),
        flag: Samples::default(),
    };
    let mut server = Samples::default();
    for round in 0..u32::try_from(samples + WARM_UP)? {
        // Another message each time, anywhere in the mailbox, and a keyword that it never had.
        let uid = 1 + round.wrapping_mul(STRIDE) % last;
        let keyword = kind.name();
        imap.command(&format!("UID STORE {uid} +FLAGS.SILENT ({keyword})"))
            .await?;
        let flag = call(&client, &meter, &mut token).await?;
        let nothing = call(&client, &meter, &mut token).await?;
        ensure!(
            nothing.records == 0,
            "{} records of nothing",
            nothing.records
        );
        ensure!(flag.records == 1, "{} records of a flag", flag.records);
        if round as usize >= WARM_UP {
            own.nothing.add(nothing.own);
            own.flag.add(flag.own);
            server.add(nothing.server);
        }
    }
    say(&format!(
        "own time with nothing changed: {}",
        own.nothing.told()
    ));
    say(&format!(
        "own time with one flag changed: {}",
        own.flag.told()
    ));
    say(&format!(
        "the server's time with nothing changed: {}",
        server.told()
    ));
    Ok(own)
}

struct Called {
    records: usize,
    own: Duration,
    server: Duration,
}

async fn call(client: &Client, meter: &Meter, token: &mut String) -> Result<Called> {
    meter.clear();
    let (page, took) = client
        .page(&Next::Delta(token.clone()), Pages::default())
        .await?;
    let (server, asked) = meter.server_time();
    ensure!(asked > 0, "the server was not asked");
    *token = page.next_delta_token.context("a delta of several pages")?;
    Ok(Called {
        records: page.length,
        own: took.saturating_sub(server),
        server,
    })
}
