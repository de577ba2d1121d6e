use std::{fmt, sync::Arc, time::Duration};

use email_model::Timestamp;
use email_provider::{Call, Clock, Priority, ProviderRegistry, network::Network};
use gateway_store::{Store, sealing::Sealer};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::{
    OperationError, OperationResult, accounts::Connecting, config::OperationsConfig,
    journal::Journals, mailboxes::Mailboxes, messages::ContentCache, oauth::Grants, sending::Clerk,
    sync::Supervisor,
};

/// What the gateway may use of the world.
#[derive(Clone, Debug)]
pub struct GatewayContext {
    /// Sockets and names.
    pub network: Arc<dyn Network>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The root of the API as the world reaches it, where that is known.
    pub public_url: Option<Url>,
    /// Sections of the configuration by kind of backend.
    pub provider_config: Value,
}

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Arc<dyn Store>,
    pub registry: ProviderRegistry,
    pub context: GatewayContext,
    pub sealer: Arc<Sealer>,
    pub config: OperationsConfig,
    pub mailboxes: Mailboxes,
    pub journals: Journals,
    pub contents: ContentCache,
    pub connecting: Connecting,
    pub grants: Grants,
    pub supervisor: Supervisor,
    pub clerk: Clerk,
    /// Names this process towards others on the same store.
    pub process: String,
    pub tasks: TaskTracker,
    /// Ends background work.
    pub stopping: CancellationToken,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gateway({})", self.inner.process)
    }
}

impl Gateway {
    /// A gateway over a migrated store. Nothing runs in the background until [`Self::start`].
    pub fn new(
        store: Arc<dyn Store>,
        registry: ProviderRegistry,
        context: GatewayContext,
        sealer: Arc<Sealer>,
        config: OperationsConfig,
    ) -> Self {
        let contents = ContentCache::new(config.content_cache_bytes);
        let supervisor = Supervisor::new(config.background_jobs);
        let process = match store.is_shared() {
            true => uuid::Uuid::new_v4().to_string(),
            false => "the only one".to_owned(),
        };
        let inner = Inner {
            grants: Grants::new(Arc::clone(&context.network)),
            store,
            registry,
            context,
            sealer,
            mailboxes: Mailboxes::default(),
            journals: Journals::default(),
            contents,
            connecting: Connecting::default(),
            supervisor,
            clerk: Clerk::default(),
            config,
            process,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Starts the background work: passes, scans, watches of every synchronised account.
    ///
    /// # Errors
    /// `BadRequest` for a section of the configuration that its backend cannot read; the store's errors.
    pub async fn start(&self) -> OperationResult<()> {
        for plugin in self.inner.registry.plugins() {
            let kind = plugin.info().kind;
            let budget = plugin.budget(&self.connect_context(kind));
            budget.map_err(|error| {
                OperationError::bad_request(format!(
                    "the section `{kind}` of the providers: {error}"
                ))
            })?;
        }
        // Before anybody asks for a send, which would be held by the same name.
        self.inner.store.release_sends(&self.inner.process).await?;
        let gateway = self.clone();
        self.inner
            .tasks
            .spawn(async move { gateway.keep_outbox().await });
        self.supervise().await
    }

    /// Ends the background work, lets what is being committed finish, and closes the mailboxes.
    pub async fn stop(&self) {
        self.inner.stopping.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        self.close_mailboxes().await;
    }

    /// Whether the store answers.
    pub async fn ready(&self) -> OperationResult<()> {
        Ok(self.inner.store.ping().await?)
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.inner.context.clock.now()
    }

    /// A call that a client waits for.
    pub(crate) fn interactive(&self) -> Call {
        self.call(Priority::Interactive, self.inner.config.call_deadline)
    }

    /// A call that nobody waits for.
    pub(crate) fn background(&self) -> Call {
        self.call(Priority::Background, self.inner.config.background_deadline)
    }

    pub(crate) fn call(&self, priority: Priority, within: Duration) -> Call {
        Call {
            priority,
            deadline: Instant::now() + within,
        }
    }
}
