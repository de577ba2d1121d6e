//! The contract of every store, on PostgreSQL.

use std::sync::Arc;

use futures::future::BoxFuture;
use gateway_store::Store;
use store_conformance::{Fixture, store_contract};
use store_postgres::{PostgresOptions, StorePostgres};
use test_servers::Postgres;

fn open(location: String) -> BoxFuture<'static, Arc<dyn Store>> {
    Box::pin(async move {
        let options = PostgresOptions {
            connections: 6,
            ..PostgresOptions::default()
        };
        let store = StorePostgres::connect(&location, options).await;
        Arc::new(store.expect("the store opens")) as Arc<dyn Store>
    })
}

async fn make() -> Fixture {
    let server = Postgres::shared().await.expect("a server");
    let location = server.create_database().await.expect("a database");
    Fixture::new(location, open, ())
}

store_contract!(make, open);
