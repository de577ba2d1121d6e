//! Sign-ins in the browser and the codes that they end with.

use email_model::Timestamp;
use gateway_store::{
    AccessTokenHash, AccountId, ApplicationId, CodeHash, PendingSignIn, Redeemed, StateHash,
    StoreResult,
};

use crate::{Columns, Session, encoding, tokens, values};

const PUT: &str = "insert into pending_sign_in (state, application, request, expires_at)
     values ($1, $2, $3, $4)";
const ONE: &str = "select application, request, expires_at from pending_sign_in
     where state = $1 and expires_at > $2";
const TAKE: &str = "delete from pending_sign_in where state = $1 and expires_at > $2
     returning application, request, expires_at";
const EXPIRE: &str = "delete from pending_sign_in where expires_at <= $1";

const PUT_CODE: &str = "insert into sign_in_code (code, account, expires_at) values ($1, $2, $3)";
const EXPIRE_CODES: &str = "delete from sign_in_code where expires_at <= $1";
/// The account is locked with the code: it is not removed while a token is added.
const CODE: &str = "select sign_in_code.account, sign_in_code.token from sign_in_code
     join account on account.id = sign_in_code.account
     where sign_in_code.code = $1 and sign_in_code.expires_at > $2 and account.application = $3";
const USE_CODE: &str = "update sign_in_code set token = $2 where code = $1";

/// Keeps a sign-in that has begun.
pub async fn put(
    session: &mut impl Session,
    state: &StateHash,
    pending: &PendingSignIn,
    now: Timestamp,
) -> StoreResult<()> {
    session
        .execute(EXPIRE, values![encoding::time(now)])
        .await?;
    let values = values![
        &state[..],
        pending.application.0,
        &pending.request[..],
        encoding::time(pending.expires_at),
    ];
    session.execute(PUT, values).await?;
    Ok(())
}

/// A sign-in that has begun.
pub async fn one(
    session: &mut impl Session,
    state: &StateHash,
    now: Timestamp,
) -> StoreResult<Option<PendingSignIn>> {
    read(session, ONE, state, now).await
}

/// Removes a sign-in and returns it.
pub async fn take(
    session: &mut impl Session,
    state: &StateHash,
    now: Timestamp,
) -> StoreResult<Option<PendingSignIn>> {
    read(session, TAKE, state, now).await
}

async fn read(
    session: &mut impl Session,
    sql: &'static str,
    state: &StateHash,
    now: Timestamp,
) -> StoreResult<Option<PendingSignIn>> {
    let values = values![&state[..], encoding::time(now)];
    let row = session.row(sql, values).await?;
    row.map(|row| {
        Ok(PendingSignIn {
            application: ApplicationId(row.long(0)?),
            request: row.bytes(1)?,
            expires_at: encoding::read_time(row.long(2)?)?,
        })
    })
    .transpose()
}

/// Keeps a code.
pub async fn put_code(
    session: &mut impl Session,
    code: &CodeHash,
    account: AccountId,
    expires_at: Timestamp,
    now: Timestamp,
) -> StoreResult<()> {
    session
        .execute(EXPIRE_CODES, values![encoding::time(now)])
        .await?;
    let values = values![&code[..], account.0, encoding::time(expires_at)];
    session.execute(PUT_CODE, values).await?;
    Ok(())
}

/// Exchanges a code for a token.
pub async fn redeem(
    session: &mut impl Session,
    code: &CodeHash,
    application: ApplicationId,
    token: &AccessTokenHash,
    now: Timestamp,
    keep: u32,
) -> StoreResult<Redeemed> {
    let values = values![&code[..], encoding::time(now), application.0];
    let Some(row) = session.lock(CODE, values).await?.pop() else {
        return Ok(Redeemed::Unknown);
    };
    if let Some(given) = row.bytes_or_null(1)? {
        if let Ok(given) = given.try_into() {
            tokens::remove(session, &given).await?;
        }
        return Ok(Redeemed::Again);
    }
    let account = AccountId(row.long(0)?);
    session
        .execute(USE_CODE, values![&code[..], &token[..]])
        .await?;
    tokens::add(session, account, token, now, keep).await?;
    Ok(Redeemed::Account(account))
}
