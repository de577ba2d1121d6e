//! The rows.

mod attachment;
mod bytes_kept;
mod delta;
mod first_sync;
mod first_walk;
mod load;
mod memory;
mod page;
mod sending;
mod single;

use anyhow::{Result, bail};

use crate::figure::Report;
use crate::setting::Setting;

/// Measures a row.
pub async fn measure(row: u8, setting: &mut Setting, report: &mut Report) -> Result<()> {
    match row {
        1 => first_sync::measure(setting, report).await,
        2 => first_walk::measure(setting, report).await,
        3 => delta::measure(setting, report).await,
        4 => page::measure(setting, report).await,
        5 => single::measure(setting, report).await,
        6 => memory::measure(setting, report).await,
        7 => bytes_kept::measure(setting, report).await,
        8 => load::measure(setting, report).await,
        9 => sending::measure(setting, report).await,
        10 => attachment::measure(report).await,
        _ => bail!("there is no such row"),
    }
}
