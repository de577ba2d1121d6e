//! Sends.

use email_model::{DraftId, Timestamp};
use gateway_store::{
    AccountId, ClaimSends, OpenedSend, ProlongSend, SendId, SendRow, SendState, StoreResult,
};

use crate::{Columns, Session, Values, damaged, encoding, rows, values};

macro_rules! columns {
    () => {
        "send.id, send.account, send.key_hash, send.request_hash, send.draft, send.state, \
         send.due_at, send.holder, send.held_until, send.version, send.record, send.created_at, \
         (select content from send_content where send_content.send = send.number)"
    };
}

const OPEN: &str = "insert into send (account, id, key_hash, request_hash, draft, state, due_at,
         holder, held_until, version, record, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     on conflict (account, key_hash) where key_hash is not null do nothing returning number";
const ONE: &str = concat!(
    "select ",
    columns!(),
    " from send where account = $1 and id = $2"
);
/// The send of a key.
pub const OF_KEY: &str = concat!(
    "select ",
    columns!(),
    " from send where account = $1 and key_hash = $2"
);
/// The newest send of a draft.
pub const OF_DRAFT: &str = concat!(
    "select ",
    columns!(),
    " from send where account = $1 and draft = $2 order by number desc limit 1"
);

const WRITE: &str = "update send set state = $4, due_at = $5, holder = $6, held_until = $7,
         record = $8, version = version + 1
     where account = $1 and id = $2 and version = $3 returning number";
/// What is there already is read, not written again.
const PUT_CONTENT: &str = "insert into send_content (send, content) values ($1, $2)
     on conflict (send) do update set content = excluded.content
     where send_content.content <> excluded.content";
const REMOVE_CONTENT: &str = "delete from send_content where send = $1";

macro_rules! claim {
    ($locking:literal) => {
        concat!(
            "with due as (select number from send
                 where due_at <= $3 and (holder is null or coalesce(held_until, due_at) <= $3)
                 order by due_at, number limit $4",
            $locking,
            ") update send set holder = $1, held_until = $2, version = version + 1
             where number in (select number from due) returning ",
            columns!()
        )
    };
}

/// Takes sends, where others write too: what they are taking at this moment is passed over.
pub const CLAIM_BESIDE_OTHERS: &str = claim!(" for update skip locked");
/// Takes sends, where nobody else writes.
pub const CLAIM_ALONE: &str = claim!("");
/// When a send may be taken next. Those that are held are few.
pub const NEXT_DUE: &str = "select min(due) from (
         select min(due_at) as due from send where due_at is not null and holder is null
         union all
         select min(case when held_until > due_at then held_until else due_at end) from send
             where due_at is not null and holder is not null
     ) as times";
const PROLONG: &str = "update send set held_until = $5
     where account = $1 and id = $2 and version = $3 and holder is not null and held_until > $4";
/// Gives back what a holder has.
pub const RELEASE: &str = "update send set holder = null, held_until = null where holder = $1";
/// Forgets sends that are at their end.
pub const FORGET: &str = "delete from send where number in (select number from send
     where due_at is null and created_at < $1 order by created_at limit $2)
     returning account, draft, state";
const FORGET_DRAFT: &str = "delete from draft where account = $1 and id = $2
     and not exists (select 1 from send where send.account = $1 and send.draft = $2)";

/// Puts a send into the outbox, unless its key is there.
pub async fn open(session: &mut impl Session, send: &SendRow) -> StoreResult<OpenedSend> {
    let values = values![
        send.account.0,
        send.id.0,
        send.key.map(Vec::from),
        &send.request[..],
        send.draft.map(encoding::draft_id),
        encoding::send_state(send.state).to_owned(),
        send.due_at.map(encoding::time),
        send.holder.clone(),
        send.held_until.map(encoding::time),
        send.version,
        encoding::json(&send.record)?,
        encoding::time(send.created_at),
    ];
    // the one with the key may be forgotten between the two statements
    for _ in 0..2 {
        if let Some(row) = session.row(OPEN, values.clone()).await? {
            put_content(session, row.long(0)?, send).await?;
            return Ok(OpenedSend::New);
        }
        let key = send.key.as_ref();
        let key = key.ok_or_else(|| damaged("a send without a key met another"))?;
        if let Some(existing) = of_key(session, send.account, key).await? {
            return Ok(OpenedSend::Existing(Box::new(existing)));
        }
    }
    Err(damaged("a send vanished"))
}

async fn put_content(session: &mut impl Session, number: i64, send: &SendRow) -> StoreResult<()> {
    if let Some(content) = &send.content {
        let values = values![number, &content[..]];
        session.execute(PUT_CONTENT, values).await?;
    }
    Ok(())
}

async fn read(
    session: &mut impl Session,
    sql: &'static str,
    values: Values,
) -> StoreResult<Option<SendRow>> {
    let row = session.row(sql, values).await?;
    row.as_ref().map(rows::send).transpose()
}

/// A send.
pub async fn one(
    session: &mut impl Session,
    account: AccountId,
    id: SendId,
) -> StoreResult<Option<SendRow>> {
    read(session, ONE, values![account.0, id.0]).await
}

/// The send of a key.
pub async fn of_key(
    session: &mut impl Session,
    account: AccountId,
    key: &[u8; 32],
) -> StoreResult<Option<SendRow>> {
    read(session, OF_KEY, values![account.0, &key[..]]).await
}

/// The newest send of a draft.
pub async fn of_draft(
    session: &mut impl Session,
    account: AccountId,
    draft: DraftId,
) -> StoreResult<Option<SendRow>> {
    let values = values![account.0, encoding::draft_id(draft)];
    read(session, OF_DRAFT, values).await
}

/// Replaces a send of this version.
pub async fn write(session: &mut impl Session, send: &SendRow) -> StoreResult<bool> {
    let values = values![
        send.account.0,
        send.id.0,
        send.version,
        encoding::send_state(send.state).to_owned(),
        send.due_at.map(encoding::time),
        send.holder.clone(),
        send.held_until.map(encoding::time),
        encoding::json(&send.record)?,
    ];
    let Some(row) = session.row(WRITE, values).await? else {
        return Ok(false);
    };
    let number = row.long(0)?;
    match send.content {
        Some(_) => put_content(session, number, send).await?,
        None => {
            session.execute(REMOVE_CONTENT, values![number]).await?;
        }
    }
    Ok(true)
}

/// Takes sends that are due and that nobody alive holds.
pub async fn claim<S: Session>(session: &mut S, claim: &ClaimSends) -> StoreResult<Vec<SendRow>> {
    let now = encoding::time(claim.now);
    let lasts = i64::try_from(claim.lasts.as_millis()).unwrap_or(i64::MAX);
    let values = values![
        claim.holder.clone(),
        now.saturating_add(lasts),
        now,
        claim.limit,
    ];
    let sql = match S::WRITES_ALONE {
        true => CLAIM_ALONE,
        false => CLAIM_BESIDE_OTHERS,
    };
    let rows = session.rows(sql, values).await?;
    let mut claimed: Vec<SendRow> = rows.iter().map(rows::send).collect::<StoreResult<_>>()?;
    // an update returns rows in no order
    claimed.sort_by_key(|send| send.due_at);
    Ok(claimed)
}

/// When a send may be taken next.
pub async fn next_due(session: &mut impl Session) -> StoreResult<Option<Timestamp>> {
    match session.row(NEXT_DUE, values![]).await? {
        Some(row) => row.long_or_null(0)?.map(encoding::read_time).transpose(),
        None => Ok(None),
    }
}

/// Prolongs the time for which a send is held. False: it is not held at this version.
pub async fn prolong(session: &mut impl Session, prolong: &ProlongSend) -> StoreResult<bool> {
    let values = values![
        prolong.account.0,
        prolong.id.0,
        prolong.version,
        encoding::time(prolong.now),
        encoding::time(prolong.until),
    ];
    Ok(session.execute(PROLONG, values).await? > 0)
}

/// Gives back what a holder has.
pub async fn release(session: &mut impl Session, holder: &str) -> StoreResult<()> {
    session.execute(RELEASE, values![holder.to_owned()]).await?;
    Ok(())
}

/// Forgets sends that are at their end, and drafts that were sent by them. How many sends.
pub async fn forget(session: &mut impl Session, before: Timestamp, limit: u32) -> StoreResult<u64> {
    let values = values![encoding::time(before), limit];
    let forgotten = session.rows(FORGET, values).await?;
    for row in &forgotten {
        if let (Some(draft), SendState::Sent) = (
            row.long_or_null(1)?,
            encoding::read_send_state(&row.text(2)?)?,
        ) {
            let values = values![row.long(0)?, draft];
            session.execute(FORGET_DRAFT, values).await?;
        }
    }
    Ok(forgotten.len() as u64)
}
