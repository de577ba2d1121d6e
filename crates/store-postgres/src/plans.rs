//! Every listing and lookup must read an index from one place on: the plans of the database's own, for
//! known values and for any.

use gateway_store::Store;
use sqlx::{AssertSqlSafe, PgConnection, Row, raw_sql};
use store_conformance::{Fixture, Kept, bytes_per_message};
use store_sql::{messages, removal};
use test_servers::Postgres;

use crate::{PostgresOptions, StorePostgres, commit, load};

/// Each with its parameters' types and values, the index that it reads, and the condition by which
/// it finds its place there.
const QUERIES: [(&str, &str, &str, &str, &str); 16] = [
    (
        messages::WALK,
        "bigint, bigint, bigint, bigint, bigint",
        "1, 2500, 9, -9000000000000000, 100",
        "message_by_discovery",
        "discovery >",
    ),
    (
        messages::CHANGES,
        "bigint, boolean, bigint, bigint, bigint",
        "1, false, 5, 900000, 100",
        "message_by_seq",
        "seq >",
    ),
    (
        messages::SCOPE_ENTRIES,
        "bigint, bigint, bytea, bigint",
        "1, 1, '\\x00', 100",
        "entry_pkey",
        "key >=",
    ),
    (
        messages::ENTRIES_OF_ONE,
        "bigint, bigint",
        "1, 5",
        "entry_by_message",
        "message =",
    ),
    (
        messages::ORPHANS,
        "bigint, bigint, bigint, bigint",
        "1, 5, 0, 100",
        "message_orphaned",
        "id >=",
    ),
    (
        messages::HAS_ORPHANS,
        "bigint",
        "1",
        "message_orphaned",
        "journal =",
    ),
    (
        messages::THREAD,
        "bigint, bigint, bigint",
        "1, 5, 100",
        "message_by_thread",
        "thread =",
    ),
    (
        load::BY_KEYS,
        "bigint, integer[], bytea[]",
        "1, array_fill(1, array[500]), array_fill('\\x00'::bytea, array[500])",
        "entry_pkey",
        "key =",
    ),
    (
        load::BY_MESSAGE_IDS,
        "bigint, integer[], bytea[]",
        "1, array_fill(1, array[500]), array_fill('\\x00'::bytea, array[500])",
        "message_by_message_id",
        "message_id_hash =",
    ),
    (
        load::BY_PROVISIONAL_THREADS,
        "bigint, bigint[]",
        "1, array_fill(1::bigint, array[500])",
        "message_by_thread",
        "thread =",
    ),
    (
        load::MESSAGES,
        "bigint, bigint[]",
        "1, array_fill(1::bigint, array[500])",
        "message_by_id",
        "id =",
    ),
    (
        load::ENTRIES,
        "bigint, bigint[]",
        "1, array_fill(1::bigint, array[500])",
        "entry_by_message",
        "message =",
    ),
    (
        removal::PURGE_SOME[0],
        "bigint",
        "1",
        "entry_by_message",
        "message <=",
    ),
    (
        removal::PURGE_SOME[1],
        "bigint",
        "1",
        "message_by_id",
        "id <=",
    ),
    (
        commit::REMOVE_MESSAGES,
        "bigint, bigint[]",
        "1, array_fill(1::bigint, array[500])",
        "message_by_id",
        "id =",
    ),
    (
        commit::REMOVE_ENTRIES,
        "bigint, integer[], bytea[]",
        "1, array_fill(1, array[500]), array_fill('\\x00'::bytea, array[500])",
        "entry_pkey",
        "key =",
    ),
];

async fn run(connection: &mut PgConnection, sql: String) -> String {
    let rows = raw_sql(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await
        .unwrap();
    let lines = rows.iter().map(|row| row.get::<String, _>(0));
    lines.collect::<Vec<_>>().join("\n")
}

async fn no_query_scans_or_sorts(connection: &mut PgConnection) {
    for mode in ["force_custom_plan", "force_generic_plan"] {
        run(connection, format!("set plan_cache_mode = {mode}")).await;
        for (sql, types, values, index, condition) in QUERIES {
            run(connection, format!("prepare asked ({types}) as {sql}")).await;
            let explain = format!("explain execute asked ({values})");
            let plan = run(connection, explain).await;
            run(connection, "deallocate asked".into()).await;
            let plain = ["message", "entry"].map(|table| format!("Seq Scan on {table}"));
            let scans = plain.iter().any(|scan| plan.contains(scan));
            let mut conditions = plan.lines().filter(|line| line.contains("Index Cond"));
            let found = conditions.any(|line| line.contains(condition));
            assert!(plan.contains(index) && found && !scans, "{sql}\n{plan}");
            // a conversation and the messages of one Message-ID are few: they may be sorted
            let may_sort = [messages::THREAD, load::BY_MESSAGE_IDS].contains(&sql);
            assert!(may_sort || !plan.contains("Sort"), "{sql}\n{plan}");
        }
    }
}

#[tokio::test]
async fn no_query_of_a_journal_scans_or_sorts_a_table() {
    let server = Postgres::shared().await.unwrap();
    let url = server.create_database().await.unwrap();
    let store = StorePostgres::connect(&url, PostgresOptions::default())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    let mut connection = store.pool.acquire().await.unwrap();
    // before anything is known about the tables, and when it is
    no_query_scans_or_sorts(&mut connection).await;
    let fixture = Fixture::new(
        url,
        |url| {
            Box::pin(async move {
                let store = StorePostgres::connect(&url, PostgresOptions::default()).await;
                std::sync::Arc::new(store.unwrap()) as _
            })
        },
        (),
    );
    bytes_per_message(&fixture, 10_000, Kept::Ids)
        .await
        .unwrap();
    no_query_scans_or_sorts(&mut connection).await;
    run(&mut connection, "analyze".into()).await;
    no_query_scans_or_sorts(&mut connection).await;
}
