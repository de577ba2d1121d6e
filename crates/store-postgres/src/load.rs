use std::collections::BTreeSet;

use gateway_store::{AccountId, LoadRequest, Loaded, StoreResult};
use sqlx::{
    PgConnection, Postgres,
    postgres::{PgArguments, PgRow},
    query,
    query::Query,
};
use store_sql::{
    Columns, database_error, encoding, entry, entry_columns, journals, message, message_columns,
};

use crate::{StorePostgres, session::Session};

// lateral with a limit or an offset: the list is read first, and each of its rows looked up, whatever
// the planner takes the tables to hold
pub(crate) const BY_KEYS: &str = "select found.message
     from unnest($2::integer[], $3::bytea[]) as wanted (scope, key)
     cross join lateral (
         select message from entry
         where journal = $1 and scope = wanted.scope and key = wanted.key limit 1
     ) as found";
pub(crate) const BY_MESSAGE_IDS: &str = "select found.id
     from unnest($2::integer[], $3::bytea[]) as wanted (hash, message_id)
     cross join lateral (
         select id from message where journal = $1 and message_id_hash = wanted.hash
         and message_id = wanted.message_id and not gone order by discovery limit 20
     ) as found";
pub(crate) const BY_PROVISIONAL_THREADS: &str = "select found.id
     from unnest($2::bigint[]) as wanted (thread)
     cross join lateral (
         select id from message where journal = $1 and thread = wanted.thread
         and thread_provisional and not gone limit 500
     ) as found limit 500";
pub(crate) const MESSAGES: &str = concat!(
    "select message.* from unnest($2::bigint[]) as wanted (id) cross join lateral (select ",
    message_columns!(),
    " from message where journal = $1 and id = wanted.id limit 1) as message"
);
pub(crate) const ENTRIES: &str = concat!(
    "select entry.* from unnest($2::bigint[]) as wanted (message) cross join lateral (select ",
    entry_columns!(),
    " from entry where journal = $1 and message = wanted.message offset 0) as entry"
);

impl StorePostgres {
    pub(crate) async fn load_rows(
        &self,
        account: AccountId,
        request: &LoadRequest,
    ) -> StoreResult<Loaded> {
        let mut transaction = self.snapshot().await?;
        let loaded = load(&mut transaction, account, request).await?;
        transaction.rollback().await.map_err(database_error)?;
        Ok(loaded)
    }
}

async fn rows(
    query: Query<'static, Postgres, PgArguments>,
    connection: &mut PgConnection,
) -> StoreResult<Vec<PgRow>> {
    query.fetch_all(connection).await.map_err(database_error)
}

async fn load(
    connection: &mut PgConnection,
    account: AccountId,
    request: &LoadRequest,
) -> StoreResult<Loaded> {
    let (number, journal) = journals::numbered(&mut Session(&mut *connection), account).await?;
    let ids = request.ids.iter().copied().map(encoding::message_id);
    let mut wanted: BTreeSet<i64> = ids.collect();
    for lookup in lookups(number, request) {
        for row in rows(lookup, connection).await? {
            wanted.insert(row.long(0)?);
        }
    }

    let mut loaded = Loaded {
        journal,
        messages: Vec::new(),
        entries: Vec::new(),
    };
    if wanted.is_empty() {
        return Ok(loaded);
    }
    let wanted: Vec<i64> = wanted.into_iter().collect();
    let messages = query(MESSAGES).bind(number).bind(wanted.clone());
    let messages = rows(messages, connection).await?;
    loaded.messages = messages.iter().map(message).collect::<StoreResult<_>>()?;
    let entries = rows(query(ENTRIES).bind(number).bind(wanted), connection).await?;
    loaded.entries = entries.iter().map(entry).collect::<StoreResult<_>>()?;
    Ok(loaded)
}

/// The queries that find messages by other things than their ids.
fn lookups(number: i64, request: &LoadRequest) -> Vec<Query<'static, Postgres, PgArguments>> {
    let mut lookups = Vec::new();
    if !request.keys.is_empty() {
        let (scopes, keys): (Vec<i32>, Vec<&[u8]>) = request
            .keys
            .iter()
            .map(|(scope, key)| (scope.0, &key.0[..]))
            .unzip();
        lookups.push(query(BY_KEYS).bind(number).bind(scopes).bind(keys));
    }
    if !request.message_ids.is_empty() {
        let distinct: BTreeSet<&str> = request.message_ids.iter().map(String::as_str).collect();
        let (hashes, ids): (Vec<i32>, Vec<&[u8]>) = distinct
            .into_iter()
            .map(|id| (encoding::message_id_hash(id), id.as_bytes()))
            .unzip();
        lookups.push(query(BY_MESSAGE_IDS).bind(number).bind(hashes).bind(ids));
    }
    if !request.provisional_threads.is_empty() {
        let distinct: BTreeSet<_> = request.provisional_threads.iter().copied().collect();
        let threads: Vec<i64> = distinct.into_iter().map(encoding::thread_id).collect();
        lookups.push(query(BY_PROVISIONAL_THREADS).bind(number).bind(threads));
    }
    lookups
}
