//! A gateway in the test's own process, between an application and a provider that the test holds in its hands.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use email_provider::{Clock, ProviderRegistry, SystemClock};
use fake_gmail::{FakeGmail, User};
use fake_graph::FakeGraph;
use fake_oauth::FakeOAuth;
use gateway_operations::Gateway;
use polypost::server::{Parts, Running};
use polypost::{Config, providers, server};
use polypost_tests::{Answer, Api, Auth, CLIENT_ID, CLIENT_SECRET, Call, Storage, StoreKind};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::browser::{Browser, Page, parameter};

/// Where the application's sign-ins return to.
pub const RETURN_URL: &str = "http://app.example/return?x=%20y";
/// The same of another application.
pub const OTHER_URL: &str = "https://other.example/return";
/// Another application, whose sign-ins may return tokens.
pub const OTHER: (&str, &str) = ("other", "another secret");
/// The gateway at the provider.
pub const AT_PROVIDER: (&str, &str) = ("gateway", "the gateway's secret");

/// The machine's clock, put forward by seconds.
#[derive(Debug, Default)]
pub struct Forward(AtomicI64);

impl Forward {
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Forward {
    fn now(&self) -> email_model::Timestamp {
        SystemClock.now() + chrono::TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }
}

/// A gateway that serves.
#[derive(Debug)]
pub struct Replica {
    pub base: String,
    pub gateway: Gateway,
    running: Option<Running>,
}

impl Replica {
    pub fn application(&self) -> Api {
        self.signed_in(CLIENT_ID, CLIENT_SECRET)
    }

    pub fn other(&self) -> Api {
        self.signed_in(OTHER.0, OTHER.1)
    }

    fn signed_in(&self, id: &str, secret: &str) -> Api {
        let auth = Auth::Basic {
            id: id.to_owned(),
            secret: secret.to_owned(),
            account: None,
        };
        Api::new(&self.base, auth)
    }

    pub fn with_token(&self, token: &str) -> Api {
        Api::new(&self.base, Auth::Bearer(token.to_owned()))
    }

    /// Ends it in order.
    pub async fn stop(mut self) {
        let running = self.running.take().unwrap();
        running.stop().await.unwrap();
    }
}

/// Everything around a sign-in.
pub struct World {
    pub oauth: FakeOAuth,
    pub gmail: FakeGmail,
    pub graph: FakeGraph,
    pub clock: Arc<Forward>,
    pub replica: Replica,
    config: Config,
    pub storage: Storage,
}

impl World {
    pub async fn new() -> Self {
        Self::on(StoreKind::Sqlite, providers::registry()).await
    }

    /// Configured otherwise.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::of(StoreKind::Sqlite, providers::registry(), change).await
    }

    /// On this store, with these backends.
    pub async fn on(store: StoreKind, registry: ProviderRegistry) -> Self {
        Self::of(store, registry, |_| {}).await
    }

    async fn of(
        store: StoreKind,
        registry: ProviderRegistry,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let oauth = FakeOAuth::start().await.unwrap();
        let gmail = FakeGmail::start(&oauth).await.unwrap();
        let graph = FakeGraph::start(&oauth).await.unwrap();
        let storage = Storage::new(store).await.unwrap();
        let clock = Arc::new(Forward::default());
        let mut config = config(&oauth, (&gmail, &graph), &storage);
        config
            .providers
            .retain(|kind, _| registry.by_kind(kind).is_some());
        change(&mut config);
        let replica = serve(&config, &clock, registry).await;
        let callback = format!("{}/v1/auth/callback", replica.base);
        oauth.add_client(AT_PROVIDER.0, Some(AT_PROVIDER.1), &[&callback]);
        let secret = OTHER.1.into();
        let put =
            replica
                .gateway
                .put_application(OTHER.0, &secret, vec![OTHER_URL.to_owned()], true);
        put.await.unwrap();
        Self {
            oauth,
            gmail,
            graph,
            clock,
            replica,
            config,
            storage,
        }
    }

    /// One more gateway on the same database.
    pub async fn another(&self) -> Replica {
        let registry = providers::registry();
        serve(&self.config, &self.clock, registry).await
    }

    /// Another gateway after this one has ended.
    pub async fn restarted(self) -> Self {
        self.replica.stop().await;
        let registry = providers::registry();
        let replica = serve(&self.config, &self.clock, registry).await;
        Self { replica, ..self }
    }

    /// A user of the provider, with a message in the mailbox.
    pub fn user(&self, email: &str) -> User {
        let user = self.gmail.user(email);
        self.receive(&user, "hello");
        user
    }

    /// A message arrives.
    pub fn receive(&self, user: &User, subject: &str) {
        let raw = format!(
            "From: bob@example.org\r\nTo: {}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@example.org>\r\n\
             Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHi.\r\n--b\r\n\
             Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nabc\r\n--b--\r\n",
            user.email(),
        );
        let now = SystemClock.now().timestamp_millis();
        user.append(raw.as_bytes(), &["INBOX", "UNREAD"], now);
    }

    /// The address to which the application sends a browser.
    pub fn authorize_url(&self, parameters: &[(&str, &str)]) -> Url {
        let mut url: Url = format!("{}/v1/auth/authorize", self.replica.base)
            .parse()
            .unwrap();
        let usual = [
            ("clientId", CLIENT_ID),
            ("serviceType", "Google"),
            ("returnUrl", RETURN_URL),
            ("state", "the application's"),
        ];
        let usual = usual.iter().filter(|(name, _)| {
            let given = parameters.iter().any(|(given, _)| given == name);
            !given
        });
        url.query_pairs_mut()
            .extend_pairs(usual)
            .extend_pairs(parameters);
        url
    }

    /// Has a browser go to the provider and consent there; returns the address to which it is sent back.
    pub async fn consented(&self, browser: &mut Browser, parameters: &[(&str, &str)]) -> Url {
        let page = browser.get(self.authorize_url(parameters)).await;
        assert_eq!(page.status, 303, "{page:?}");
        let provider = page.location();
        assert!(
            provider.as_str().starts_with(&self.oauth.authorize_url()),
            "{provider}"
        );
        let page = browser.get(&provider).await;
        let callback = page.location();
        assert!(
            callback.as_str().starts_with(&self.replica.base),
            "{callback}"
        );
        callback
    }

    /// The whole way of a browser; returns the address at the application that it ends at.
    pub async fn signed_in(&self, parameters: &[(&str, &str)]) -> Url {
        let mut browser = Browser::new();
        let callback = self.consented(&mut browser, parameters).await;
        let page = browser.get(&callback).await;
        assert_eq!(page.status, 303, "{page:?}");
        assert!(browser.cookies().is_empty(), "the cookie is taken back");
        page.location()
    }

    /// The whole way of the application: a connected account.
    pub async fn connected(&self, email: &str) -> Account {
        self.connected_with(&[("loginHint", email)]).await
    }

    pub async fn connected_with(&self, parameters: &[(&str, &str)]) -> Account {
        let end = self.signed_in(parameters).await;
        let code = code_of(&end);
        let answer = self.exchange(&self.replica.application(), &code).await;
        Account::of(&answer, &self.replica)
    }

    /// Exchanges a code.
    pub async fn exchange(&self, api: &Api, code: &str) -> Answer {
        let call = Call::post("/v1/auth/token/{code}").with("code", code);
        api.call(call).await.unwrap()
    }

    /// How often a refresh token came to the provider.
    pub fn refreshes(&self) -> usize {
        let requests = self.oauth.requests().into_iter();
        requests
            .filter(|one| one.parameter("grant_type") == Some("refresh_token"))
            .count()
    }

    /// No request was made that no correct client makes.
    pub fn assert_correct(&self) {
        assert_eq!(self.oauth.violations(), []);
        assert!(
            self.gmail.violations().is_empty(),
            "{:?}",
            self.gmail.violations()
        );
    }
}

fn config(
    oauth: &FakeOAuth,
    (gmail, graph): (&FakeGmail, &FakeGraph),
    storage: &Storage,
) -> Config {
    let google: Value = json!({
        "client_id": AT_PROVIDER.0,
        "client_secret": AT_PROVIDER.1,
        "api_url": gmail.url(),
        "auth_url": oauth.authorize_url(),
        "token_url": oauth.token_url(),
        "revoke_url": oauth.revoke_url(),
        "userinfo_url": oauth.userinfo_url(),
        "jwks_url": gmail.certs_url(),
        "pubsub_topic": "projects/p/topics/t",
        "push_audience": "https://gateway.example/push",
        "push_service_account": "push@p.iam.example",
    });
    let mut config = Config {
        data_dir: storage.data_dir(),
        database_url: storage.database_url().map(Into::into),
        secret_key: Some(
            "6b1f0c9e5d7a43828f10b2c3d4e5f60718293a4b5c6d7e8f9011223344556677"
                .parse()
                .unwrap(),
        ),
        client_id: Some(CLIENT_ID.to_owned()),
        client_secret: Some(CLIENT_SECRET.into()),
        return_urls: vec![RETURN_URL.to_owned()],
        allow_hosts: vec!["127.0.0.0/8".parse().unwrap()],
        ..Config::default()
    };
    config.providers.insert("gmail".to_owned(), google);
    let microsoft = json!({
        "client_id": AT_PROVIDER.0,
        "client_secret": AT_PROVIDER.1,
        "url": graph.url(),
        "login_url": oauth.url(),
    });
    config.providers.insert("graph".to_owned(), microsoft);
    config
}

async fn serve(config: &Config, clock: &Arc<Forward>, registry: ProviderRegistry) -> Replica {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let parts = Parts {
        registry,
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        listener: Some(listener),
        ..Parts::default()
    };
    let running = server::start(config, parts, Default::default())
        .await
        .unwrap();
    Replica {
        base,
        gateway: running.gateway.clone(),
        running: Some(running),
    }
}

/// The code with which a sign-in has ended.
pub fn code_of(end: &Url) -> String {
    assert_eq!(
        parameter(end, "status").as_deref(),
        Some("success"),
        "{end}"
    );
    parameter(end, "code").unwrap_or_else(|| panic!("no code: {end}"))
}

/// The word for what went wrong with a sign-in, at the application's own address.
pub fn error_of(end: &Url) -> String {
    assert!(end.as_str().starts_with(RETURN_URL), "{end}");
    assert_eq!(parameter(end, "status").as_deref(), Some("error"), "{end}");
    assert_eq!(parameter(end, "type").as_deref(), Some("accountAuthResult"));
    assert_eq!(
        parameter(end, "state").as_deref(),
        Some("the application's")
    );
    assert_eq!(parameter(end, "code"), None);
    parameter(end, "error").unwrap()
}

/// A page that is an error in the contract's shape, and sends the browser nowhere.
pub fn assert_refused(page: &Page, status: u16) {
    assert!(!page.is_redirect(), "{page:?}");
    assert_eq!(page.status, status, "{page:?}");
    let body: Value = serde_json::from_str(&page.text).unwrap();
    assert!(
        body["code"].is_string() && body["requestId"].is_string(),
        "{page:?}"
    );
}

/// A connected account.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: i64,
    pub token: String,
    pub api: Api,
}

impl Account {
    pub fn of(answer: &Answer, replica: &Replica) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.told());
        let token = answer.json["accessToken"].as_str().unwrap().to_owned();
        Self {
            id: answer.json["accountId"].as_i64().unwrap(),
            api: replica.with_token(&token),
            token,
        }
    }

    pub async fn get(&self, template: &'static str) -> Answer {
        self.api.call(Call::get(template)).await.unwrap()
    }

    pub async fn view(&self) -> Value {
        self.get("/v1/account").await.json
    }

    /// Subjects of the messages.
    pub async fn subjects(&self) -> Vec<String> {
        let answer = self.get("/v1/email/messages").await;
        assert_eq!(answer.status, 200, "{}", answer.told());
        let subject = |one: &Value| one["subject"].as_str().unwrap_or_default().to_owned();
        answer.records().iter().map(subject).collect()
    }
}
