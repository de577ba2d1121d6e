//! The file itself.

use std::time::Duration;

use gateway_store::{Store, StoreError};
use store_sqlite::{SqliteOptions, StoreSqlite};

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = StoreSqlite::open(&path, SqliteOptions::default())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    let files = std::fs::read_dir(directory.path()).unwrap();
    let modes: Vec<_> = files
        .map(|file| file.unwrap().metadata().unwrap().permissions().mode() & 0o777)
        .collect();
    // with its log and the log's index
    assert_eq!(modes, [0o600; 3]);
}

#[tokio::test]
async fn a_url_names_a_file_and_never_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let url = format!("sqlite://{}", path.display());
    let store = StoreSqlite::open_url(&url, SqliteOptions::default())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    assert!(path.exists());
    let refused = StoreSqlite::open_url("sqlite::memory:", SqliteOptions::default()).await;
    assert!(matches!(refused, Err(StoreError::Database(_))));
}

#[tokio::test]
async fn a_file_that_cannot_be_made_or_is_no_database_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("nowhere/store.db");
    let refused = StoreSqlite::open(&nowhere, SqliteOptions::default()).await;
    assert!(matches!(refused, Err(StoreError::Database(_))));

    let other = directory.path().join("other.db");
    std::fs::write(&other, vec![b'x'; 8_192]).unwrap();
    let refused = StoreSqlite::open(&other, SqliteOptions::default()).await;
    assert!(matches!(refused, Err(StoreError::Database(_))));
}

#[tokio::test]
async fn a_call_given_up_halfway_leaves_the_writer_free() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = StoreSqlite::open(&path, SqliteOptions::default())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    for microseconds in 0..300 {
        let name = microseconds.to_string();
        let given_up = store.init_setting(&name, b"value");
        let _ = tokio::time::timeout(Duration::from_micros(microseconds), given_up).await;
    }
    let kept = store.init_setting("last", b"value").await.unwrap();
    assert_eq!(kept, b"value");
}
