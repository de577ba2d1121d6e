//! A gateway to call.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use email_model::FolderRole;
use email_provider::{
    ProviderRegistry, SystemClock,
    network::{GuardOptions, GuardedNetwork},
};
use gateway_http::{HttpOptions, router};
use gateway_operations::{Gateway, GatewayContext, OperationsConfig};
use gateway_store::sealing::Sealer;
use provider_memory::{MemoryMailbox, MemoryPlugin, NewMail};
use secrecy::SecretString;
use serde_json::{Value, json};
use store_sqlite::{SqliteOptions, StoreSqlite};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::contract;

/// The application's credentials.
pub const CLIENT: (&str, &str) = ("client", "client-s3cret");

/// The mailbox's password.
pub const PASSWORD: &str = "mailbox-s3cret";

/// A gateway with one application and no account.
pub struct Api {
    pub router: Router,
    pub gateway: Gateway,
    pub plugin: MemoryPlugin,
    pub stopping: CancellationToken,
    files: TempDir,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// A header as text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Status and code of a failure.
    pub fn failure(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap().to_owned();
        (self.status.as_u16(), code)
    }

    /// The body as JSON of an answer that must be a success.
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

impl Answer {
    /// The body as JSON of an answer to what was made anew.
    pub fn created(self) -> Value {
        assert_eq!(self.status, 201, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

/// A call to be made.
pub struct Call<'a> {
    router: &'a Router,
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Body,
}

impl Call<'_> {
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub fn basic(self, (id, secret): (&str, &str)) -> Self {
        let encoded = STANDARD.encode(format!("{id}:{secret}"));
        self.header("authorization", format!("Basic {encoded}"))
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into();
        self.header("content-type", "application/json")
    }

    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Makes it, and holds a JSON answer against the document.
    pub async fn send(self) -> Answer {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(self.body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap(),
        };
        if answer.header(header::CONTENT_TYPE.as_str()) == "application/json" {
            let path = self.path.split('?').next().unwrap();
            if path != "/openapi.json" {
                contract::check(self.method, path, answer.status.as_u16(), &answer.json());
            }
        }
        answer
    }
}

impl Api {
    pub async fn new() -> Self {
        Self::with(HttpOptions::default()).await
    }

    /// With these options, but for where files are.
    pub async fn with(options: HttpOptions) -> Self {
        crate::logs::install();
        let files = tempfile::tempdir().unwrap();
        let path = files.path().join("store.db");
        let store = StoreSqlite::open(&path, SqliteOptions::default())
            .await
            .unwrap();
        let store: Arc<dyn gateway_store::Store> = Arc::new(store);
        store.migrate().await.unwrap();
        let plugin = MemoryPlugin::new();
        let context = GatewayContext {
            public_url: None,
            network: Arc::new(GuardedNetwork::new(vec![], GuardOptions::default())),
            clock: Arc::new(SystemClock),
            provider_config: json!({}),
        };
        let sealer = Arc::new(Sealer::new(&Sealer::random_key().unwrap()));
        let registry = ProviderRegistry::default().register(plugin.clone());
        let config = OperationsConfig::default();
        let gateway = Gateway::new(store, registry, context, sealer, config);
        let (id, secret) = CLIENT;
        gateway
            .put_application(id, &SecretString::from(secret), vec![], false)
            .await
            .unwrap();
        gateway.start().await.unwrap();
        let stopping = CancellationToken::new();
        let options = HttpOptions {
            spool_dir: Some(files.path().join("spool")),
            ..options
        };
        Self {
            router: router(gateway.clone(), &options, stopping.clone()),
            gateway,
            plugin,
            stopping,
            files,
        }
    }

    /// Octets of each attachment that waits in a file.
    pub fn spooled(&self) -> Vec<u64> {
        let places = std::fs::read_dir(self.files.path().join("spool")).unwrap();
        let files = places.flat_map(|place| std::fs::read_dir(place.unwrap().path()).unwrap());
        let sizes = files.filter_map(|file| {
            let file = file.unwrap();
            (file.file_name() != "lock").then(|| file.metadata().unwrap().len())
        });
        sizes.collect()
    }

    pub fn call(&self, method: &'static str, path: impl Into<String>) -> Call<'_> {
        Call {
            router: &self.router,
            method,
            path: path.into(),
            headers: vec![],
            body: Body::empty(),
        }
    }

    /// Connects a mailbox with these scopes.
    pub async fn connect(&self, address: &str, scopes: &[&str]) -> Connected<'_> {
        let mailbox = self.plugin.mailbox(address);
        mailbox.require_password(Some(PASSWORD.into()));
        let saved = self
            .call("POST", "/v1/am/accounts?ensureAccess=true")
            .basic(CLIENT)
            .json(&json!({
                "serviceType": "Sample", "active": true, "email": address, "password": PASSWORD,
                "authScopes": scopes,
            }))
            .send()
            .await
            .ok();
        Connected {
            api: self,
            mailbox,
            id: saved["accountId"].as_i64().unwrap(),
            token: saved["accessToken"].as_str().unwrap().to_owned(),
        }
    }
}

/// An account that is connected.
pub struct Connected<'a> {
    pub api: &'a Api,
    pub mailbox: MemoryMailbox,
    pub id: i64,
    pub token: String,
}

impl Connected<'_> {
    pub fn call(&self, method: &'static str, path: impl Into<String>) -> Call<'_> {
        self.api.call(method, path).bearer(&self.token)
    }

    pub async fn get(&self, path: impl Into<String>) -> Value {
        self.call("GET", path).send().await.ok()
    }

    pub fn deliver(&self, mail: NewMail) {
        let inbox = self.mailbox.folder(FolderRole::Inbox).unwrap();
        self.mailbox.deliver(&inbox, mail).unwrap();
    }

    /// Id of the newest message.
    pub async fn newest(&self) -> String {
        let page = self.get("/v1/email/messages?limit=1").await;
        page["records"][0]["id"].as_str().unwrap().to_owned()
    }
}
