//! Mailboxes behind IMAP, Gmail's API and Microsoft Graph are the same to a client of the gateway.
//!
//! `POLYPOST_ALIKE_SEEDS` is how many histories there are (3), `POLYPOST_ALIKE_SEED` the one to repeat.

use std::path::PathBuf;

use polypost_tests::StoreKind;
use polypost_tests::alike::Alike;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

fn seeds() -> Vec<u64> {
    match number("POLYPOST_ALIKE_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("POLYPOST_ALIKE_SEEDS").unwrap_or(3)).collect(),
    }
}

/// In pairs, since whether a client reads texts or HTML alternates with the seeds.
fn store(seed: u64) -> StoreKind {
    match (seed / 2).is_multiple_of(2) {
        true => StoreKind::Sqlite,
        false => StoreKind::Postgres,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_cannot_tell_what_kind_of_mailbox_it_has() {
    for seed in seeds() {
        let alike = Alike {
            seed,
            store: store(seed),
            rounds: 6,
            program: PathBuf::from(env!("CARGO_BIN_EXE_polypost-under-test")),
        };
        if let Err(error) = alike.run().await {
            panic!("{error:?}");
        }
    }
}
