//! A running gateway.

use std::{io, net::SocketAddr, sync::Arc};

use anyhow::{Context as _, ensure};
use email_provider::{
    Clock, ProviderRegistry, SystemClock,
    network::{GuardOptions, GuardedNetwork, Network},
};
use gateway_http::{ServeOptions, Shutdown};
use gateway_operations::{Gateway, GatewayContext};
use gateway_store::Store;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    Config,
    lifecycle::Ended,
    providers, secret_key,
    store::{self, Serving},
    telemetry::Metrics,
};

/// What a gateway is made of besides its configuration.
#[derive(Debug)]
pub struct Parts {
    /// The backends.
    pub registry: ProviderRegistry,
    /// Sockets; by default those that the configuration allows.
    pub network: Option<Arc<dyn Network>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where the API is served; by default where the configuration says.
    pub listener: Option<TcpListener>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            registry: providers::registry(),
            network: None,
            clock: Arc::new(SystemClock),
            listener: None,
        }
    }
}

/// A gateway on its database, with nothing running in the background: what commands work with.
#[derive(Debug)]
pub struct Assembled {
    /// The gateway.
    pub gateway: Gateway,
    /// Its database.
    pub store: Arc<dyn Store>,
}

/// Opens the database and puts the gateway together.
///
/// # Errors
/// Where the configuration names something that is not there.
pub async fn assemble(config: &Config, parts: &Parts) -> anyhow::Result<Assembled> {
    for kind in config.providers.keys() {
        let known = parts.registry.by_kind(kind).is_some();
        ensure!(
            known,
            "configuration: providers.{kind} is no backend of this gateway"
        );
    }
    let store = store::open_migrated(config).await?;
    let sealer = secret_key::sealer(config, &*store).await?;
    let network = parts.network.clone().unwrap_or_else(|| {
        let allowed = config.allow_hosts.clone();
        Arc::new(GuardedNetwork::new(allowed, GuardOptions::default()))
    });
    let context = GatewayContext {
        public_url: config.public_url.clone(),
        network,
        clock: Arc::clone(&parts.clock),
        provider_config: serde_json::to_value(&config.providers)?,
    };
    let gateway = Gateway::new(
        Arc::clone(&store),
        parts.registry.clone(),
        context,
        sealer,
        config.operations(),
    );
    Ok(Assembled { gateway, store })
}

/// A gateway that serves.
#[derive(Debug)]
pub struct Running {
    /// The gateway.
    pub gateway: Gateway,
    /// Where the API is served.
    pub address: SocketAddr,
    /// Where metrics are served.
    pub metrics_address: Option<SocketAddr>,
    store: Arc<dyn Store>,
    alone: Serving,
    serving: Vec<JoinHandle<io::Result<()>>>,
    shutdown: Shutdown,
}

/// Starts a gateway: database, configured application, listeners, background work.
///
/// # Errors
/// Where a part cannot be started; nothing runs then.
pub async fn start(config: &Config, parts: Parts, shutdown: Shutdown) -> anyhow::Result<Running> {
    let Assembled { gateway, store } = assemble(config, &parts).await?;
    let alone = Serving::begin(config, &*store)?;
    if let (Some(id), Some(secret)) = (&config.client_id, &config.client_secret) {
        let urls = config.return_urls.clone();
        let token_response = config.allow_token_response;
        let put = gateway.put_application(id, secret, urls, token_response);
        let put = put.await;
        put.context("the application client_id cannot be kept")?;
    }
    let listener = match parts.listener {
        Some(listener) => listener,
        None => listen(config.listen).await?,
    };
    let address = listener.local_addr()?;
    let metrics = match config.metrics_listen {
        Some(address) => Some((Metrics::record()?, listen(address).await?)),
        None => None,
    };
    gateway.start().await?;
    let router = gateway_http::router(
        gateway.clone(),
        &config.http(address)?,
        shutdown.soft.clone(),
    );
    let mut serving = vec![tokio::spawn(gateway_http::serve(
        listener,
        router,
        config.limits.serve(),
        shutdown.clone(),
    ))];
    let mut metrics_address = None;
    if let Some((metrics, listener)) = metrics {
        metrics_address = Some(listener.local_addr()?);
        let options = ServeOptions {
            connections: 16,
            ..ServeOptions::default()
        };
        let router = metrics.router();
        serving.push(tokio::spawn(gateway_http::serve(
            listener,
            router,
            options,
            shutdown.clone(),
        )));
    }
    let metrics = metrics_address.map(tracing::field::display);
    tracing::info!(%address, metrics, version = env!("CARGO_PKG_VERSION"), "serving");
    Ok(Running {
        gateway,
        address,
        metrics_address,
        store,
        alone,
        serving,
        shutdown,
    })
}

/// Binds a listener.
pub(crate) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("{address} cannot be listened on"))
}

impl Running {
    /// Serves until the shutdown, lets running requests and what is being committed finish, and closes
    /// the database. The hard shutdown breaks that off.
    ///
    /// # Errors
    /// Where a listener failed.
    pub async fn finished(self) -> anyhow::Result<Ended> {
        for serving in self.serving {
            serving.await.context("the server failed")??;
        }
        let stop = async {
            self.gateway.stop().await;
            self.store.close().await;
        };
        let stopped = self.shutdown.hard.run_until_cancelled(stop).await;
        let ended = match stopped {
            Some(()) if !self.shutdown.hard.is_cancelled() => Ended::Finished,
            _ => Ended::BrokenOff,
        };
        tracing::info!(?ended, "stopped");
        drop(self.alone);
        Ok(ended)
    }

    /// Begins the soft shutdown and waits for its end.
    ///
    /// # Errors
    /// As [`Self::finished`].
    pub async fn stop(self) -> anyhow::Result<Ended> {
        self.shutdown.soft.cancel();
        self.finished().await
    }
}
