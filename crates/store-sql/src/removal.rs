//! Removing accounts and applications with all that is kept of them. What names a journal is removed at
//! once; the journal's rows, which nothing leads to any more, are purged some at a time.

use gateway_store::{AccountId, StoreResult};

use crate::{Columns, Session, values};

const APPLICATION: &str = "select id from application where client_id = $1";
const ACCOUNTS: &str = "select id from account where application = $1 order by id";
const ACCOUNT: &str = "select id from account where id = $1";
const JOURNAL: &str = "select number, revision from journal where account = $1";
const REMOVE_APPLICATION: &str = "delete from application where id = $1";
const REMOVE_ACCOUNT: &str = "delete from account where id = $1";
const NOTE_JOURNAL: &str = "insert into forgotten_journal (number) values ($1)";
const REMOVE_JOURNAL: &str = "delete from journal where number = $1";

const FORGOTTEN: &str = "select number from forgotten_journal order by number limit 1";
/// Purges the rows of a journal up to the thousandth.
pub const PURGE_SOME: [&str; 2] = [
    "delete from entry where journal = $1 and message <= coalesce(
         (select message from entry where journal = $1 order by message limit 1 offset 999),
         9223372036854775807)",
    "delete from message where journal = $1 and id <= coalesce(
         (select id from message where journal = $1 order by id limit 1 offset 999),
         9223372036854775807)",
];
const PURGE_REST: [&str; 3] = [
    "delete from scope where journal = $1",
    "delete from folder_list where journal = $1",
    "delete from forgotten_journal where number = $1",
];

/// Removes an application and its accounts. False: there was none.
pub async fn application(session: &mut impl Session, client_id: &str) -> StoreResult<bool> {
    let application = session
        .lock(APPLICATION, values![client_id.as_bytes()])
        .await?;
    let Some(application) = application.first() else {
        return Ok(false);
    };
    let id = application.long(0)?;
    for row in session.rows(ACCOUNTS, values![id]).await? {
        account(session, AccountId(row.long(0)?)).await?;
    }
    session.execute(REMOVE_APPLICATION, values![id]).await?;
    Ok(true)
}

/// Removes an account. False: there was none.
pub async fn account(session: &mut impl Session, account: AccountId) -> StoreResult<bool> {
    // locked from the top down: no journal is opened meanwhile, no commit writes to it
    if session.lock(ACCOUNT, values![account.0]).await?.is_empty() {
        return Ok(false);
    }
    forget_journal(session, account).await?;
    session.execute(REMOVE_ACCOUNT, values![account.0]).await?;
    Ok(true)
}

/// Removes the journal of an account, its rows to be purged. Returns its last revision.
pub(crate) async fn forget_journal(
    session: &mut impl Session,
    account: AccountId,
) -> StoreResult<Option<i64>> {
    let Some(row) = session.lock(JOURNAL, values![account.0]).await?.pop() else {
        return Ok(None);
    };
    let number = i64::from(row.int(0)?);
    session.execute(NOTE_JOURNAL, values![number]).await?;
    session.execute(REMOVE_JOURNAL, values![number]).await?;
    Ok(Some(row.long(1)?))
}

/// Purges some rows of a journal that was removed. False: there is none left.
pub async fn purge(session: &mut impl Session) -> StoreResult<bool> {
    let Some(row) = session.row(FORGOTTEN, values![]).await? else {
        return Ok(false);
    };
    let number = i64::from(row.int(0)?);
    for sql in PURGE_SOME {
        if session.execute(sql, values![number]).await? > 0 {
            return Ok(true);
        }
    }
    for sql in PURGE_REST {
        session.execute(sql, values![number]).await?;
    }
    Ok(true)
}
