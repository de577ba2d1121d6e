use crate::{
    Config,
    lifecycle::{Ended, shutdown_on_signals},
    server::{self, Parts},
};

pub(super) async fn run(config: &Config) -> anyhow::Result<Ended> {
    let shutdown = shutdown_on_signals(config.stop_grace)?;
    let starting = server::start(config, Parts::default(), shutdown.clone());
    match shutdown.soft.run_until_cancelled(starting).await {
        Some(running) => running?.finished().await,
        // A start that waits for its database can be given up.
        None => Ok(Ended::Finished),
    }
}
