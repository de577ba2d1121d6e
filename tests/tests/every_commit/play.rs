//! One play of the history: two lives of the gateway, one mailbox, one client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use email_model::Timestamp;
use email_provider::network::{Network, NetworkError, ServiceRecord};
use email_provider::{Clock, ProviderRegistry, SystemClock};
use gateway_operations::{
    Account, AccountInput, Gateway, GatewayContext, OperationsConfig, SaveOptions,
};
use gateway_store::Store;
use gateway_store::sealing::Sealer;
use provider_memory::{MemoryPlugin, Shape};
use secrecy::SecretString;
use tokio::net::TcpStream;

use crate::Opener;
use crate::client::Client;
use crate::dying::{Dying, Way};
use crate::mailbox::Mailbox;

/// How long a life may last.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than the lease of a gateway that died.
const AFTER_A_DEATH: i64 = 11;

/// How the first life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By a death.
    Died(&'static str),
    /// With the history: it has fewer writes.
    NobodyDied,
}

/// No way out.
#[derive(Debug)]
struct NoNetwork;

#[async_trait]
impl Network for NoNetwork {
    async fn connect(&self, _: &str, _: u16) -> Result<TcpStream, NetworkError> {
        Err(NetworkError::Unreachable)
    }
    async fn resolve(&self, _: &str, _: u16) -> Result<Vec<SocketAddr>, NetworkError> {
        Err(NetworkError::Unreachable)
    }
    async fn services(&self, _: &str) -> Vec<ServiceRecord> {
        Vec::new()
    }
    async fn is_operator_allowed(&self, _: &str) -> bool {
        false
    }
}

/// The machine's clock, put forward by seconds.
#[derive(Debug, Default)]
struct Forward(AtomicI64);

impl Clock for Forward {
    fn now(&self) -> Timestamp {
        SystemClock.now() + chrono::TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }
}

/// What outlives a gateway.
#[derive(Debug)]
pub struct Play {
    name: String,
    mailbox: Mailbox,
    plugin: MemoryPlugin,
    clock: Arc<Forward>,
    sealer: Arc<Sealer>,
    client: Client,
    account: Option<Account>,
    /// Steps that have happened in the mailbox, and those that the client has synced after.
    happened: usize,
    synced: usize,
}

impl Play {
    /// A mailbox of its own.
    pub fn new(number: u64, shape: Shape) -> Result<Self> {
        let name = format!("ann-{number}@example.org");
        let mailbox = Mailbox::new(&name, shape)?;
        let plugin = MemoryPlugin::new();
        plugin.insert(mailbox.mailbox.clone());
        Ok(Self {
            name,
            mailbox,
            plugin,
            clock: Arc::default(),
            sealer: Arc::new(Sealer::new(&Sealer::random_key()?)),
            client: Client::new(shape.labels),
            account: None,
            happened: 0,
            synced: 0,
        })
    }

    /// Plays the history, with a death at this write, and looks at what is left.
    pub fn run(mut self, open: &Opener, last_write: u64, way: Way) -> Result<Ending> {
        let ending = self.live(open, last_write, way)?;
        if let Ending::Died(of) = ending {
            let (happened, synced) = (self.happened, self.synced);
            let end = self.live(open, 0, way);
            let end =
                end.with_context(|| format!("died of {of}, at step {happened}, synced {synced}"))?;
            ensure!(end == Ending::NobodyDied, "a second death");
        }
        Ok(ending)
    }

    /// The life of a gateway: all that it runs ends with its runtime, as with a process.
    fn live(&mut self, open: &Opener, last_write: u64, way: Way) -> Result<Ending> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let ending = runtime.block_on(async {
            let store = open().await?;
            if self.account.is_none() {
                store.migrate().await?;
                self.account = Some(self.connect(&store).await?);
            }
            let dying = Arc::new(Dying::new(Arc::clone(&store), last_write, way));
            let gateway = self.gateway(Arc::clone(&dying) as _);
            let story = async {
                gateway.start().await?;
                self.go_on(&gateway).await?;
                self.compare(&gateway, &store).await
            };
            tokio::select! {
                of = dying.death() => Ok(Ending::Died(of)),
                told = tokio::time::timeout(PATIENCE, story) => {
                    told.context("it does not come to an end")??;
                    Ok(Ending::NobodyDied)
                }
            }
        });
        drop(runtime);
        self.clock.0.fetch_add(AFTER_A_DEATH, Ordering::SeqCst);
        ending
    }

    fn gateway(&self, store: Arc<dyn Store>) -> Gateway {
        let context = GatewayContext {
            public_url: None,
            network: Arc::new(NoNetwork),
            clock: Arc::clone(&self.clock) as _,
            provider_config: serde_json::Value::Null,
        };
        let config = OperationsConfig {
            // Passes begin when the client asks: each play has the same writes.
            push: false,
            freshness: Duration::ZERO,
            ..OperationsConfig::default()
        };
        let registry = ProviderRegistry::default().register(self.plugin.clone());
        Gateway::new(store, registry, context, Arc::clone(&self.sealer), config)
    }

    async fn connect(&self, store: &Arc<dyn Store>) -> Result<Account> {
        let gateway = self.gateway(Arc::clone(store));
        let secret = SecretString::from("secret");
        let application = gateway
            .put_application("tests", &secret, Vec::new(), false)
            .await?;
        let input = AccountInput {
            service_type: "Sample".into(),
            active: true,
            email: Some(self.name.clone()),
            password: Some(SecretString::from("any")),
            ..AccountInput::default()
        };
        let saved = gateway
            .save_account(&application, input, SaveOptions::default())
            .await?;
        Ok(saved.account)
    }

    /// The rest of the history. A step happens once; the client tries its sync until it ends.
    async fn go_on(&mut self, gateway: &Gateway) -> Result<()> {
        let account = self.account.clone().context("no account")?;
        while self.synced <= Mailbox::STEPS {
            if self.happened < self.synced {
                self.happened = self.synced;
                self.mailbox.happen(self.synced)?;
            }
            let synced = self.client.sync(gateway, &account).await;
            synced.with_context(|| format!("step {}", self.synced))?;
            self.synced += 1;
        }
        let mailbox = &self.mailbox.mailbox;
        self.client.catch_up(gateway, &account, mailbox).await
    }

    /// The copy is complete: a client that begins anew sees the same, and the journal holds what the mailbox holds.
    async fn compare(&mut self, gateway: &Gateway, store: &Arc<dyn Store>) -> Result<()> {
        let account = self.account.clone().context("no account")?;
        let mut other = Client::new(self.mailbox.mailbox.shape().labels);
        other
            .catch_up(gateway, &account, &self.mailbox.mailbox)
            .await?;
        self.client.must_equal(&other)?;
        ensure!(!store.has_orphans(account.id).await?, "orphans are left");
        let mut entries = 0;
        for scope in store.scopes(account.id).await? {
            entries += store.count_entries(account.id, scope.number).await?;
        }
        let folders = gateway.folders(&account).await?;
        let mut rows = Vec::new();
        let mut placed = 0;
        for id in self.client.ids() {
            let (row, places) = store.message(account.id, id).await?.context("no row")?;
            ensure!(
                !row.gone && row.orphaned.is_none(),
                "{id} is on its way out"
            );
            ensure!(places.len() == 1, "{id} is in {} places", places.len());
            let names = row.folders.iter().map(|id| {
                let folder = folders.iter().find(|folder| folder.id == *id);
                folder.map(|folder| folder.full_name.clone())
            });
            let mut names: Vec<String> = names.collect::<Option<_>>().context("no folder")?;
            names.sort();
            rows.push(names);
            placed += 1;
        }
        ensure!(entries == placed, "{entries} entries of {placed} messages");
        rows.sort();
        let places = self.mailbox.places();
        ensure!(
            rows == places,
            "the journal has them in {rows:?}, not {places:?}"
        );
        store.remove_account(account.id).await?;
        Ok(())
    }
}
