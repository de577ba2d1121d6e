use crate::{
    Config,
    lifecycle::{Ended, shutdown_on_signals},
    server::{self, Parts},
};

pub(super) async fn run(config: &Config) -> anyhow::Result<Ended> {
    let shutdown = shutdown_on_signals(config.stop_grace)?;
    let running = server::start(config, Parts::default(), shutdown).await?;
    running.finished().await
}
