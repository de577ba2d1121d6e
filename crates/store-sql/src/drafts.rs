//! Drafts.

use email_model::{DraftId, MessageId};
use gateway_store::{AccountId, DraftRow, StoreResult};

use crate::{Session, encoding, rows, values};

const INSERT: &str =
    "insert into draft (account, id, message, version, record) values ($1, $2, $3, $4, $5)";
/// The draft of this id.
pub const ONE: &str =
    "select id, message, version, record from draft where account = $1 and id = $2";
/// The draft that is this message.
pub const OF_MESSAGE: &str =
    "select id, message, version, record from draft where account = $1 and message = $2";
const WRITE: &str = "update draft set message = $3, version = version + 1, record = $5
     where account = $1 and id = $2 and version = $4";
const REMOVE: &str = "delete from draft where account = $1 and id = $2";

fn all_values(account: AccountId, draft: &DraftRow) -> StoreResult<crate::Values> {
    Ok(values![
        account.0,
        encoding::draft_id(draft.id),
        encoding::message_id(draft.message),
        draft.version,
        encoding::json(&draft.record)?,
    ])
}

/// Keeps a draft.
pub async fn insert(
    session: &mut impl Session,
    account: AccountId,
    draft: &DraftRow,
) -> StoreResult<()> {
    let values = all_values(account, draft)?;
    session.execute(INSERT, values).await?;
    Ok(())
}

/// A draft.
pub async fn one(
    session: &mut impl Session,
    account: AccountId,
    id: DraftId,
) -> StoreResult<Option<DraftRow>> {
    let values = values![account.0, encoding::draft_id(id)];
    let row = session.row(ONE, values).await?;
    row.as_ref().map(rows::draft).transpose()
}

/// The draft that is this message.
pub async fn of_message(
    session: &mut impl Session,
    account: AccountId,
    message: MessageId,
) -> StoreResult<Option<DraftRow>> {
    let values = values![account.0, encoding::message_id(message)];
    let row = session.row(OF_MESSAGE, values).await?;
    row.as_ref().map(rows::draft).transpose()
}

/// Replaces a draft of this version.
pub async fn write(
    session: &mut impl Session,
    account: AccountId,
    draft: &DraftRow,
) -> StoreResult<bool> {
    let values = all_values(account, draft)?;
    Ok(session.execute(WRITE, values).await? > 0)
}

/// Forgets a draft. False: there was none.
pub async fn remove(
    session: &mut impl Session,
    account: AccountId,
    id: DraftId,
) -> StoreResult<bool> {
    let values = values![account.0, encoding::draft_id(id)];
    Ok(session.execute(REMOVE, values).await? > 0)
}
