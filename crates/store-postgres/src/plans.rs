//! Every listing and lookup must read an index from one place on: the plans of the database's own, for
//! known values and for any.

use gateway_store::Store;
use sqlx::{AssertSqlSafe, PgConnection, Row, raw_sql};
use store_conformance::{Fixture, Kept, bytes_per_message};
use store_sql::{drafts, messages, removal, sends};
use test_servers::Postgres;

use crate::{PostgresOptions, StorePostgres, commit, load};

/// With its parameters' types and values, the index that it reads, and the condition by which it finds its
/// place there.
type Query = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const QUERIES: [Query; 16] = [
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

const OUTBOX: [Query; 7] = [
    (
        drafts::OF_MESSAGE,
        "bigint, bigint",
        "1, 5",
        "draft_account_message_key",
        "message =",
    ),
    (
        sends::OF_KEY,
        "bigint, bytea",
        "1, '\\x00'",
        "send_by_key",
        "key_hash =",
    ),
    (
        sends::OF_DRAFT,
        "bigint, bigint",
        "1, 5",
        "send_by_draft",
        "draft =",
    ),
    (
        sends::CLAIM_BESIDE_OTHERS,
        "text, bigint, bigint, bigint",
        "'one', 9, 5, 10",
        "send_by_due",
        "due_at <=",
    ),
    // both indexes hold no more rows than it asks for
    (sends::NEXT_DUE, "", "", "send_by_holder", ""),
    (
        sends::RELEASE,
        "text",
        "'one'",
        "send_by_holder",
        "holder =",
    ),
    (
        sends::FORGET,
        "bigint, bigint",
        "5, 100",
        "send_ended",
        "created_at <",
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

async fn no_query_scans_or_sorts(connection: &mut PgConnection, queries: &[Query]) {
    let bracketed = |list: &str| match list {
        "" => String::new(),
        list => format!("({list})"),
    };
    for mode in ["force_custom_plan", "force_generic_plan"] {
        run(connection, format!("set plan_cache_mode = {mode}")).await;
        for &(sql, types, values, index, condition) in queries {
            let prepare = format!("prepare asked {} as {sql}", bracketed(types));
            run(connection, prepare).await;
            let explain = format!("explain execute asked {}", bracketed(values));
            let plan = run(connection, explain).await;
            run(connection, "deallocate asked".into()).await;
            let mut conditions = plan.lines().filter(|line| line.contains("Index Cond"));
            let found = condition.is_empty() || conditions.any(|line| line.contains(condition));
            let scans = plan.contains("Seq Scan");
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
    no_query_scans_or_sorts(&mut connection, &QUERIES).await;
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
    no_query_scans_or_sorts(&mut connection, &QUERIES).await;
    run(&mut connection, "analyze".into()).await;
    no_query_scans_or_sorts(&mut connection, &QUERIES).await;
}

/// Twenty thousand drafts and sends, most of which are at their end, and a few held.
const FILL: [&str; 4] = [
    "insert into application (id, client_id, secret_hash, return_urls, created_at)
     values (1, '', '', '[]', 1)",
    "insert into account (id, application, kind, service_type, mailbox, login, active, details,
         connection_settings, connection_secret, credentials, created_at, updated_at)
     select id, 1, '', '', '', '', true, '', '', '', '', 1, 1 from generate_series(1, 10) as id",
    "insert into draft (account, id, message, version, record)
     select 1 + id % 10, id, id, 1, '{}' from generate_series(1, 20000) as id",
    "insert into send (account, id, key_hash, request_hash, draft, state, due_at, holder,
         held_until, version, record, created_at)
     select 1 + id % 10, id, sha256(id::text::bytea), '', id % 700, 'sent',
         case when id % 5 = 0 then id end, case when id % 500 = 0 then 'one' end,
         case when id % 500 = 0 then 9 end, 1, '{}', id
     from generate_series(1, 20000) as id",
];

#[tokio::test]
async fn no_query_of_the_outbox_scans_or_sorts_a_table() {
    let server = Postgres::shared().await.unwrap();
    let url = server.create_database().await.unwrap();
    let store = StorePostgres::connect(&url, PostgresOptions::default())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    let mut connection = store.pool.acquire().await.unwrap();
    no_query_scans_or_sorts(&mut connection, &OUTBOX).await;
    for sql in FILL {
        run(&mut connection, sql.into()).await;
    }
    no_query_scans_or_sorts(&mut connection, &OUTBOX).await;
    run(&mut connection, "analyze".into()).await;
    no_query_scans_or_sorts(&mut connection, &OUTBOX).await;
}
