//! Row 7: octets that the journal takes for each message, indexes included.

use anyhow::Result;
use gateway_store::TableSize;

use crate::figure::{Figure, Report, say};
use crate::gateway::Gateway;
use crate::setting::{Setting, Synced};
use crate::stores::{self, Kind};

/// With envelopes, and with ids only.
const fn most(kind: Kind) -> (f64, f64) {
    match kind {
        Kind::Postgres => (1_200.0, 500.0),
        Kind::Sqlite => (900.0, 350.0),
    }
}

pub async fn measure(setting: &mut Setting, report: &mut Report) -> Result<()> {
    let messages = setting.options.messages;
    for kind in Kind::BOTH {
        let (envelopes, ids) = most(kind);
        let empty = empty(setting, kind).await?;
        let whole = setting.sync(kind, &[]).await?;
        let what = format!("kept of each message, {}", kind.name());
        let each = kept(whole, empty, messages).await?;
        report.add(Figure::most(7, what, each, envelopes, "octets"));
        let bare = setting.sync(kind, &[("POLYPOST_CACHE", "ids")]).await?;
        let what = format!("kept of each message, ids only, {}", kind.name());
        let each = kept(bare, empty, messages).await?;
        report.add(Figure::most(7, what, each, ids, "octets"));
    }
    Ok(())
}

/// Octets of a store without accounts.
async fn empty(setting: &mut Setting, kind: Kind) -> Result<u64> {
    let database = setting.database(kind).await?;
    let mut gateway = Gateway::start(database, &[]).await?;
    gateway.stop().await?;
    Ok(total(&stores::open(&gateway).await?.table_sizes().await?))
}

/// By how much the store has grown after a first sync and VACUUM, over the number of messages.
async fn kept(mut synced: Synced, empty: u64, messages: usize) -> Result<f64> {
    synced.gateway.stop().await?;
    let grown = total(&stores::open(&synced.gateway).await?.table_sizes().await?);
    let grown = grown.saturating_sub(empty);
    stores::vacuum(&synced.gateway).await?;
    let mut sizes = stores::open(&synced.gateway).await?.table_sizes().await?;
    sizes.sort_by_key(|size| std::cmp::Reverse(size.bytes));
    for size in sizes.iter().filter(|size| size.bytes > 100_000) {
        say(&format!(
            "{:28} {:8.1}",
            size.name,
            each(size.bytes, messages)
        ));
    }
    say(&format!(
        "{:28} {:8.1}",
        "before VACUUM",
        each(grown, messages)
    ));
    Ok(each(total(&sizes).saturating_sub(empty), messages))
}

fn total(sizes: &[TableSize]) -> u64 {
    sizes.iter().map(|size| size.bytes).sum()
}

#[expect(clippy::cast_precision_loss, reason = "octets of one mailbox")]
fn each(bytes: u64, messages: usize) -> f64 {
    bytes as f64 / messages.max(1) as f64
}
