//! How much room a message takes.

use std::sync::Arc;

use futures::future::BoxFuture;
use gateway_store::Store;
use store_conformance::{Fixture, Kept, bytes_per_message};
use store_postgres::{PostgresOptions, StorePostgres};
use test_servers::Postgres;

fn open(location: String) -> BoxFuture<'static, Arc<dyn Store>> {
    Box::pin(async move {
        let store = StorePostgres::connect(&location, PostgresOptions::default()).await;
        Arc::new(store.expect("the store opens")) as Arc<dyn Store>
    })
}

async fn bytes(kept: Kept) -> f64 {
    let server = Postgres::shared().await.expect("a server");
    let location = server.create_database().await.expect("a database");
    let fixture = Fixture::new(location, open, ());
    let measured = bytes_per_message(&fixture, 24_000, kept).await;
    measured.expect("the store is filled")
}

#[tokio::test]
async fn a_message_known_by_its_ids_takes_at_most_500_bytes() {
    let bytes = bytes(Kept::Ids).await;
    assert!((400.0..=500.0).contains(&bytes), "{bytes}");
}

#[tokio::test]
async fn a_message_with_its_envelope_takes_at_most_1200_bytes() {
    let bytes = bytes(Kept::Envelopes).await;
    assert!((850.0..=1_200.0).contains(&bytes), "{bytes}");
}
