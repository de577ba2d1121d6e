//! Removing accounts and applications with all that is kept of them.

use gateway_store::{AccountId, StoreResult};

use crate::{Columns, Session, values};

const APPLICATION: &str = "select id from application where client_id = $1";
const ACCOUNTS: &str = "select id from account where application = $1 order by id";
const ACCOUNT: &str = "select id from account where id = $1";
const JOURNAL: &str = "select number from journal where account = $1";
const REMOVE_APPLICATION: &str = "delete from application where id = $1";
const REMOVE_JOURNAL: &str = "delete from journal where number = $1";
const REMOVE_ACCOUNT: &str = "delete from account where id = $1";
const EMPTY: [&str; 4] = [
    "delete from entry where journal = $1",
    "delete from message where journal = $1",
    "delete from scope where journal = $1",
    "delete from folder_list where journal = $1",
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
    for row in session.lock(JOURNAL, values![account.0]).await? {
        let number = i64::from(row.int(0)?);
        empty_journal(session, number).await?;
        session.execute(REMOVE_JOURNAL, values![number]).await?;
    }
    session.execute(REMOVE_ACCOUNT, values![account.0]).await?;
    Ok(true)
}

/// Removes all rows of a journal but its own, which the caller has locked.
pub(crate) async fn empty_journal(session: &mut impl Session, number: i64) -> StoreResult<()> {
    session.unhurried().await?;
    for sql in EMPTY {
        session.execute(sql, values![number]).await?;
    }
    Ok(())
}
