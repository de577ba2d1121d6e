//! Leases on accounts' passes and scans.

use gateway_store::{AccountId, Lease, LeaseRequest, StoreResult};

use crate::{Columns, Session, encoding, values};

const TAKE: &str = "insert into lease (account, holder, until) values ($1, $2, $3)
     on conflict (account) do update set holder = excluded.holder, until = excluded.until
     where lease.holder = excluded.holder or lease.until <= $4
     returning until";
const RELEASE: &str = "delete from lease where account = $1 and holder = $2";

/// Takes or prolongs a lease. `None`: another holder has it.
pub async fn take(
    session: &mut impl Session,
    request: &LeaseRequest,
) -> StoreResult<Option<Lease>> {
    let now = encoding::time(request.now);
    let lasts = i64::try_from(request.lasts.as_millis()).unwrap_or(i64::MAX);
    let values = values![
        request.account.0,
        request.holder.clone(),
        now.saturating_add(lasts),
        now,
    ];
    let row = session.row(TAKE, values).await?;
    row.map(|row| {
        let until = encoding::read_time(row.long(0)?)?;
        Ok(Lease { until })
    })
    .transpose()
}

/// Gives a lease back.
pub async fn release(
    session: &mut impl Session,
    account: AccountId,
    holder: &str,
) -> StoreResult<()> {
    session
        .execute(RELEASE, values![account.0, holder.to_owned()])
        .await?;
    Ok(())
}
