//! The gateway's main job, shown on a sample mailbox: everything after the start goes through its own
//! API, as a client would do it.

mod api;
mod copy;
mod show;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Args;
use email_provider::ProviderRegistry;
use indicatif::{ProgressBar, ProgressStyle};
use provider_memory::MemoryPlugin;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{net::TcpListener, time::sleep};

use self::{
    api::{Account, Api},
    copy::MailboxCopy,
};
use crate::{
    Config,
    commands::{app, print},
    lifecycle::{Ended, shutdown_on_signals},
    server::{self, Parts},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to serve the API [default: 127.0.0.1:8080, or a free port if that one is taken]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where to keep the database [default: a directory that is removed at the end]
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    /// How often something happens in the sample mailbox
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    every: humantime::Duration,
}

const CLIENT_ID: &str = "quickstart";
const ADDRESS: &str = "you@sample.example";

/// Between two looks for changes.
const POLL: Duration = Duration::from_secs(1);

pub(super) async fn run(config: Config, arguments: Arguments) -> anyhow::Result<Ended> {
    let shutdown = shutdown_on_signals(config.stop_grace)?;
    let temporary = tempfile::tempdir().context("no temporary directory can be made")?;
    let secret = app::new_secret()?;
    let config = Config {
        data_dir: arguments
            .data_dir
            .unwrap_or_else(|| temporary.path().to_owned()),
        database_url: None,
        secret_key: None,
        public_url: None,
        client_id: Some(CLIENT_ID.to_owned()),
        client_secret: Some(secret.clone()),
        return_urls: Vec::new(),
        providers: Default::default(),
        ..config
    };
    let samples = MemoryPlugin::with_samples(Some(arguments.every.into()));
    let parts = Parts {
        registry: ProviderRegistry::default().register(samples),
        listener: Some(bind(arguments.listen, config.listen).await?),
        ..Parts::default()
    };
    let running = server::start(&config, parts, shutdown.clone()).await?;
    let base = format!("http://{}", running.address);
    print::line(format!("The gateway runs at {base}"))?;
    let shown = shutdown
        .soft
        .run_until_cancelled(demonstrate(&base, &secret))
        .await;
    // A request that the stop cut short is no failure.
    let stopping = shutdown.soft.is_cancelled();
    let ended = running.stop().await?;
    if let Some(Err(error)) = shown
        && !stopping
    {
        return Err(error);
    }
    print::line("Stopped.")?;
    Ok(ended)
}

async fn bind(asked: Option<SocketAddr>, preferred: SocketAddr) -> anyhow::Result<TcpListener> {
    if let Some(address) = asked {
        return server::listen(address).await;
    }
    match server::listen(preferred).await {
        Ok(listener) => Ok(listener),
        Err(_) => server::listen((preferred.ip(), 0).into()).await,
    }
}

/// Connects the sample mailbox, synchronises it and then follows it for good.
async fn demonstrate(base: &str, secret: &SecretString) -> anyhow::Result<()> {
    let api = Api::new(base)?;
    let connected = api.connect(CLIENT_ID, secret, ADDRESS).await?;
    let account = api.with_token(connected.access_token.clone());
    print::line(format!(
        "Connected the sample mailbox {ADDRESS}: account {}",
        connected.account_id
    ))?;
    let mut copy = synchronise(&account).await?;
    show::summary(&copy)?;
    show::next_steps(base, connected.access_token.expose_secret(), &copy)?;
    loop {
        sleep(POLL).await;
        match copy.follow(&account).await {
            Ok(changes) => show::changes(&copy, &changes)?,
            Err(error) if api::asks_to_wait(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Starts the sync, waits until it is ready and takes the whole mailbox page by page.
async fn synchronise(account: &Account) -> anyhow::Result<MailboxCopy> {
    let bar = ProgressBar::new(0).with_message("Looking through the mailbox");
    bar.set_style(ProgressStyle::with_template(
        "{msg} [{bar:40}] {pos}/{len}",
    )?);
    bar.enable_steady_tick(Duration::from_millis(100));
    let started = loop {
        let started = account.start_sync().await?;
        if let Some(progress) = account.progress().await? {
            bar.set_length(progress.total.unwrap_or(progress.messages));
            bar.set_position(progress.messages);
        }
        if started.ready {
            break started;
        }
        sleep(Duration::from_millis(200)).await;
    };
    bar.set_message("Fetching the first copy");
    bar.set_position(0);
    let copy = MailboxCopy::fetch(account, started, |messages| bar.inc(messages)).await;
    bar.finish_and_clear();
    copy
}
