//! PostgreSQL starts, gives each test a database, and comes back after a stop and after a kill.

use test_servers::{Postgres, PostgresOptions};

#[tokio::test]
async fn every_test_gets_a_database_of_its_own() {
    let postgres = Postgres::shared().await.unwrap();
    let (one, other) = tokio::join!(postgres.create_database(), postgres.create_database());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one, other);
    let names = postgres
        .execute("SELECT string_agg(datname, ' ') FROM pg_database")
        .await
        .unwrap();
    for url in [one, other] {
        let (_, name) = url.rsplit_once('/').unwrap();
        assert!(names.contains(name), "{names}");
    }
    assert!(postgres.execute("SELECT nothing").await.is_err());
}

#[tokio::test]
async fn committed_data_survives_a_restart_and_a_kill() {
    let mut postgres = Postgres::start(PostgresOptions::default()).await.unwrap();
    postgres.execute("CREATE TABLE kept (n int)").await.unwrap();
    postgres.restart().await.unwrap();
    postgres
        .execute("INSERT INTO kept VALUES (1)")
        .await
        .unwrap();
    postgres.kill_hard().await.unwrap();
    assert!(!postgres.is_running());
    postgres.resume().await.unwrap();
    assert_eq!(postgres.execute("SELECT n FROM kept").await.unwrap(), "1");
}
