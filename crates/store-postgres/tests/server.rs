//! A server that goes away and comes back.

use std::time::Duration;

use futures::StreamExt;
use gateway_store::{AccountId, Store, StoreError};
use store_postgres::{PostgresOptions, StorePostgres};
use test_servers::Postgres;
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn after_the_server_died_calls_fail_and_work_again_when_it_is_back() {
    let mut server = Postgres::start(test_servers::PostgresOptions::default())
        .await
        .unwrap();
    let url = server.create_database().await.unwrap();
    let options = PostgresOptions {
        acquire_timeout: Duration::from_secs(5),
        ..PostgresOptions::default()
    };
    let store = StorePostgres::connect(&url, options).await.unwrap();
    store.migrate().await.unwrap();
    store.init_setting("check", b"value").await.unwrap();
    let mut wakes = store.wakes().await.unwrap();

    server.kill_hard().await.unwrap();
    assert!(matches!(store.ping().await, Err(StoreError::Database(_))));
    let failed = store.init_setting("other", b"value").await;
    assert!(matches!(failed, Err(StoreError::Database(_))));

    server.resume().await.unwrap();
    let value = store.setting("check").await.unwrap();
    assert_eq!(value.as_deref(), Some(&b"value"[..]));
    // the listener comes back a little later
    let heard = timeout(Duration::from_secs(60), async {
        loop {
            store.wake(AccountId(5)).await.unwrap();
            tokio::select! {
                account = wakes.next() => break account,
                () = sleep(Duration::from_millis(200)) => {}
            }
        }
    });
    assert_eq!(heard.await.unwrap(), Some(AccountId(5)));
}

#[tokio::test]
async fn the_password_is_not_shown() {
    let server = Postgres::shared().await.unwrap();
    let url = server.create_database().await.unwrap();
    let url = url.replacen("postgres@", "postgres:hunter2@", 1);
    assert!(url.contains("hunter2"));
    let store = StorePostgres::connect(&url, PostgresOptions::default())
        .await
        .unwrap();
    assert!(!format!("{store:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_an_error() {
    let server = Postgres::shared().await.unwrap();
    let refused = StorePostgres::connect(&server.url("nowhere"), PostgresOptions::default()).await;
    assert!(matches!(refused, Err(StoreError::Database(_))));
    let refused = StorePostgres::connect("postgres//x", PostgresOptions::default()).await;
    assert!(matches!(refused, Err(StoreError::Database(_))));
}

#[tokio::test]
async fn a_call_given_up_halfway_leaves_no_transaction_open() {
    let server = Postgres::shared().await.unwrap();
    let url = server.create_database().await.unwrap();
    let options = PostgresOptions {
        connections: 2,
        ..PostgresOptions::default()
    };
    let store = StorePostgres::connect(&url, options).await.unwrap();
    store.migrate().await.unwrap();
    for step in 0..200 {
        let given_up = store.init_setting("one", b"value");
        let _ = timeout(Duration::from_micros(step * 20), given_up).await;
    }
    store.init_setting("last", b"value").await.unwrap();
    let open = "select count(*) from pg_stat_activity where state like 'idle in transaction%'
         and datname = ";
    let database = url.rsplit('/').next().unwrap();
    let open = server
        .execute(&format!("{open}'{database}'"))
        .await
        .unwrap();
    assert_eq!(open.trim(), "0");
}
