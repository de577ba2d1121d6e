//! Journals, their scopes and folders.

use gateway_store::{AccountId, FolderRow, Journal, NewJournal, ScopeRow, StoreError, StoreResult};

use crate::{Columns, Session, Values, damaged, encoding, removal, rows, values};

/// The number of the journal of account `$1`.
#[macro_export]
macro_rules! journal_of {
    () => {
        "(select number from journal where account = $1)"
    };
}

const ONE: &str = "select number, epoch, head, horizon, tick, revision, discovered, key, record
     from journal where account = $1";
const OPEN: &str = "insert into journal (account, epoch, key, record, synchronises, head, horizon,
     tick, revision, discovered) values ($1, $2, $3, $4, $5, 0, 0, 0, 0, 0)
     on conflict (account) do nothing";
const LOCK: &str = "select number from journal where account = $1";
// the revision goes on, so that a commit computed from what was forgotten is noticed
const RESET: &str = "update journal set epoch = $2, key = $3, record = $4, synchronises = $5,
     head = 0, horizon = 0, tick = 0, revision = revision + 1, discovered = 0 where account = $1";
const SCOPES: &str = concat!(
    "select number, key, cursor, version, state from scope where journal = ",
    journal_of!(),
    " order by number"
);
const FOLDERS: &str = concat!(
    "select folders from folder_list where journal = ",
    journal_of!()
);

/// The journal of an account.
pub async fn one(session: &mut impl Session, account: AccountId) -> StoreResult<Option<Journal>> {
    let row = session.row(ONE, values![account.0]).await?;
    row.as_ref().map(rows::journal).transpose()
}

/// The journal of an account and the number that its rows name it by.
pub async fn numbered(
    session: &mut impl Session,
    account: AccountId,
) -> StoreResult<(i64, Journal)> {
    let row = session.row(ONE, values![account.0]).await?;
    let row = row.ok_or(StoreError::NotFound)?;
    Ok((row.int(0)?.into(), rows::journal(&row)?))
}

/// Opens a journal unless there is one; returns the one that is there afterwards.
pub async fn open(
    session: &mut impl Session,
    account: AccountId,
    new: &NewJournal,
) -> StoreResult<Journal> {
    if let Some(journal) = one(session, account).await? {
        return Ok(journal);
    }
    session.execute(OPEN, new_values(account, new)?).await?;
    one(session, account)
        .await?
        .ok_or_else(|| damaged("a journal vanished"))
}

/// Forgets all that a journal holds and opens a new one.
pub async fn reset(
    session: &mut impl Session,
    account: AccountId,
    new: &NewJournal,
) -> StoreResult<Journal> {
    let Some(row) = session.lock(LOCK, values![account.0]).await?.pop() else {
        return open(session, account, new).await;
    };
    removal::empty_journal(session, row.int(0)?.into()).await?;
    session.execute(RESET, new_values(account, new)?).await?;
    Ok(numbered(session, account).await?.1)
}

fn new_values(account: AccountId, new: &NewJournal) -> StoreResult<Values> {
    Ok(values![
        account.0,
        new.epoch,
        &new.key[..],
        encoding::json(&new.record)?,
        new.record.started_at.is_some(),
    ])
}

/// The scopes, by number.
pub async fn scopes(session: &mut impl Session, account: AccountId) -> StoreResult<Vec<ScopeRow>> {
    let rows = session.rows(SCOPES, values![account.0]).await?;
    rows.iter().map(rows::scope).collect()
}

/// The folders, as they were given.
pub async fn folders(
    session: &mut impl Session,
    account: AccountId,
) -> StoreResult<Vec<FolderRow>> {
    match session.row(FOLDERS, values![account.0]).await? {
        Some(row) => encoding::read_json(&row.text(0)?),
        None => Ok(Vec::new()),
    }
}

/// The number that a query counted.
pub(crate) async fn count(
    session: &mut impl Session,
    sql: &'static str,
    values: Values,
) -> StoreResult<u64> {
    let row = session.row(sql, values).await?;
    let count = row
        .ok_or_else(|| damaged("a count without a row"))?
        .long(0)?;
    u64::try_from(count).map_err(damaged)
}
