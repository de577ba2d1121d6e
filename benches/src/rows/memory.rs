//! Row 6: memory of an idle gateway, and of idle accounts that wait for changes.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use test_servers::{Dovecot, DovecotOptions};

use crate::figure::{Figure, Report, say};
use crate::gateway::Gateway;
use crate::setting::Setting;

const MOST_BASE: f64 = 60.0;
const MOST_ACCOUNT: f64 = 40.0;
/// How many accounts are added at once.
const AT_ONCE: usize = 8;
/// Longer than connections are kept that nobody uses.
const REST: Duration = Duration::from_secs(110);

#[expect(clippy::cast_precision_loss, reason = "KiB of one machine")]
pub async fn measure(setting: &mut Setting, report: &mut Report) -> Result<()> {
    let accounts = setting.options.accounts;
    // Dovecot keeps waiting connections in one process, so that the machine has room for them.
    let mut dovecot = Dovecot::start(DovecotOptions {
        hibernate: Some(Duration::from_secs(2)),
        users: accounts,
        ..DovecotOptions::default()
    })
    .await?;
    let mut gateway = Gateway::start(None, &[]).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let base = gateway.resident()?;
    report.add(Figure::most(
        6,
        "idle gateway",
        base as f64 / 1_024.0,
        MOST_BASE,
        "MiB",
    ));

    let port = dovecot.imap_port();
    let users: Vec<&String> = dovecot.users().iter().rev().take(accounts).collect();
    stream::iter(users)
        .map(|user| async {
            let (_, client) = gateway.connect(user, port).await?;
            client.sync_to_the_end().await
        })
        .buffer_unordered(AT_ONCE)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    let busy = gateway.resident()?;
    tokio::time::sleep(REST).await;
    let waiting = connections_to(port)?;
    let idle = gateway.resident()?;
    say(&format!(
        "{busy} KiB when the last account was added, {idle} KiB {} s later with {waiting} connections",
        REST.as_secs()
    ));
    ensure!(
        waiting >= accounts,
        "only {waiting} connections wait for changes"
    );
    let each = (idle as f64 - base as f64) / accounts as f64;
    let what = format!("each of {accounts} connected idle accounts");
    report.add(Figure::most(6, what, each, MOST_ACCOUNT, "KiB"));
    gateway.stop().await?;
    dovecot.stop().await
}

/// Established connections to a port on loopback (proc(5), `/proc/net/tcp`: the third field is the peer, the fourth the
/// state, 01 for established).
fn connections_to(port: u16) -> Result<usize> {
    let peer = format!("0100007F:{port:04X}");
    let table = std::fs::read_to_string("/proc/net/tcp")?;
    let is_one = |line: &&str| {
        let mut fields = line.split_whitespace().skip(2);
        fields.next() == Some(peer.as_str()) && fields.next() == Some("01")
    };
    Ok(table.lines().filter(is_one).count())
}
