//! Grants of accounts that are connected by OAuth.

use gateway_store::{
    Account, AccountId, CredentialState, GrantRow, LeaseRequest, StoreError, StoreResult,
};

use crate::{Columns, Session, accounts, encoding, values};

const LOCK_ACCOUNT: &str = "select id from account where id = $1";
const ONE: &str = "select secret, version from account_grant where account = $1";
/// A grant that is given again after it was removed has a version of its own: the time is later.
const PUT: &str = "insert into account_grant (account, secret, version) values ($1, $2, $3)
     on conflict (account) do update set secret = excluded.secret,
         version = account_grant.version + 1, holder = null, held_until = null";
const REMOVE: &str = "delete from account_grant where account = $1";
const HOLD: &str = "update account_grant set holder = $2, held_until = $3
     where account = $1 and (holder is null or holder = $2 or held_until <= $4)
     returning secret, version";
const RELEASE: &str = "update account_grant set holder = null, held_until = null
     where account = $1 and holder = $2";
const REPLACE: &str = "update account_grant set secret = $3, version = version + 1, holder = null,
         held_until = null
     where account = $1 and version = $2";

/// Inserts an account with its grant.
pub async fn insert_account(
    session: &mut impl Session,
    account: &Account,
    grant: Option<&[u8]>,
) -> StoreResult<()> {
    accounts::insert(session, account).await?;
    match grant {
        Some(grant) => put(session, account, grant).await,
        None => Ok(()),
    }
}

/// Updates an account and replaces its grant.
pub async fn reconnect_account(
    session: &mut impl Session,
    account: &Account,
    grant: Option<&[u8]>,
) -> StoreResult<()> {
    accounts::update(session, account).await?;
    match grant {
        Some(grant) => put(session, account, grant).await,
        None => {
            session.execute(REMOVE, values![account.id.0]).await?;
            Ok(())
        }
    }
}

async fn put(session: &mut impl Session, account: &Account, grant: &[u8]) -> StoreResult<()> {
    let since = encoding::time(account.updated_at);
    let values = values![account.id.0, grant, since];
    session.execute(PUT, values).await?;
    Ok(())
}

/// An account's grant.
pub async fn one(session: &mut impl Session, account: AccountId) -> StoreResult<Option<GrantRow>> {
    let row = session.row(ONE, values![account.0]).await?;
    row.as_ref().map(grant).transpose()
}

/// Takes a grant to refresh it. `None`: another holder has it.
pub async fn hold(
    session: &mut impl Session,
    request: &LeaseRequest,
) -> StoreResult<Option<GrantRow>> {
    let now = encoding::time(request.now);
    let lasts = i64::try_from(request.lasts.as_millis()).unwrap_or(i64::MAX);
    let values = values![
        request.account.0,
        request.holder.clone(),
        now.saturating_add(lasts),
        now,
    ];
    if let Some(row) = session.row(HOLD, values).await? {
        return grant(&row).map(Some);
    }
    match one(session, request.account).await? {
        Some(_) => Ok(None),
        None => Err(StoreError::NotFound),
    }
}

/// Gives a grant back.
pub async fn release(
    session: &mut impl Session,
    account: AccountId,
    holder: &str,
) -> StoreResult<()> {
    let values = values![account.0, holder.to_owned()];
    session.execute(RELEASE, values).await?;
    Ok(())
}

/// Replaces a grant of this version.
pub async fn replace(
    session: &mut impl Session,
    account: AccountId,
    version: i64,
    secret: &[u8],
) -> StoreResult<bool> {
    let values = values![account.0, version, secret];
    Ok(session.execute(REPLACE, values).await? > 0)
}

/// Notes the state of the credentials of a grant of this version.
pub async fn set_state(
    session: &mut impl Session,
    account: AccountId,
    version: i64,
    state: &CredentialState,
) -> StoreResult<bool> {
    // the account first, as a reconnection locks them
    session.lock(LOCK_ACCOUNT, values![account.0]).await?;
    let is_there = one(session, account)
        .await?
        .is_some_and(|grant| grant.version == version);
    if is_there {
        accounts::set_credentials(session, account, state).await?;
    }
    Ok(is_there)
}

fn grant(row: &impl Columns) -> StoreResult<GrantRow> {
    Ok(GrantRow {
        secret: row.bytes(0)?,
        version: row.long(1)?,
    })
}
