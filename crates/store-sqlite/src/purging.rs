//! Removing a great mailbox.

use std::time::Duration;

use gateway_store::{AccountId, Store};
use sqlx::query_scalar;
use store_conformance::{Fixture, Kept, bytes_per_message};

use crate::{SqliteOptions, StoreSqlite};

async fn open(location: &str) -> StoreSqlite {
    let opened = StoreSqlite::open(location.as_ref(), SqliteOptions::default()).await;
    opened.unwrap()
}

async fn rows(store: &StoreSqlite) -> i64 {
    let all = "select (select count(*) from message) + (select count(*) from entry)
         + (select count(*) from forgotten_journal)";
    query_scalar(all).fetch_one(&store.readers).await.unwrap()
}

#[tokio::test]
async fn rows_that_an_interrupted_removal_left_are_purged_by_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let location = directory.path().join("store.db");
    let location = location.to_str().unwrap();
    let fixture = Fixture::new(
        location.into(),
        |location| Box::pin(async move { std::sync::Arc::new(open(&location).await) as _ }),
        (),
    );
    bytes_per_message(&fixture, 20_000, Kept::Ids)
        .await
        .unwrap();
    let store = open(location).await;
    let before = rows(&store).await;

    // too short for all of it, long enough for its first transaction
    let removal = store.remove_account(AccountId(1));
    let interrupted = tokio::time::timeout(Duration::from_millis(15), removal).await;
    assert!(interrupted.is_err());
    while store.account(AccountId(1)).await.unwrap().is_some() {
        let removal = store.remove_account(AccountId(1));
        let _ = tokio::time::timeout(Duration::from_millis(15), removal).await;
    }
    assert!(store.journal(AccountId(1)).await.unwrap().is_none());
    assert!(rows(&store).await > before - 10_000);

    store.migrate().await.unwrap();
    assert_eq!(rows(&store).await, before - 10_000);
    assert!(store.journal(AccountId(2)).await.unwrap().is_some());
}
