//! Where `install.sh` put the unpacked packages.

use std::path::PathBuf;

use anyhow::{Result, ensure};

/// The prefix of one server's packages.
pub(crate) fn prefix(name: &str) -> Result<PathBuf> {
    let peers = std::env::var_os("POLYPOST_TEST_PEERS")
        .map_or_else(|| PathBuf::from("/opt/polypost-test-peers"), PathBuf::from);
    let prefix = peers.join(name);
    ensure!(
        prefix.join(".complete").exists(),
        "{} is missing: run crates/test-servers/install.sh as root",
        prefix.display()
    );
    Ok(prefix)
}
