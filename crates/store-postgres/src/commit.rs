use gateway_store::{AccountId, Commit, EntryRow, MessageRow, StoreResult};
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query, query::Query};
use store_sql::{commits, database_error, encoding, encoding::MessageColumns};

use crate::{StorePostgres, session::Session};

/// Rows written by one statement.
const CHUNK: usize = 1_000;

// each is looked up, and removed where it stands: the journal is locked, so nobody moves it
pub(crate) const REMOVE_MESSAGES: &str = "delete from message where ctid = any (array(
         select found.ctid from unnest($2::bigint[]) as removed (id)
         cross join lateral (
             select ctid from message where journal = $1 and id = removed.id limit 1
         ) as found
     ))";
pub(crate) const REMOVE_ENTRIES: &str = "delete from entry where ctid = any (array(
         select found.ctid from unnest($2::integer[], $3::bytea[]) as removed (scope, key)
         cross join lateral (
             select ctid from entry
             where journal = $1 and scope = removed.scope and key = removed.key limit 1
         ) as found
     ))";
const PUT_ENTRIES: &str = "insert into entry (journal, scope, key, message)
     select $1, * from unnest($2::integer[], $3::bytea[], $4::bigint[])
     on conflict (journal, scope, key) do update set message = excluded.message";
const PUT_MESSAGES: &str = "insert into message (journal, id, digest, thread, thread_provisional,
         received_at, flags, keywords, classifications, folders, message_id, message_id_hash, seq,
         born, discovery, orphaned, gone, envelope)
     select $1, * from unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::boolean[],
         $6::bigint[], $7::smallint[], $8::text[], $9::smallint[], $10::bytea[], $11::bytea[],
         $12::integer[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[],
         $17::boolean[], $18::bytea[])
     on conflict (journal, id) do update set digest = excluded.digest, thread = excluded.thread,
         thread_provisional = excluded.thread_provisional, received_at = excluded.received_at,
         flags = excluded.flags, keywords = excluded.keywords,
         classifications = excluded.classifications, folders = excluded.folders,
         message_id = excluded.message_id, message_id_hash = excluded.message_id_hash,
         seq = excluded.seq, born = excluded.born, discovery = excluded.discovery,
         orphaned = excluded.orphaned, gone = excluded.gone, envelope = excluded.envelope";

impl StorePostgres {
    pub(crate) async fn write_rows(&self, account: AccountId, commit: &Commit) -> StoreResult<i64> {
        let mut transaction = self.writer().await?;
        let revision = write(&mut transaction, account, commit).await?;
        transaction.commit().await.map_err(database_error)?;
        Ok(revision)
    }
}

async fn write(
    connection: &mut PgConnection,
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
    for messages in messages.chunks(CHUNK) {
        run(put_messages(journal, messages)?, connection).await?;
    }
    for ids in commit.messages_removed.chunks(CHUNK) {
        let ids: Vec<i64> = ids.iter().copied().map(encoding::message_id).collect();
        run(query(REMOVE_MESSAGES).bind(journal).bind(ids), connection).await?;
    }
    for keys in commit.entries_removed.chunks(CHUNK) {
        let (scopes, keys): (Vec<i32>, Vec<&[u8]>) = keys
            .iter()
            .map(|(scope, key)| (scope.0, &key.0[..]))
            .unzip();
        let removal = query(REMOVE_ENTRIES).bind(journal).bind(scopes).bind(keys);
        run(removal, connection).await?;
    }
    let mut entries = commits::distinct(&commit.entries, |entry| (entry.scope, &entry.key));
    // A scan goes from the newest message down. Keys that come downwards leave every page of the index half
    // empty; keys that go up within each commit fill them.
    entries.sort_unstable_by_key(|entry| (entry.scope, &entry.key));
    for entries in entries.chunks(CHUNK) {
        run(put_entries(journal, entries), connection).await?;
    }
    Ok(commit.revision + 1)
}

async fn run(
    query: Query<'static, Postgres, PgArguments>,
    connection: &mut PgConnection,
) -> StoreResult<()> {
    query.execute(connection).await.map_err(database_error)?;
    Ok(())
}

fn put_messages(
    journal: i64,
    messages: &[&MessageRow],
) -> StoreResult<Query<'static, Postgres, PgArguments>> {
    let rows = messages.iter().map(|message| MessageColumns::of(message));
    let rows = rows.collect::<StoreResult<Vec<_>>>()?;
    macro_rules! column {
        ($column:ident) => {
            rows.iter().map(|row| &row.$column).collect::<Vec<_>>()
        };
    }
    Ok(query(PUT_MESSAGES)
        .bind(journal)
        .bind(column!(id))
        .bind(column!(digest))
        .bind(column!(thread))
        .bind(column!(thread_provisional))
        .bind(column!(received_at))
        .bind(column!(flags))
        .bind(column!(keywords))
        .bind(column!(classifications))
        .bind(column!(folders))
        .bind(column!(message_id))
        .bind(column!(message_id_hash))
        .bind(column!(seq))
        .bind(column!(born))
        .bind(column!(discovery))
        .bind(column!(orphaned))
        .bind(column!(gone))
        .bind(column!(envelope)))
}

fn put_entries(journal: i64, entries: &[&EntryRow]) -> Query<'static, Postgres, PgArguments> {
    let mut scopes = Vec::with_capacity(entries.len());
    let mut keys = Vec::with_capacity(entries.len());
    let mut messages = Vec::with_capacity(entries.len());
    for entry in entries {
        scopes.push(entry.scope.0);
        keys.push(&entry.key.0[..]);
        messages.push(encoding::message_id(entry.message));
    }
    query(PUT_ENTRIES)
        .bind(journal)
        .bind(scopes)
        .bind(keys)
        .bind(messages)
}
