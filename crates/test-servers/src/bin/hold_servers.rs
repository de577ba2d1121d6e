//! Holds servers until it is ended from outside: what `tests/cleanup.rs` kills.
//!
//! usage: `hold_servers FILE`; the servers' directories are written to the file, a line each.

use std::path::PathBuf;

use anyhow::Context as _;
use test_servers::{Dialect, Dovecot, Postgres};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let note = std::env::args_os().nth(1).map(PathBuf::from);
    let note = note.context("usage: hold_servers FILE")?;
    let dovecot = Dovecot::shared(Dialect::Qresync).await?;
    let postgres = Postgres::shared().await?;
    let places = format!(
        "{}\n{}",
        dovecot.directory().display(),
        postgres.directory().display()
    );
    std::fs::write(note, places)?;
    std::future::pending().await
}
