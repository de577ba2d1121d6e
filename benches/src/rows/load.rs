//! Row 8: requests a second, and the processor time of a first sync. Clients, gateway and mail server share the machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rand::SeedableRng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;

use crate::client::{Client, Next, Pages, page_path};
use crate::figure::{Figure, Report, told};
use crate::setting::Setting;
use crate::stores::Kind;

const CLIENTS: [usize; 3] = [1, 16, 64];
const MESSAGES: usize = 200;

pub async fn measure(setting: &mut Setting, report: &mut Report) -> Result<()> {
    let seconds = setting.options.seconds;
    let messages = setting.options.messages;
    for kind in Kind::BOTH {
        let synced = setting.synced(kind).await?;
        let what = format!(
            "processor time of a first sync of {messages}, {}",
            kind.name()
        );
        report.add(Figure::new(8, what, told(synced.processor)));
        let pages = Pages {
            limit: Some(MESSAGES),
            ..Pages::default()
        };
        let from = Next::Delta(synced.token.clone());
        let ids = synced.client.ids(&from, MESSAGES).await?;
        let (first, _) = synced.client.page(&from, pages).await?;
        let next = first.next_page_token.context("only one page")?;
        let one = |id: &String| format!("/v1/email/messages/{id}");
        let paths: [(&str, Vec<String>); 3] = [
            ("list of 50", vec!["/v1/email/messages?limit=50".to_owned()]),
            ("one message", ids.iter().map(one).collect()),
            ("page of 200", vec![page_path(&Next::Page(next), pages)]),
        ];
        for (name, paths) in paths {
            let paths = Arc::new(paths);
            for clients in CLIENTS {
                // Once before: a connection, caches and the code's own pages are not what is measured.
                load(&synced.client, &paths, clients, Duration::from_secs(1)).await?;
                let time = Duration::from_secs(seconds.max(1));
                let rate = load(&synced.client, &paths, clients, time).await?;
                let what = format!("{name}, {clients} clients, {}", kind.name());
                report.add(Figure::new(8, what, format!("{rate:.0} a second")));
            }
        }
    }
    Ok(())
}

/// Requests a second of so many clients, each on a connection of its own, one request after another.
async fn load(
    client: &Client,
    paths: &Arc<Vec<String>>,
    clients: usize,
    time: Duration,
) -> Result<f64> {
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for number in 0..clients {
        let (client, paths) = (client.another()?, Arc::clone(paths));
        tasks.spawn(async move {
            let mut random = ChaCha8Rng::seed_from_u64(number as u64);
            let mut done = 0_u32;
            while start.elapsed() < time {
                let path = paths.choose(&mut random).context("no paths")?;
                client.get(path).await?;
                done += 1;
            }
            anyhow::Ok(done)
        });
    }
    let mut done = 0;
    while let Some(one) = tasks.join_next().await {
        done += one??;
    }
    let took = start.elapsed();
    ensure!(done > 0, "no requests");
    Ok(f64::from(done) / took.as_secs_f64())
}
