//! Applications.

use gateway_store::{Application, StoreResult};

use crate::{Session, damaged, encoding, rows, values};

macro_rules! columns {
    () => {
        "id, client_id, secret_hash, return_urls, created_at, token_response"
    };
}

const PUT: &str = concat!(
    "insert into application (",
    columns!(),
    ") values ($1, $2, $3, $4, $5, $6) on conflict (client_id) do update
     set secret_hash = excluded.secret_hash, return_urls = excluded.return_urls,
         token_response = excluded.token_response returning ",
    columns!()
);
const ALL: &str = concat!(
    "select ",
    columns!(),
    " from application order by client_id"
);
const ONE: &str = concat!(
    "select ",
    columns!(),
    " from application where client_id = $1"
);

/// Inserts or updates an application.
pub async fn put(
    session: &mut impl Session,
    application: &Application,
) -> StoreResult<Application> {
    let values = values![
        application.id.0,
        application.client_id.as_bytes(),
        &application.secret_hash[..],
        encoding::json(&application.return_urls)?,
        encoding::time(application.created_at),
        application.token_response,
    ];
    let row = session.row(PUT, values).await?;
    rows::application(&row.ok_or_else(|| damaged("an application vanished"))?)
}

/// All applications, by client id.
pub async fn all(session: &mut impl Session) -> StoreResult<Vec<Application>> {
    let rows = session.rows(ALL, values![]).await?;
    rows.iter().map(rows::application).collect()
}

/// The application with this client id.
pub async fn one(session: &mut impl Session, client_id: &str) -> StoreResult<Option<Application>> {
    let row = session.row(ONE, values![client_id.as_bytes()]).await?;
    row.as_ref().map(rows::application).transpose()
}
