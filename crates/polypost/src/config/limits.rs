use std::time::Duration;

use anyhow::ensure;
use gateway_http::{HttpOptions, ServeOptions};
use gateway_operations::OperationsConfig;
use serde::Deserialize;

use super::values;

/// How much is done at once, and for how long: the section `[limits]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Clients' connections at once; more wait in the listener's queue.
    #[serde(deserialize_with = "values::parsed")]
    pub connections: usize,
    /// Requests worked on at once; more wait.
    #[serde(deserialize_with = "values::parsed")]
    pub requests: usize,
    /// How long a request waits for its turn before it is refused.
    #[serde(deserialize_with = "values::duration")]
    pub request_wait: Duration,
    /// How long a request may take until its response begins.
    #[serde(deserialize_with = "values::duration")]
    pub request_deadline: Duration,
    /// Octets of a request with a message to be sent or kept as a draft.
    #[serde(deserialize_with = "values::parsed")]
    pub send_bytes: u64,
    /// Such requests beyond 256 KiB that are taken in at once.
    #[serde(deserialize_with = "values::parsed")]
    pub uploads: usize,
    /// How many of them one account may have.
    #[serde(deserialize_with = "values::parsed")]
    pub uploads_per_account: usize,
    /// Octets of all attachments that wait to be sent.
    #[serde(deserialize_with = "values::parsed")]
    pub spool_bytes: u64,
    /// Connections to PostgreSQL.
    #[serde(deserialize_with = "values::parsed")]
    pub database_connections: u32,
    /// Deadline of one call to a provider that a client waits for.
    #[serde(deserialize_with = "values::duration")]
    pub call_deadline: Duration,
    /// Deadline of one call to a provider in the background.
    #[serde(deserialize_with = "values::duration")]
    pub background_deadline: Duration,
    /// How long a send counts as under way at a process of which nothing is heard.
    #[serde(deserialize_with = "values::duration")]
    pub send_lease: Duration,
    /// Scans and rescans that run at once.
    #[serde(deserialize_with = "values::parsed")]
    pub background_jobs: usize,
    /// Octets of bodies kept in memory.
    #[serde(deserialize_with = "values::parsed")]
    pub content_cache_bytes: u64,
    /// Account tokens kept for one account.
    #[serde(deserialize_with = "values::parsed")]
    pub access_tokens: u32,
    /// Ports of mail servers that a sign-in in the browser may name.
    #[serde(deserialize_with = "values::list")]
    pub sign_in_ports: Vec<u16>,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let operations = OperationsConfig::default();
        let http = HttpOptions::default();
        Self {
            connections: ServeOptions::default().connections,
            requests: http.concurrency,
            request_wait: http.longest_wait,
            request_deadline: http.deadline,
            send_bytes: http.send_bytes,
            uploads: http.uploads,
            uploads_per_account: http.uploads_per_account,
            spool_bytes: http.spool_bytes,
            database_connections: store_postgres::PostgresOptions::default().connections,
            call_deadline: operations.call_deadline,
            background_deadline: operations.background_deadline,
            send_lease: operations.send_lease,
            background_jobs: operations.background_jobs,
            content_cache_bytes: operations.content_cache_bytes,
            access_tokens: operations.access_tokens,
            sign_in_ports: operations.sign_in_ports,
        }
    }
}

impl LimitsConfig {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let counts = [
            ("limits.connections", self.connections),
            ("limits.requests", self.requests),
            ("limits.uploads", self.uploads),
            ("limits.uploads_per_account", self.uploads_per_account),
            ("limits.background_jobs", self.background_jobs),
            (
                "limits.database_connections",
                self.database_connections as usize,
            ),
            ("limits.access_tokens", self.access_tokens as usize),
        ];
        for (name, count) in counts {
            ensure!((1..=1_000_000).contains(&count), "{name}: 1 to 1000000");
        }
        ensure!(
            self.send_bytes >= 1 << 20,
            "limits.send_bytes: at least 1048576"
        );
        ensure!(
            self.spool_bytes >= self.send_bytes,
            "limits.spool_bytes: at least send_bytes"
        );
        let times = [
            ("limits.request_deadline", self.request_deadline),
            ("limits.call_deadline", self.call_deadline),
            ("limits.background_deadline", self.background_deadline),
        ];
        for (name, time) in times {
            ensure!(time >= Duration::from_secs(1), "{name}: at least 1s");
        }
        ensure!(
            (Duration::from_secs(3)..=Duration::from_secs(600)).contains(&self.send_lease),
            "limits.send_lease: 3s to 10min"
        );
        Ok(())
    }

    /// What the API is told.
    pub fn http(&self) -> HttpOptions {
        HttpOptions {
            concurrency: self.requests,
            longest_wait: self.request_wait,
            deadline: self.request_deadline,
            send_bytes: self.send_bytes,
            uploads: self.uploads,
            uploads_per_account: self.uploads_per_account,
            spool_bytes: self.spool_bytes,
            ..HttpOptions::default()
        }
    }

    /// What the API's server is told.
    pub fn serve(&self) -> ServeOptions {
        ServeOptions {
            connections: self.connections,
            ..ServeOptions::default()
        }
    }
}
