//! Accounts.

use gateway_store::{
    Account, AccountFilter, AccountId, AccountPage, ApplicationId, CredentialState, StoreError,
    StoreResult, TokenStatus,
};

use crate::{Columns, Session, encoding, rows, values};

macro_rules! columns {
    () => {
        "account.id, account.application, account.kind, account.service_type, account.mailbox, \
         account.email, account.login, account.active, account.details, \
         account.connection_settings, account.connection_secret, account.credentials, \
         account.created_at, account.updated_at"
    };
}
pub(crate) use columns;

const INSERT: &str = "insert into account (kind, service_type, mailbox, email, email_folded, login,
     active, details, connection_settings, connection_secret, credentials, updated_at, id,
     application, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
const UPDATE: &str = "update account set kind = $1, service_type = $2, mailbox = $3, email = $4,
     email_folded = $5, login = $6, active = $7, details = $8, connection_settings = $9,
     connection_secret = $10, credentials = $11, updated_at = $12 where id = $13";
const CREDENTIALS: &str = "select credentials from account where id = $1";
const SET_CREDENTIALS: &str = "update account set credentials = $1 where id = $2";
const ONE: &str = concat!("select ", columns!(), " from account where id = $1");
const PAGE: &str = concat!(
    "select ",
    columns!(),
    " from account where application = $1 order by id limit $2 offset $3"
);
const COUNT: &str = "select count(*) from account where application = $1";
const PAGE_OF_TYPE: &str = concat!(
    "select ",
    columns!(),
    " from account where application = $1 and service_type = $4 order by id limit $2 offset $3"
);
const COUNT_OF_TYPE: &str =
    "select count(*) from account where application = $1 and service_type = $2";
const FIND: &str = concat!(
    "select ",
    columns!(),
    " from account where application = $1 and (email_folded = $2 or mailbox = $3) order by id"
);
const AT: &str = "select id from account
     where (kind = $1 and email_folded = $2) or (mailbox = $3 and kind = $1) order by id limit $4";
const SYNCHRONISED: &str = "select journal.account from journal
     join account on account.id = journal.account
     where journal.synchronises and account.active and journal.account > $1
     order by journal.account limit $2";

fn shared_values(account: &Account) -> StoreResult<crate::Values> {
    Ok(values![
        account.kind.as_bytes(),
        account.service_type.as_bytes(),
        account.mailbox.as_bytes(),
        account
            .email
            .as_ref()
            .map(|email| email.clone().into_bytes()),
        account.email.as_deref().map(folded),
        account.login.as_bytes(),
        account.active,
        encoding::json(&account.details)?,
        encoding::json(&account.connection_settings)?,
        &account.connection_secret[..],
        encoding::json(&account.credentials)?,
        encoding::time(account.updated_at),
        account.id.0,
    ])
}

/// An address as it is looked up: without regard to case.
fn folded(email: &str) -> Vec<u8> {
    email.to_lowercase().into_bytes()
}

/// Inserts an account.
pub async fn insert(session: &mut impl Session, account: &Account) -> StoreResult<()> {
    let mut values = shared_values(account)?;
    values.extend(values![
        account.application.0,
        encoding::time(account.created_at)
    ]);
    session.execute(INSERT, values).await?;
    Ok(())
}

/// Replaces all of an account but `id`, `application` and `created_at`.
pub async fn update(session: &mut impl Session, account: &Account) -> StoreResult<()> {
    match session.execute(UPDATE, shared_values(account)?).await? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

/// Notes the state of the credentials.
pub async fn set_credentials(
    session: &mut impl Session,
    account: AccountId,
    state: &CredentialState,
) -> StoreResult<()> {
    let Some(row) = session.lock(CREDENTIALS, values![account.0]).await?.pop() else {
        return Err(StoreError::NotFound);
    };
    let kept: CredentialState = encoding::read_json(&row.text(0)?)?;
    if kept.status != TokenStatus::Dead || state.status == TokenStatus::Dead {
        let values = values![encoding::json(state)?, account.0];
        session.execute(SET_CREDENTIALS, values).await?;
    }
    Ok(())
}

/// An account.
pub async fn one(session: &mut impl Session, account: AccountId) -> StoreResult<Option<Account>> {
    let row = session.row(ONE, values![account.0]).await?;
    row.as_ref().map(rows::account).transpose()
}

/// A page of an application's accounts, and their number.
pub async fn page(
    session: &mut impl Session,
    application: ApplicationId,
    filter: &AccountFilter,
) -> StoreResult<AccountPage> {
    let mut page = values![application.0, filter.limit, filter.offset];
    let mut count = values![application.0];
    let (page_text, count_text) = match &filter.service_type {
        None => (PAGE, COUNT),
        Some(service_type) => {
            page.extend(values![service_type.as_bytes()]);
            count.extend(values![service_type.as_bytes()]);
            (PAGE_OF_TYPE, COUNT_OF_TYPE)
        }
    };
    let records = session.rows(page_text, page).await?;
    Ok(AccountPage {
        records: records
            .iter()
            .map(rows::account)
            .collect::<StoreResult<_>>()?,
        total: crate::journals::count(session, count_text, count).await?,
    })
}

/// Accounts of an application with this address or mailbox, by id.
pub async fn find(
    session: &mut impl Session,
    application: ApplicationId,
    email: Option<&str>,
    mailbox: Option<&str>,
) -> StoreResult<Vec<Account>> {
    let values = values![
        application.0,
        email.map(folded),
        mailbox.map(|mailbox| mailbox.as_bytes().to_vec()),
    ];
    let rows = session.rows(FIND, values).await?;
    rows.iter().map(rows::account).collect()
}

/// Accounts of any application with this mailbox or address, by id.
pub async fn at(
    session: &mut impl Session,
    kind: &str,
    mailbox: Option<&str>,
    email: Option<&str>,
    limit: u32,
) -> StoreResult<Vec<AccountId>> {
    let values = values![
        kind.as_bytes(),
        email.map(folded),
        mailbox.map(|mailbox| mailbox.as_bytes().to_vec()),
        limit,
    ];
    let rows = session.rows(AT, values).await?;
    rows.iter().map(|row| row.long(0).map(AccountId)).collect()
}

/// Active accounts whose journal synchronises, after this id.
pub async fn synchronised(
    session: &mut impl Session,
    after: AccountId,
    limit: u32,
) -> StoreResult<Vec<AccountId>> {
    let rows = session.rows(SYNCHRONISED, values![after.0, limit]).await?;
    rows.iter().map(|row| row.long(0).map(AccountId)).collect()
}
