//! Random sends by every backend and on both stores.
//!
//! `POLYPOST_SENDING_RUNS` is how many there are of each backend and store (12), `POLYPOST_SENDING_FIRST` the seed of the first
//! (1), `POLYPOST_SENDING_SEED` the one to repeat, `POLYPOST_SENDING_PARALLEL` how many gateways there are at once (8),
//! `POLYPOST_SENDING_VERBOSE` whether each run is told.

use std::io::Write;
use std::time::Instant;

use futures::StreamExt;
use polypost_tests::StoreKind;
use polypost_tests::sending::{Lane, Plan, Way};
use tokio::sync::Semaphore;

use crate::{program, run};

/// Runs that share a gateway and its servers at most.
const BLOCK: usize = 12;
/// Gateways of one test at least, where there are runs for them.
const GATEWAYS: usize = 4;

/// Gateways at once, of all tests together.
static TURNS: Semaphore = Semaphore::const_new(0);

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

fn open_turns() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let parallel = number("POLYPOST_SENDING_PARALLEL").unwrap_or(8);
        TURNS.add_permits(usize::try_from(parallel).expect("a small number"));
    });
}

fn tell(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error");
}

fn seeds() -> Vec<u64> {
    if let Some(seed) = number("POLYPOST_SENDING_SEED") {
        return vec![seed];
    }
    let first = number("POLYPOST_SENDING_FIRST").unwrap_or(1);
    let runs = number("POLYPOST_SENDING_RUNS").unwrap_or(12);
    (first..first + runs).collect()
}

/// Plays seeds one after the other; those that failed.
async fn play(way: Way, store: StoreKind, seeds: Vec<u64>) -> Vec<String> {
    let _turn = TURNS.acquire().await.expect("never closed");
    let verbose = std::env::var_os("POLYPOST_SENDING_VERBOSE").is_some();
    let mut failed = Vec::new();
    let mut lane = None;
    for seed in seeds {
        let plan = Plan::draw(seed, way);
        let start = Instant::now();
        let played = async {
            if lane.is_none() {
                lane = Some(Lane::start(program(), way, store).await?);
            }
            match &mut lane {
                Some(lane) => lane.play(plan).await,
                None => Ok(()),
            }
        };
        let played = played.await;
        let taken = start.elapsed().as_secs_f64();
        match played {
            Ok(()) if verbose => tell(&format!("{store:?} {plan}: well, {taken:.1} s")),
            Ok(()) => {}
            Err(error) => {
                let log = lane.take().map(|lane| lane.log_tail()).unwrap_or_default();
                tell(&format!(
                    "FAILED after {taken:.1} s: {store:?} {plan}\n{error:#}\n\
                     POLYPOST_SENDING_SEED={seed} repeats it; the gateway's log ends:\n{log}\n"
                ));
                failed.push(format!("{store:?} {plan}"));
            }
        }
    }
    if let Some(lane) = lane
        && let Err(error) = lane.end().await
    {
        tell(&format!("FAILED: {store:?} {way:?}: {error:#}"));
        failed.push(format!("{store:?} {way:?}: {error:#}"));
    }
    failed
}

fn plays(way: Way, store: StoreKind) {
    run(async move {
        open_turns();
        let seeds = seeds();
        let start = Instant::now();
        let block = (seeds.len() / GATEWAYS).clamp(1, BLOCK);
        let blocks = seeds
            .chunks(block)
            .map(|block| play(way, store, block.to_vec()));
        let failed: Vec<Vec<String>> = futures::stream::iter(blocks.collect::<Vec<_>>())
            .buffer_unordered(64)
            .collect()
            .await;
        let failed = failed.concat();
        let taken = start.elapsed().as_secs();
        tell(&format!(
            "{way:?} on {store:?}: {} sends in {taken} s",
            seeds.len()
        ));
        assert!(
            failed.is_empty(),
            "{} went wrong, each told above:\n{}",
            failed.len(),
            failed.join("\n")
        );
    });
}

#[test]
fn every_send_by_smtp_on_sqlite_happens_once_or_not_at_all() {
    plays(Way::Smtp, StoreKind::Sqlite);
}

#[test]
fn every_send_by_smtp_on_postgres_happens_once_or_not_at_all() {
    plays(Way::Smtp, StoreKind::Postgres);
}

#[test]
fn every_send_by_gmail_on_sqlite_happens_once_or_not_at_all() {
    plays(Way::Gmail, StoreKind::Sqlite);
}

#[test]
fn every_send_by_gmail_on_postgres_happens_once_or_not_at_all() {
    plays(Way::Gmail, StoreKind::Postgres);
}

#[test]
fn every_send_by_graph_on_sqlite_happens_once_or_not_at_all() {
    plays(Way::Graph, StoreKind::Sqlite);
}

#[test]
fn every_send_by_graph_on_postgres_happens_once_or_not_at_all() {
    plays(Way::Graph, StoreKind::Postgres);
}
