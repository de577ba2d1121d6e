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
const OPEN: &str = "insert into journal (account, epoch, key, record, synchronises, revision, head,
     horizon, tick, discovered) values ($1, $2, $3, $4, $5, $6, 0, 0, 0, 0)
     on conflict (account) do nothing";
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
    match one(session, account).await? {
        Some(journal) => Ok(journal),
        None => insert(session, account, new, 0).await,
    }
}

/// Forgets all that a journal holds and opens a new one.
pub async fn reset(
    session: &mut impl Session,
    account: AccountId,
    new: &NewJournal,
) -> StoreResult<Journal> {
    // the revision goes on, so that a commit computed from what is forgotten is noticed
    let revision = match removal::forget_journal(session, account).await? {
        Some(last) => last + 1,
        None => 0,
    };
    insert(session, account, new, revision).await
}

async fn insert(
    session: &mut impl Session,
    account: AccountId,
    new: &NewJournal,
    revision: i64,
) -> StoreResult<Journal> {
    let values = values![
        account.0,
        new.epoch,
        &new.key[..],
        encoding::json(&new.record)?,
        new.record.started_at.is_some(),
        revision,
    ];
    session.execute(OPEN, values).await?;
    Ok(numbered(session, account).await?.1)
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
