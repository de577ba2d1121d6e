//! Row 3: a delta call. The gateway reaches the server through a [`Meter`], which tells how long the server took for what
//! this very call asked it: the rest is the gateway's own time.
//!
//! Pushed hints are off. With them a change is read before anyone asks for it, and the call finds less to do.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use test_servers::RawImap;

use crate::client::{Client, Next, Pages};
use crate::figure::{Figure, Report, say, told};
use crate::gateway::Gateway;
use crate::meter::Meter;
use crate::samples::Samples;
use crate::setting::{self, LARGE, REALISTIC, Setting};
use crate::stores::Kind;

const MOST_MILLIS: f64 = 10.0;
/// By how much the two sizes may differ: by this share or this time.
const SHARE: f64 = 0.2;
const DIFFERENCE: Duration = Duration::from_millis(2);
/// Calls before the ones that count: they find a gateway that was busy with something else.
const WARM_UP: usize = 10;
/// A prime, so that the messages do not repeat.
const STRIDE: u32 = 7_919;

/// A mailbox and the gateway that follows it.
struct Followed {
    user: &'static str,
    gateway: Gateway,
    meter: Meter,
    client: Client,
    token: String,
    imap: RawImap,
    /// The greatest UID.
    last: u32,
    times: Times,
}

/// The gateway's own time of calls that find nothing, and of calls that find one flag changed; and the server's.
#[derive(Default)]
struct Times {
    nothing: Samples,
    flag: Samples,
    server: Samples,
}

pub async fn measure(setting: &mut Setting, report: &mut Report) -> Result<()> {
    let (samples, few, many) = (
        setting.options.samples,
        setting.options.messages,
        setting.options.large,
    );
    for kind in Kind::BOTH {
        let mut both = [
            follow(setting, kind, REALISTIC).await?,
            follow(setting, kind, LARGE).await?,
        ];
        setting::written();
        // In turns, so that whatever else the machine does meets both.
        for round in 0..samples + WARM_UP {
            for one in &mut both {
                one.round(kind, u32::try_from(round)?, round >= WARM_UP)
                    .await?;
            }
        }
        for one in &mut both {
            one.tell();
            one.gateway.stop().await?;
        }
        let [small, large] = both.map(|one| one.times);
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

async fn follow(setting: &mut Setting, kind: Kind, user: &'static str) -> Result<Followed> {
    let port = setting.mailbox(user).await?;
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
    let (records, token) = client.walk(Next::Delta(token), pages).await?;
    let mut imap = setting.imap(user).await?;
    imap.select("INBOX").await?;
    Ok(Followed {
        user,
        gateway,
        meter,
        client,
        token,
        imap,
        last: u32::try_from(records)?,
        times: Times::default(),
    })
}

impl Followed {
    /// A call that finds a flag changed, and one that finds nothing.
    async fn round(&mut self, kind: Kind, round: u32, counts: bool) -> Result<()> {
        // Another message each time, anywhere in the mailbox, and a keyword that it never had.
        let uid = 1 + round.wrapping_mul(STRIDE) % self.last;
        let keyword = kind.name();
        self.imap
            .command(&format!("UID STORE {uid} +FLAGS.SILENT ({keyword})"))
            .await?;
        let flag = self.call().await?;
        let nothing = self.call().await?;
        ensure!(
            nothing.records == 0,
            "{} records of nothing",
            nothing.records
        );
        ensure!(flag.records == 1, "{} records of a flag", flag.records);
        if counts {
            self.times.nothing.add(nothing.own);
            self.times.flag.add(flag.own);
            self.times.server.add(nothing.server);
        }
        Ok(())
    }

    async fn call(&mut self) -> Result<Called> {
        self.meter.clear();
        let (page, took) = self
            .client
            .page(&Next::Delta(self.token.clone()), Pages::default())
            .await?;
        let (server, asked) = self.meter.server_time();
        ensure!(asked > 0, "the server was not asked");
        self.token = page.next_delta_token.context("a delta of several pages")?;
        Ok(Called {
            records: page.length,
            own: took.saturating_sub(server),
            server,
        })
    }

    fn tell(&self) {
        for (what, samples) in [
            ("own time with nothing changed", &self.times.nothing),
            ("own time with one flag changed", &self.times.flag),
            ("the server's time with nothing changed", &self.times.server),
        ] {
            say(&format!("{}: {what}: {}", self.user, samples.told()));
        }
    }
}

struct Called {
    records: usize,
    own: Duration,
    server: Duration,
}
