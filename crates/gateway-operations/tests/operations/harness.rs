//! A gateway over a mailbox in memory.

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{Duration, TimeZone as _, Utc};
use email_model::{Flags, FolderRole, MessageId, Timestamp};
use email_provider::{
    Clock, MessageRef, ProviderRegistry, SystemClock,
    network::{Network, NetworkError, ServiceRecord},
};
use gateway_operations::{
    Account, AccountInput, Application, Gateway, GatewayContext, ListRequest, MessageView,
    OperationsConfig, SaveOptions,
};
use gateway_store::{Store, sealing::Sealer};
use provider_memory::{MemoryMailbox, MemoryPlugin, NewMail, Shape};
use secrecy::SecretString;
use serde_json::Value;
use store_sqlite::{SqliteOptions, StoreSqlite};
use tempfile::TempDir;
use tokio::net::TcpStream;

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

pub const PASSWORD: &str = "correct horse";

pub struct Harness {
    pub gateway: Gateway,
    pub plugin: MemoryPlugin,
    pub mailbox: MemoryMailbox,
    pub application: Application,
    pub account: Account,
    pub store: Arc<dyn Store>,
    sealer: Arc<Sealer>,
    _directory: TempDir,
}

/// What a mail says.
#[derive(Clone, Default)]
pub struct Mail<'a> {
    pub id: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
    pub references: &'a str,
    pub flags: Flags,
    /// Minutes after the first moment.
    pub minute: i64,
}

impl Harness {
    /// An account that does not synchronise.
    pub async fn new(shape: Shape) -> Self {
        Self::with(shape, OperationsConfig::default()).await
    }

    pub async fn with(shape: Shape, config: OperationsConfig) -> Self {
        Self::at(shape, config, Arc::new(SystemClock), |plugin| {
            ProviderRegistry::default().register(plugin)
        })
        .await
    }

    /// As [`Self::with`], by another clock and through another backend.
    pub async fn at(
        shape: Shape,
        config: OperationsConfig,
        clock: Arc<dyn Clock>,
        backends: impl FnOnce(MemoryPlugin) -> ProviderRegistry,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let store = Arc::new(
            StoreSqlite::open(&path, SqliteOptions::default())
                .await
                .unwrap(),
        );
        store.migrate().await.unwrap();
        let plugin = MemoryPlugin::new();
        let mailbox = MemoryMailbox::new("ann@example.org", shape, 1);
        mailbox.require_password(Some(SecretString::from(PASSWORD)));
        plugin.insert(mailbox.clone());
        let sealer = Arc::new(Sealer::new(&Sealer::random_key().unwrap()));
        let gateway = Gateway::new(
            Arc::clone(&store) as _,
            backends(plugin.clone()),
            context(clock),
            Arc::clone(&sealer),
            config,
        );
        let secret = SecretString::from("secret");
        let application = gateway
            .put_application("app", &secret, Vec::new(), false)
            .await
            .unwrap();
        let saved = gateway
            .save_account(&application, input(), SaveOptions::default())
            .await
            .unwrap();
        let account = saved.account;
        Self {
            gateway,
            plugin,
            mailbox,
            application,
            account,
            store,
            sealer,
            _directory: directory,
        }
    }

    /// Another gateway on the same store.
    pub fn another_gateway(&self) -> Gateway {
        self.another_gateway_at(Arc::new(SystemClock))
    }

    /// The same by another clock.
    pub fn another_gateway_at(&self, clock: Arc<dyn Clock>) -> Gateway {
        Gateway::new(
            Arc::clone(&self.store),
            ProviderRegistry::default().register(self.plugin.clone()),
            context(clock),
            Arc::clone(&self.sealer),
            OperationsConfig::default(),
        )
    }

    pub fn deliver(&self, role: FolderRole, mail: &Mail<'_>) -> MessageRef {
        let folder = self.mailbox.folder(role).unwrap();
        let references = match mail.references {
            "" => String::new(),
            ids => format!("References: {ids}\r\n"),
        };
        let raw = format!(
            "Message-ID: <{}@example.org>\r\nDate: Mon, 6 Jan 2025 10:00:00 +0000\r\n{references}\
             From: Bob <bob@example.org>\r\nTo: ann@example.org\r\nSubject: {}\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n",
            mail.id, mail.subject, mail.text
        );
        let received_at = first_moment() + Duration::minutes(mail.minute);
        let flags = mail.flags;
        let mail = NewMail {
            raw: Bytes::from(raw),
            received_at,
            flags,
            keywords: Vec::new(),
        };
        self.mailbox.deliver(&folder, mail).unwrap()
    }

    /// The ids of the newest messages.
    pub async fn ids(&self) -> Vec<MessageId> {
        self.list(ListRequest::default())
            .await
            .iter()
            .map(|view| view.id)
            .collect()
    }

    pub async fn list(&self, request: ListRequest) -> Vec<MessageView> {
        self.gateway
            .list_messages(&self.account, request)
            .await
            .unwrap()
            .records
    }

    pub async fn search(&self, q: &str) -> Vec<String> {
        let request = ListRequest {
            q: Some(q.into()),
            ..ListRequest::default()
        };
        subjects(&self.list(request).await)
    }
}

fn context(clock: Arc<dyn Clock>) -> GatewayContext {
    GatewayContext {
        public_url: None,
        network: Arc::new(NoNetwork),
        clock,
        provider_config: Value::Null,
    }
}

pub fn first_moment() -> Timestamp {
    Utc.with_ymd_and_hms(2025, 1, 6, 12, 0, 0).unwrap()
}

pub fn input() -> AccountInput {
    AccountInput {
        service_type: "Sample".into(),
        active: true,
        email: Some("ann@example.org".into()),
        password: Some(SecretString::from(PASSWORD)),
        ..AccountInput::default()
    }
}

pub fn subjects(views: &[MessageView]) -> Vec<String> {
    views
        .iter()
        .map(|view| {
            view.envelope
                .as_ref()
                .unwrap()
                .subject
                .clone()
                .unwrap_or_default()
        })
        .collect()
}
