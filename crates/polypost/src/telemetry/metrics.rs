use std::time::Duration;

use anyhow::Context as _;
use axum::{Router, http::header, routing::get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the buckets of durations, in seconds: a request served from memory to one that waits
/// for the slowest provider.
const SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];

/// Between two clean-ups of what was recorded since.
const UPKEEP: Duration = Duration::from_secs(5);

/// The metrics of this process.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Records from here on. Once a process.
    ///
    /// # Errors
    /// Where something else records already.
    pub fn record() -> anyhow::Result<Self> {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
        let handle = builder
            .install_recorder()
            .context("metrics cannot be recorded")?;
        metrics::gauge!("polypost_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        let kept = handle.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                kept.run_upkeep();
            }
        });
        Ok(Self(handle))
    }

    /// Serves `/metrics` as Prometheus reads it.
    pub fn router(&self) -> Router {
        let handle = self.0.clone();
        // https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
        let content_type = [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )];
        Router::new().route(
            "/metrics",
            get(async move || (content_type, handle.render())),
        )
    }
}
