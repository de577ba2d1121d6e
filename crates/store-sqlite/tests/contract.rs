//! The contract of every store, on SQLite.

use std::{path::Path, sync::Arc};

use futures::future::BoxFuture;
use gateway_store::Store;
use store_conformance::{Fixture, store_contract};
use store_sqlite::{SqliteOptions, StoreSqlite};

fn open(location: String) -> BoxFuture<'static, Arc<dyn Store>> {
    Box::pin(async move {
        let store = StoreSqlite::open(Path::new(&location), SqliteOptions::default()).await;
        Arc::new(store.expect("the store opens")) as Arc<dyn Store>
    })
}

async fn make() -> Fixture {
    let directory = tempfile::tempdir().expect("a directory");
    let location = directory.path().join("store.db");
    Fixture::new(
        location.to_str().expect("a path in UTF-8").into(),
        open,
        directory,
    )
}

store_contract!(make, open);
