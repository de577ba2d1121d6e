//! Values kept for the whole store.

use gateway_store::StoreResult;

use crate::{Columns, Session, damaged, values};

const PING: &str = "select 1";
const GET: &str = "select value from setting where name = $1";
const INIT: &str =
    "insert into setting (name, value) values ($1, $2) on conflict (name) do nothing";
const HOLDS_SEALED: &str =
    "select exists (select 1 from account where length(connection_secret) > 0)
     or exists (select 1 from account_grant) or exists (select 1 from journal)
     or exists (select 1 from send_content)";

/// The setting of this name.
pub async fn get(session: &mut impl Session, name: &str) -> StoreResult<Option<Vec<u8>>> {
    let row = session.row(GET, values![name.to_owned()]).await?;
    row.map(|row| row.bytes(0)).transpose()
}

/// Keeps a setting unless one is there; returns the one that is there afterwards.
pub async fn init(session: &mut impl Session, name: &str, value: &[u8]) -> StoreResult<Vec<u8>> {
    session
        .execute(INIT, values![name.to_owned(), value])
        .await?;
    get(session, name)
        .await?
        .ok_or_else(|| damaged("a setting vanished"))
}

/// Whether an account's secret, a journal's key or something to be sent is kept.
pub async fn holds_sealed(session: &mut impl Session) -> StoreResult<bool> {
    match session.row(HOLDS_SEALED, values![]).await? {
        Some(row) => row.truth(0),
        None => Ok(false),
    }
}

/// Answers while the database does.
pub async fn ping(session: &mut impl Session) -> StoreResult<()> {
    session.row(PING, values![]).await?;
    Ok(())
}
