//! A client that knows only the change feed holds what the mailbox holds, after any history.
//!
//! `POLYPOST_MIRROR_SEEDS` is how many histories there are of each server and store (20), `POLYPOST_MIRROR_SEED` the one
//! to repeat, `POLYPOST_MIRROR_PARALLEL` how many happen at once (4), `POLYPOST_MIRROR_VERBOSE` whether each one that went
//! well is told as well.

use std::io::Write;
use std::path::PathBuf;

use futures::StreamExt;
use polypost_tests::StoreKind;
use polypost_tests::history::{Course, History, ServerKind};
use test_servers::Dialect;
use tokio::sync::Semaphore;

const DIALECTS: [Dialect; 3] = [Dialect::Qresync, Dialect::CondstoreOnly, Dialect::Plain];

/// Histories of all tests together that happen at once: each one has a mail server and a gateway of its own.
static TURNS: Semaphore = Semaphore::const_new(0);

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

fn open_turns() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let parallel = number("POLYPOST_MIRROR_PARALLEL").unwrap_or(4);
        TURNS.add_permits(usize::try_from(parallel).expect("a small number"));
    });
}

fn tell(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error");
}

/// Lets histories happen and fails with all that went wrong.
async fn histories(histories: Vec<History>) {
    open_turns();
    let verbose = std::env::var_os("POLYPOST_MIRROR_VERBOSE").is_some();
    let seeds: Vec<String> = histories.iter().map(|one| one.seed.to_string()).collect();
    if let Some(first) = histories.first() {
        tell(&format!("{first}: the seeds {}", seeds.join(" ")));
    }
    let happening = histories.into_iter().map(|history| async move {
        let _turn = TURNS.acquire().await.expect("never closed");
        let ended = history.run().await;
        match &ended {
            Ok(summary) if verbose => tell(&format!("{history}: well, {summary}")),
            Ok(_) => {}
            Err(error) => tell(&format!("FAILED: {error:#}\n")),
        }
        ended.is_err().then(|| history.to_string())
    });
    let failed: Vec<String> = futures::stream::iter(happening)
        .buffer_unordered(64)
        .filter_map(async |failed| failed)
        .collect()
        .await;
    assert!(
        failed.is_empty(),
        "{} went wrong, each told above:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

fn seeds() -> Vec<u64> {
    match number("POLYPOST_MIRROR_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("POLYPOST_MIRROR_SEEDS").unwrap_or(20)).collect(),
    }
}

fn history(seed: u64, server: ServerKind, store: StoreKind, course: Course) -> History {
    History {
        seed,
        server,
        store,
        course,
        rounds: 4,
        program: PathBuf::from(env!("CARGO_BIN_EXE_polypost-under-test")),
    }
}

fn of_dovecot(store: StoreKind) -> Vec<History> {
    seeds()
        .into_iter()
        .map(|seed| {
            let dialect = DIALECTS[usize::try_from(seed % 3).expect("below 3")];
            history(seed, ServerKind::Dovecot(dialect), store, Course::Full)
        })
        .collect()
}

fn of_courier(store: StoreKind) -> Vec<History> {
    seeds()
        .into_iter()
        .map(|seed| history(seed, ServerKind::Courier, store, Course::Full))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_equals_the_mailbox_while_nothing_breaks() {
    let qresync = ServerKind::Dovecot(Dialect::Qresync);
    let calm = |seed| history(seed, qresync, StoreKind::Sqlite, Course::Calm);
    let few = seeds().into_iter().take(6);
    histories(few.map(calm).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_equals_a_dovecot_mailbox_after_any_history_on_sqlite() {
    histories(of_dovecot(StoreKind::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_equals_a_dovecot_mailbox_after_any_history_on_postgres() {
    histories(of_dovecot(StoreKind::Postgres)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_equals_a_courier_mailbox_after_any_history_on_sqlite() {
    histories(of_courier(StoreKind::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_equals_a_courier_mailbox_after_any_history_on_postgres() {
    histories(of_courier(StoreKind::Postgres)).await;
}

fn of_gmail(store: StoreKind, course: Course) -> Vec<History> {
    let history = |seed| history(seed, ServerKind::Gmail, store, course);
    seeds().into_iter().map(history).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_equals_a_gmail_mailbox_while_nothing_breaks() {
    let calm = of_gmail(StoreKind::Sqlite, Course::Calm);
    histories(calm.into_iter().take(6).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_equals_a_gmail_mailbox_after_any_history_on_sqlite() {
    histories(of_gmail(StoreKind::Sqlite, Course::Full)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_equals_a_gmail_mailbox_after_any_history_on_postgres() {
    histories(of_gmail(StoreKind::Postgres, Course::Full)).await;
}

fn of_graph(store: StoreKind, course: Course) -> Vec<History> {
    let history = |seed| history(seed, ServerKind::Graph, store, course);
    seeds().into_iter().map(history).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_equals_a_graph_mailbox_while_nothing_breaks() {
    let calm = of_graph(StoreKind::Sqlite, Course::Calm);
    histories(calm.into_iter().take(6).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_equals_a_graph_mailbox_after_any_history_on_sqlite() {
    histories(of_graph(StoreKind::Sqlite, Course::Full)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_equals_a_graph_mailbox_after_any_history_on_postgres() {
    histories(of_graph(StoreKind::Postgres, Course::Full)).await;
}
