use std::collections::BTreeSet;

use gateway_store::{AccountId, EntryRow, LoadRequest, Loaded, MessageRow, StoreResult};
use store_sql::{
    Columns, Session as _, database_error, encoding, entry, entry_columns, journals, message,
    message_columns, values,
};

use crate::{StoreSqlite, lists, session::Session};

// cross join: the list is read first, and each of its rows looked up
pub(crate) const BY_KEYS: &str = "select entry.message from json_each($2) as wanted
     cross join entry where entry.journal = $1 and entry.scope = wanted.value ->> 0
     and entry.key = unhex(wanted.value ->> 1)";
pub(crate) const BY_MESSAGE_IDS: &str = "select id from (
     select message.id as id, row_number() over
         (partition by message.message_id order by message.discovery) as place
     from json_each($2) as wanted cross join message
     where message.journal = $1 and message.message_id_hash = wanted.value ->> 0
     and message.message_id = unhex(wanted.value ->> 1) and not message.gone
     ) where place <= 20";
pub(crate) const BY_PROVISIONAL_THREADS: &str = "select message.id from json_each($2) as wanted
     cross join message where message.journal = $1 and message.thread = wanted.value
     and message.thread_provisional and not message.gone limit 500";
pub(crate) const MESSAGES: &str = concat!(
    "select ",
    message_columns!(),
    " from json_each($2) as wanted cross join message
     where message.journal = $1 and message.id = wanted.value"
);
pub(crate) const ENTRIES: &str = concat!(
    "select ",
    entry_columns!(),
    " from json_each($2) as wanted cross join entry
     where entry.journal = $1 and entry.message = wanted.value"
);

impl StoreSqlite {
    pub(crate) async fn load_rows(
        &self,
        account: AccountId,
        request: &LoadRequest,
    ) -> StoreResult<Loaded> {
        let mut transaction = self.snapshot().await?;
        let loaded = load(&mut Session(&mut transaction), account, request).await?;
        transaction.rollback().await.map_err(database_error)?;
        Ok(loaded)
    }
}

async fn load(
    session: &mut Session<'_>,
    account: AccountId,
    request: &LoadRequest,
) -> StoreResult<Loaded> {
    let (number, journal) = journals::numbered(session, account).await?;
    let mut wanted: BTreeSet<i64> = request
        .ids
        .iter()
        .copied()
        .map(encoding::message_id)
        .collect();

    let message_ids: BTreeSet<&str> = request.message_ids.iter().map(String::as_str).collect();
    let message_ids = message_ids
        .iter()
        .map(|id| (encoding::message_id_hash(id), id.as_bytes()));
    let threads: BTreeSet<i64> = request
        .provisional_threads
        .iter()
        .copied()
        .map(encoding::thread_id)
        .collect();
    let lookups = [
        (BY_KEYS, request.keys.len(), lists::keys(&request.keys)),
        (
            BY_MESSAGE_IDS,
            request.message_ids.len(),
            lists::pairs(message_ids),
        ),
        (
            BY_PROVISIONAL_THREADS,
            threads.len(),
            lists::integers(threads),
        ),
    ];
    for (sql, asked, list) in lookups {
        if asked > 0 {
            for row in session.rows(sql, values![number, list]).await? {
                wanted.insert(row.long(0)?);
            }
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
    let wanted = lists::integers(wanted);
    let rows = session
        .rows(MESSAGES, values![number, wanted.clone()])
        .await?;
    loaded.messages = rows
        .iter()
        .map(message)
        .collect::<StoreResult<Vec<MessageRow>>>()?;
    let rows = session.rows(ENTRIES, values![number, wanted]).await?;
    loaded.entries = rows
        .iter()
        .map(entry)
        .collect::<StoreResult<Vec<EntryRow>>>()?;
    Ok(loaded)
}
