use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What of envelopes is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheMode {
    /// Envelopes, sealed.
    Envelopes,
    /// Ids, dates and flags only.
    Ids,
}

/// How the operations behave. Times are durations.
#[derive(Clone, Debug)]
pub struct OperationsConfig {
    /// What of envelopes is kept.
    pub cache: CacheMode,
    /// How long a delta call waits for a pass that began after it.
    pub pass_wait: Duration,
    /// A pass is skipped if the last one began less than this ago, where a level check costs a
    /// request a folder.
    pub freshness: Duration,
    /// How long a page waits for the provider's content.
    pub page_wait: Duration,
    /// How long `awaitReady` waits.
    pub ready_wait: Duration,
    /// Deadline of one interactive call to a provider.
    pub call_deadline: Duration,
    /// Deadline of one background call to a provider.
    pub background_deadline: Duration,
    /// How long tombstones are kept; at least 30 days.
    pub tombstones: Duration,
    /// Between two passes of an account that nobody asks for.
    pub idle_pass_interval: Duration,
    /// Between two comparisons in full.
    pub inventory_interval: Duration,
    /// Bytes of bodies kept in memory.
    pub content_cache_bytes: u64,
    /// How long a send counts as under way at a process of which nothing is heard. It is prolonged each third.
    pub send_lease: Duration,
    /// Scans and rescans that run at once.
    pub background_jobs: usize,
    /// Account tokens kept for one account.
    pub access_tokens: u32,
    /// Ports of mail servers that a sign-in in the browser may name.
    pub sign_in_ports: Vec<u16>,
    /// Hold a pushed watch for every synchronised account whose mailbox can push.
    pub push: bool,
}

impl Default for OperationsConfig {
    fn default() -> Self {
        let hours = |n: u64| Duration::from_secs(n * 3600);
        Self {
            cache: CacheMode::Envelopes,
            pass_wait: Duration::from_secs(5),
            freshness: Duration::from_secs(10),
            page_wait: Duration::from_secs(10),
            ready_wait: Duration::from_secs(30),
            call_deadline: Duration::from_secs(30),
            background_deadline: Duration::from_secs(120),
            tombstones: hours(24 * 90),
            idle_pass_interval: hours(24),
            inventory_interval: hours(24),
            content_cache_bytes: 64 << 20,
            send_lease: Duration::from_secs(60),
            background_jobs: 4,
            access_tokens: 20,
            sign_in_ports: vec![993, 143, 465, 587],
            push: true,
        }
    }
}
