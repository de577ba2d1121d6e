//! Account tokens.

use email_model::Timestamp;
use gateway_store::{AccessTokenHash, Account, AccountId, StoreError, StoreResult};

use crate::{Session, accounts::columns, encoding, rows, values};

const LOCK_ACCOUNT: &str = "select id from account where id = $1";
const ADD: &str = "insert into access_token (hash, account, created_at) values ($1, $2, $3)";
const TRIM: &str = "delete from access_token where account = $1 and number not in
     (select number from access_token where account = $1 order by number desc limit $2)";
const ACCOUNT: &str = concat!(
    "select ",
    columns!(),
    " from access_token join account on account.id = access_token.account
     where access_token.hash = $1"
);
const REMOVE: &str = "delete from access_token where hash = $1";
const REMOVE_ALL: &str = "delete from access_token where account = $1";

/// Adds a token and removes the oldest beyond `keep`.
pub async fn add(
    session: &mut impl Session,
    account: AccountId,
    hash: &AccessTokenHash,
    now: Timestamp,
    keep: u32,
) -> StoreResult<()> {
    // two that add at once would each leave the other's out of account
    if session
        .lock(LOCK_ACCOUNT, values![account.0])
        .await?
        .is_empty()
    {
        return Err(StoreError::NotFound);
    }
    let values = values![&hash[..], account.0, encoding::time(now)];
    session.execute(ADD, values).await?;
    session.execute(TRIM, values![account.0, keep]).await?;
    Ok(())
}

/// The account of a token.
pub async fn account(
    session: &mut impl Session,
    hash: &AccessTokenHash,
) -> StoreResult<Option<Account>> {
    let row = session.row(ACCOUNT, values![&hash[..]]).await?;
    row.as_ref().map(rows::account).transpose()
}

/// Removes a token. False: there was none.
pub async fn remove(session: &mut impl Session, hash: &AccessTokenHash) -> StoreResult<bool> {
    Ok(session.execute(REMOVE, values![&hash[..]]).await? > 0)
}

/// Removes all tokens of an account.
pub async fn remove_all(session: &mut impl Session, account: AccountId) -> StoreResult<()> {
    session.execute(REMOVE_ALL, values![account.0]).await?;
    Ok(())
}
