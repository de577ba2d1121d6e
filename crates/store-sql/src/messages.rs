//! Reading messages and entries. Each listing starts at a place in an index and reads on from there.

use email_model::{EntryKey, MessageId, ThreadId, Timestamp};
use gateway_store::{AccountId, EntryRow, MessageRow, ScopeNumber, Seq, StoreResult, Stream};

use crate::{
    Columns, Session, Values, encoding, entry_columns, journal_of, journals, message_columns, rows,
    values,
};

const ONE: &str = concat!(
    "select ",
    message_columns!(),
    " from message where journal = ",
    journal_of!(),
    " and id = $2"
);
/// The entries of a message: account, message. Not ordered here, where the order of the primary key would make a planner
/// read all entries of the journal.
pub const ENTRIES_OF_ONE: &str = concat!(
    "select ",
    entry_columns!(),
    " from entry where journal = ",
    journal_of!(),
    " and message = $2"
);
/// Live messages of a conversation: account, thread, limit.
pub const THREAD: &str = concat!(
    "select ",
    message_columns!(),
    " from message where journal = ",
    journal_of!(),
    " and thread = $2 and not gone order by received_at nulls first, id limit $3"
);
/// A page of a scope's entries: account, scope, least key, limit.
pub const SCOPE_ENTRIES: &str = concat!(
    "select ",
    entry_columns!(),
    " from entry where journal = ",
    journal_of!(),
    " and scope = $2 and key >= $3 order by key limit $4"
);
const COUNT_ENTRIES: &str = concat!(
    "select count(*) from entry where journal = ",
    journal_of!(),
    " and scope = $2"
);
/// A page of a first walk: account, discovery, greatest seq, least time, limit.
pub const WALK: &str = concat!(
    "select ",
    message_columns!(),
    " from message where journal = ",
    journal_of!(),
    " and seq >= 0 and not gone and discovery > $2 and seq <= $3
     and (received_at is null or received_at >= $4) order by discovery limit $5"
);
/// A page of changes: account, tombstones or not, seq, greatest seq, limit.
pub const CHANGES: &str = concat!(
    "select ",
    message_columns!(),
    " from message where journal = ",
    journal_of!(),
    " and gone = $2 and seq > 0 and seq > $3 and seq <= $4 order by seq limit $5"
);
/// A page of orphans: account, tick, least id, limit.
pub const ORPHANS: &str = concat!(
    "select ",
    message_columns!(),
    " from message where journal = ",
    journal_of!(),
    " and orphaned is not null and orphaned < $2 and id >= $3 order by id limit $4"
);
/// Whether any message is orphaned: account.
pub const HAS_ORPHANS: &str = concat!(
    "select exists (select 1 from message where journal = ",
    journal_of!(),
    " and orphaned is not null)"
);

async fn listed(
    session: &mut impl Session,
    sql: &'static str,
    values: Values,
) -> StoreResult<Vec<MessageRow>> {
    let rows = session.rows(sql, values).await?;
    rows.iter().map(rows::message).collect()
}

/// A message and its entries.
pub async fn one(
    session: &mut impl Session,
    account: AccountId,
    id: MessageId,
) -> StoreResult<Option<(MessageRow, Vec<EntryRow>)>> {
    let values = values![account.0, encoding::message_id(id)];
    let Some(row) = session.row(ONE, values.clone()).await? else {
        return Ok(None);
    };
    let entries = session.rows(ENTRIES_OF_ONE, values).await?;
    let mut entries = entries
        .iter()
        .map(rows::entry)
        .collect::<StoreResult<Vec<_>>>()?;
    entries.sort_unstable_by(|a, b| (a.scope, &a.key).cmp(&(b.scope, &b.key)));
    Ok(Some((rows::message(&row)?, entries)))
}

/// Live messages of a conversation, by time of receipt, then id.
pub async fn thread(
    session: &mut impl Session,
    account: AccountId,
    thread: ThreadId,
    limit: u32,
) -> StoreResult<Vec<MessageRow>> {
    let values = values![account.0, encoding::thread_id(thread), limit];
    listed(session, THREAD, values).await
}

/// A page of a scope's entries in the order of their keys.
pub async fn scope_entries(
    session: &mut impl Session,
    account: AccountId,
    scope: ScopeNumber,
    after: Option<&EntryKey>,
    limit: u32,
) -> StoreResult<Vec<EntryRow>> {
    // the next key in byte order is this one and a zero byte
    let least = after.map_or_else(Vec::new, |after| [&after.0[..], &[0]].concat());
    let values = values![account.0, scope.0, least, limit];
    let rows = session.rows(SCOPE_ENTRIES, values).await?;
    rows.iter().map(rows::entry).collect()
}

/// How many entries a scope has.
pub async fn count_entries(
    session: &mut impl Session,
    account: AccountId,
    scope: ScopeNumber,
) -> StoreResult<u64> {
    journals::count(session, COUNT_ENTRIES, values![account.0, scope.0]).await
}

/// A page of the first part of a first walk.
pub async fn walk(
    session: &mut impl Session,
    account: AccountId,
    after: i64,
    upto: Seq,
    since: Option<Timestamp>,
    limit: u32,
) -> StoreResult<Vec<MessageRow>> {
    let since = since.map_or(i64::MIN, encoding::time);
    let values = values![account.0, after, upto.0, since, limit];
    listed(session, WALK, values).await
}

/// A page of a stream's changes.
pub async fn changes(
    session: &mut impl Session,
    account: AccountId,
    stream: Stream,
    after: Seq,
    upto: Seq,
    limit: u32,
) -> StoreResult<Vec<MessageRow>> {
    let gone = matches!(stream, Stream::Deleted);
    let values = values![account.0, gone, after.0, upto.0, limit];
    listed(session, CHANGES, values).await
}

/// A page of the messages orphaned before a tick.
pub async fn orphans(
    session: &mut impl Session,
    account: AccountId,
    before_tick: i64,
    after: Option<MessageId>,
    limit: u32,
) -> StoreResult<Vec<MessageRow>> {
    let least = match after.map(|after| after.0.checked_add(1)) {
        None => MessageId(0),
        Some(Some(next)) => MessageId(next),
        Some(None) => return Ok(Vec::new()),
    };
    let least = encoding::message_id(least);
    let values = values![account.0, before_tick, least, limit];
    listed(session, ORPHANS, values).await
}

/// Whether any message is orphaned.
pub async fn has_orphans(session: &mut impl Session, account: AccountId) -> StoreResult<bool> {
    match session.row(HAS_ORPHANS, values![account.0]).await? {
        Some(row) => row.truth(0),
        None => Ok(false),
    }
}
