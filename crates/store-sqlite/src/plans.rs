//! Every listing and lookup must read an index from one place on: the plans of the database's own.

use gateway_store::Store;
use sqlx::{AssertSqlSafe, Row, SqlitePool, query};
use store_sql::{drafts, messages, removal, sends};

use crate::{SqliteOptions, StoreSqlite, commit, load};

async fn plan(pool: &SqlitePool, sql: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("explain query plan {sql}"));
    let mut steps = query(explain);
    for _ in 0..sql.matches('$').count() {
        steps = steps.bind(1);
    }
    let rows = steps.fetch_all(pool).await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

async fn store() -> (tempfile::TempDir, StoreSqlite) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = StoreSqlite::open(&path, SqliteOptions::default())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    (directory, store)
}

#[tokio::test]
async fn no_query_of_a_journal_scans_or_sorts_a_table() {
    let (_directory, store) = store().await;
    for (sql, index) in [
        (
            messages::WALK,
            "message_by_discovery (journal=? AND discovery>?)",
        ),
        (
            messages::CHANGES,
            "message_by_seq (journal=? AND gone=? AND seq>? AND seq<?)",
        ),
        (
            messages::SCOPE_ENTRIES,
            "PRIMARY KEY (journal=? AND scope=? AND key>?)",
        ),
        (
            messages::ENTRIES_OF_ONE,
            "entry_by_message (journal=? AND message=?)",
        ),
        (messages::ORPHANS, "message_orphaned (journal=? AND id>?)"),
        (messages::HAS_ORPHANS, "message_orphaned (journal=?)"),
        (
            messages::THREAD,
            "message_by_thread (journal=? AND thread=?)",
        ),
        (
            load::BY_KEYS,
            "PRIMARY KEY (journal=? AND scope=? AND key=?)",
        ),
        (
            load::BY_MESSAGE_IDS,
            "message_by_message_id (journal=? AND message_id_hash=?)",
        ),
        (
            load::BY_PROVISIONAL_THREADS,
            "message_by_thread (journal=? AND thread=?)",
        ),
        (load::MESSAGES, "message_by_id (journal=? AND id=?)"),
        (load::ENTRIES, "entry_by_message (journal=? AND message=?)"),
        (
            removal::PURGE_SOME[0],
            "entry_by_message (journal=? AND message<?)",
        ),
        (removal::PURGE_SOME[1], "message_by_id (journal=? AND id<?)"),
        (
            commit::REMOVE_MESSAGES,
            "message_by_id (journal=? AND id=?)",
        ),
        (
            commit::REMOVE_ENTRIES,
            "PRIMARY KEY (journal=? AND scope=? AND key=?)",
        ),
    ] {
        let steps = plan(&store.readers, sql).await;
        let shown = steps.join("\n");
        assert!(shown.contains(index), "{sql}\n{shown}");
        let reads_all = |step: &String| {
            let harmless = ["json_each", "subquery", "wanted", "CONSTANT ROW"];
            step.starts_with("SCAN") && !harmless.iter().any(|name| step.contains(name))
        };
        assert!(!steps.iter().any(reads_all), "{sql}\n{shown}");
        // a conversation and the messages of one Message-ID are few: they may be sorted
        let sorts = shown.contains("TEMP B-TREE");
        let may_sort = sql == messages::THREAD || sql == load::BY_MESSAGE_IDS;
        assert!(may_sort || !sorts, "{sql}\n{shown}");
    }
}

#[tokio::test]
async fn no_query_of_the_outbox_scans_or_sorts_a_table() {
    let (_directory, store) = store().await;
    for (sql, indexes) in [
        (drafts::OF_MESSAGE, &["(account=? AND message=?)"][..]),
        (sends::OF_KEY, &["send_by_key (account=? AND key_hash=?)"]),
        (sends::OF_DRAFT, &["send_by_draft (account=? AND draft=?)"]),
        (sends::CLAIM_ALONE, &["send_by_due (due_at<?)"]),
        (
            sends::NEXT_DUE,
            &["send_by_due (due_at>?)", "send_by_holder"],
        ),
        (sends::RELEASE, &["send_by_holder (holder=?)"]),
        (sends::FORGET, &["send_ended (created_at<?)"]),
    ] {
        let shown = plan(&store.readers, sql).await.join("\n");
        for index in indexes {
            assert!(shown.contains(index), "{sql}\n{shown}");
        }
        assert!(!shown.contains("TEMP B-TREE"), "{sql}\n{shown}");
    }
}
