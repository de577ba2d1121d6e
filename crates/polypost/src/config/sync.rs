use std::time::Duration;

use anyhow::ensure;
use gateway_operations::OperationsConfig;
use serde::Deserialize;

use super::values;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How mailboxes are synchronised: the section `[sync]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncConfig {
    /// How long a delta call waits for a pass that began after it.
    #[serde(deserialize_with = "values::duration")]
    pub pass_wait: Duration,
    /// A pass is skipped if the last one began less than this ago, where it costs a request a folder.
    #[serde(deserialize_with = "values::duration")]
    pub freshness: Duration,
    /// How long a page waits for the provider's content.
    #[serde(deserialize_with = "values::duration")]
    pub page_wait: Duration,
    /// How long `awaitReady` waits.
    #[serde(deserialize_with = "values::duration")]
    pub ready_wait: Duration,
    /// How long it is remembered that a message was removed; at least 30 days.
    #[serde(deserialize_with = "values::duration")]
    pub tombstones: Duration,
    /// Between two passes of an account that nobody asks for.
    #[serde(deserialize_with = "values::duration")]
    pub idle_pass_interval: Duration,
    /// Between two comparisons in full.
    #[serde(deserialize_with = "values::duration")]
    pub inventory_interval: Duration,
    /// Let mailboxes that can push changes.
    #[serde(deserialize_with = "values::parsed")]
    pub push: bool,
}

impl Default for SyncConfig {
    fn default() -> Self {
        let defaults = OperationsConfig::default();
        Self {
            pass_wait: defaults.pass_wait,
            freshness: defaults.freshness,
            page_wait: defaults.page_wait,
            ready_wait: defaults.ready_wait,
            tombstones: defaults.tombstones,
            idle_pass_interval: defaults.idle_pass_interval,
            inventory_interval: defaults.inventory_interval,
            push: defaults.push,
        }
    }
}

impl SyncConfig {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.tombstones >= 30 * DAY,
            "sync.tombstones: at least 30days, which is what clients are promised"
        );
        for (name, interval) in [
            ("sync.idle_pass_interval", self.idle_pass_interval),
            ("sync.inventory_interval", self.inventory_interval),
        ] {
            ensure!(interval >= Duration::from_secs(60), "{name}: at least 1min");
        }
        // What a client waits for must end before the request's own deadline.
        for (name, wait) in [
            ("sync.pass_wait", self.pass_wait),
            ("sync.page_wait", self.page_wait),
            ("sync.ready_wait", self.ready_wait),
        ] {
            ensure!(wait <= Duration::from_secs(60), "{name}: at most 1min");
        }
        Ok(())
    }
}
