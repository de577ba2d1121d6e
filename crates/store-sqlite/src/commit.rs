use std::sync::LazyLock;

use gateway_store::{AccountId, Commit, MessageRow, StoreResult};
use sqlx::{AssertSqlSafe, SqliteConnection, query};
use store_sql::{
    Session as _, commits, database_error, encoding, encoding::MessageColumns, values,
};

use crate::{StoreSqlite, lists, session::Session};

/// Rows of a bulk write in one statement, so that no list outgrows SQLite's limits.
const CHUNK: usize = 1_000;

/// Messages written by one statement.
const MESSAGES: usize = 25;

pub(crate) const REMOVE_MESSAGES: &str = "delete from message where journal = $1
     and id in (select value from json_each($2))";
pub(crate) const REMOVE_ENTRIES: &str = "delete from entry where journal = $1
     and (scope, key) in (select value ->> 0, unhex(value ->> 1) from json_each($2))";
const PUT_ENTRIES: &str = "insert into entry (journal, scope, key, message)
     select $1, value ->> 0, unhex(value ->> 1), value ->> 2 from json_each($2) where true
     on conflict (journal, scope, key) do update set message = excluded.message";

const COLUMNS: [&str; 18] = [
    "journal",
    "id",
    "digest",
    "thread",
    "thread_provisional",
    "received_at",
    "flags",
    "keywords",
    "classifications",
    "folders",
    "message_id",
    "message_id_hash",
    "seq",
    "born",
    "discovery",
    "orphaned",
    "gone",
    "envelope",
];

static PUT_MESSAGE: LazyLock<String> = LazyLock::new(|| put_messages(1));
static PUT_MESSAGES: LazyLock<String> = LazyLock::new(|| put_messages(MESSAGES));

fn put_messages(rows: usize) -> String {
    let row = format!("({})", ["?"; COLUMNS.len()].join(", "));
    let set = COLUMNS[2..]
        .iter()
        .map(|column| format!("{column} = excluded.{column}"));
    format!(
        "insert into message ({}) values {} on conflict (journal, id) do update set {}",
        COLUMNS.join(", "),
        vec![row; rows].join(", "),
        set.collect::<Vec<_>>().join(", "),
    )
}

impl StoreSqlite {
    pub(crate) async fn write_rows(&self, account: AccountId, commit: &Commit) -> StoreResult<i64> {
        let mut transaction = self.writer().await?;
        let journal = write(&mut transaction, account, commit).await?;
        transaction.commit().await.map_err(database_error)?;
        Ok(journal)
    }
}

async fn write(
    connection: &mut SqliteConnection,
    account: AccountId,
    commit: &Commit,
) -> StoreResult<i64> {
    let mut session = Session(&mut *connection);
    let journal = commits::advance(&mut session, account, commit).await?;
    commits::scopes(
        &mut session,
        journal,
        &commit.scopes,
        &commit.scopes_removed,
    )
    .await?;
    if let Some(folders) = &commit.folders {
        commits::folders(&mut session, journal, folders).await?;
    }

    let messages = commits::distinct(&commit.messages, |message| message.id);
    let (whole, rest) = messages.as_chunks::<MESSAGES>();
    for messages in whole {
        write_messages(connection, &PUT_MESSAGES, journal, messages).await?;
    }
    for message in rest {
        write_messages(connection, &PUT_MESSAGE, journal, &[message]).await?;
    }

    let mut session = Session(connection);
    for ids in commit.messages_removed.chunks(CHUNK) {
        let ids = lists::integers(ids.iter().copied().map(encoding::message_id));
        session
            .execute(REMOVE_MESSAGES, values![journal, ids])
            .await?;
    }
    for keys in commit.entries_removed.chunks(CHUNK) {
        let keys = lists::keys(keys);
        session
            .execute(REMOVE_ENTRIES, values![journal, keys])
            .await?;
    }
    for entries in commit.entries.chunks(CHUNK) {
        let entries = lists::entries(entries);
        session
            .execute(PUT_ENTRIES, values![journal, entries])
            .await?;
    }
    Ok(commit.revision + 1)
}

async fn write_messages(
    connection: &mut SqliteConnection,
    sql: &'static str,
    journal: i64,
    messages: &[&MessageRow],
) -> StoreResult<()> {
    // a text of this module's constants
    let mut statement = query(AssertSqlSafe(sql));
    for message in messages {
        let columns = MessageColumns::of(message)?;
        statement = statement
            .bind(journal)
            .bind(columns.id)
            .bind(columns.digest.to_vec())
            .bind(columns.thread)
            .bind(columns.thread_provisional)
            .bind(columns.received_at)
            .bind(columns.flags)
            .bind(columns.keywords)
            .bind(columns.classifications)
            .bind(columns.folders)
            .bind(columns.message_id.map(<[u8]>::to_vec))
            .bind(columns.message_id_hash)
            .bind(columns.seq)
            .bind(columns.born)
            .bind(columns.discovery)
            .bind(columns.orphaned)
            .bind(columns.gone)
            .bind(columns.envelope.map(<[u8]>::to_vec));
    }
    statement
        .execute(connection)
        .await
        .map_err(database_error)?;
    Ok(())
}
