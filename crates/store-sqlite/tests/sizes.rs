//! How much room a message takes.

use std::{path::Path, sync::Arc};

use futures::future::BoxFuture;
use gateway_store::Store;
use store_conformance::{Fixture, Kept, bytes_per_message};
use store_sqlite::{SqliteOptions, StoreSqlite};

fn open(location: String) -> BoxFuture<'static, Arc<dyn Store>> {
    Box::pin(async move {
        let store = StoreSqlite::open(Path::new(&location), SqliteOptions::default()).await;
        Arc::new(store.expect("the store opens")) as Arc<dyn Store>
    })
}

async fn bytes(kept: Kept) -> f64 {
    let directory = tempfile::tempdir().expect("a directory");
    let location = directory.path().join("store.db");
    let fixture = Fixture::new(
        location.to_str().expect("a path in UTF-8").into(),
        open,
        directory,
    );
    let measured = bytes_per_message(&fixture, 24_000, kept).await;
    measured.expect("the store is filled")
}

#[tokio::test]
async fn a_message_known_by_its_ids_takes_at_most_350_bytes() {
    let bytes = bytes(Kept::Ids).await;
    assert!((200.0..=350.0).contains(&bytes), "{bytes}");
}

#[tokio::test]
async fn a_message_with_its_envelope_takes_at_most_900_bytes() {
    let bytes = bytes(Kept::Envelopes).await;
    assert!((650.0..=900.0).contains(&bytes), "{bytes}");
}
