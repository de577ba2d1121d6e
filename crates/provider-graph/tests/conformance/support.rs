//! A mailbox at the fake server, opened as the gateway opens it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use email_model::{Flags, FolderKey};
use email_provider::{
    Charged, ConnectContext, Connection, EmailProvider, ProviderPlugin as _, SignIn, SystemClock,
    layers::{self, Budget, RetryConfig},
    network::{GuardOptions, GuardedNetwork},
};
use fake_graph::{FakeGraph, Faults, Truth, User, When};
use fake_oauth::FakeOAuth;
use provider_conformance::{Correspondents, Delivered, Harness, HarnessFacts, NewMail};
use provider_graph::GraphPlugin;
use secrecy::SecretString;
use tokio::sync::OnceCell;

/// Whose mailbox it is.
pub const EMAIL: &str = "ann@contoso.example";
/// What the gateway asks for.
pub const SCOPES: [&str; 4] = ["Mail.ReadWrite", "Mail.Send", "User.Read", "offline_access"];
/// More than any test spends.
const PLENTY: u32 = 1_000_000_000;

/// One mailbox for one test.
pub struct GraphHarness {
    pub oauth: FakeOAuth,
    pub server: FakeGraph,
    pub user: User,
    pub plugin: Arc<GraphPlugin>,
    pub context: ConnectContext,
    /// The test asks what no correct client does.
    pub is_careless: AtomicBool,
    connection: OnceCell<Connection>,
}

impl GraphHarness {
    /// Starts a server with these faults. They begin after the sign-in, which nobody repeats.
    pub async fn start(faults: impl FnOnce(&mut Faults)) -> Self {
        let oauth = FakeOAuth::start().await.expect("a port");
        let server = FakeGraph::start(&oauth).await.expect("a port");
        let user = server.user(EMAIL);
        server.settings(|settings| settings.requests_per_window = PLENTY);
        let config = serde_json::json!({
            "graph_url": server.url(),
            "quota": {"requests": PLENTY, "throttle_pause_ms": 5},
        });
        let allowed = "127.0.0.0/8".parse().expect("a network");
        let network = GuardedNetwork::new(vec![allowed], GuardOptions::default());
        let context = ConnectContext {
            public_url: None,
            network: Arc::new(network),
            clock: Arc::new(SystemClock),
            config,
            tokens: None,
            budget: None,
        };
        let harness = Self {
            oauth,
            server,
            user,
            plugin: Arc::new(GraphPlugin::default()),
            context,
            is_careless: AtomicBool::new(false),
            connection: OnceCell::new(),
        };
        harness.connection().await;
        harness.server.faults(faults);
        harness
    }

    /// The same mailbox.
    pub fn again(&self) -> Self {
        Self {
            oauth: self.oauth.clone(),
            server: self.server.clone(),
            user: self.user.clone(),
            plugin: Arc::clone(&self.plugin),
            context: self.context.clone(),
            is_careless: AtomicBool::new(true),
            connection: OnceCell::new_with(self.connection.get().cloned()),
        }
    }

    /// What is stored of it.
    pub async fn connection(&self) -> Connection {
        let connection = self.connection.get_or_init(async || {
            let sign_in = SignIn {
                access_token: Some(SecretString::from(self.server.token(EMAIL, &SCOPES))),
                ..SignIn::default()
            };
            let mailbox = self.plugin.resolve(&self.context, &sign_in).await;
            let mailbox = self
                .plugin
                .prove(&self.context, mailbox.expect("a sign-in"))
                .await;
            mailbox.expect("a mailbox").connection
        });
        connection.await.clone()
    }

    /// Opens it without any layer.
    pub async fn open(&self, context: &ConnectContext) -> Arc<dyn EmailProvider> {
        let connection = self.connection().await;
        let provider = self.plugin.open(context, &connection).await;
        provider.expect("a mailbox")
    }

    pub fn find(&self, folder: &FolderKey, message_id: &str) -> Truth {
        let found = self
            .user
            .messages()
            .into_iter()
            .find(|truth| truth.folder == folder.0 && has_id(&truth.raw, message_id));
        found.unwrap_or_else(|| panic!("{message_id} is not in {folder}"))
    }

    fn mark(&self, id: &str, flags: Flags, keywords: &[String]) {
        let keywords: Vec<&str> = keywords.iter().map(String::as_str).collect();
        let truth = self.user.message(id).expect("it is there");
        let (is_read, is_flagged) = (flags.contains(Flags::SEEN), flags.contains(Flags::FLAGGED));
        if truth.read != is_read {
            self.user.set_read(id, is_read);
        }
        if truth.flagged != is_flagged {
            self.user.set_flag(id, is_flagged);
        }
        if truth.categories != keywords {
            self.user.set_categories(id, &keywords);
        }
    }
}

/// Whether it is the message's `Message-ID`.
pub fn has_id(raw: &[u8], message_id: &str) -> bool {
    let line = format!("Message-ID: {message_id}\r\n").into_bytes();
    raw.windows(line.len()).any(|window| window == line)
}

#[async_trait]
impl Harness for GraphHarness {
    fn facts(&self) -> HarnessFacts {
        HarnessFacts {
            deleted_mark: false,
            sends: true,
            drafts: true,
            // Not of what is put together from parts.
            keeps_octets: false,
            patience: Duration::from_secs(10),
            ..HarnessFacts::default()
        }
    }

    async fn provider(&self) -> Arc<dyn EmailProvider> {
        let mut context = self.context.clone();
        let budget = self.plugin.budget(&context).expect("a budget");
        context.budget = Some(Budget::new(budget.config));
        let provider = self.open(&context).await;
        let retry = RetryConfig {
            repetitions: 8,
            first_wait_ms: 5,
            longest_wait_ms: 2_000,
        };
        let budget = context.budget.expect("a budget");
        layers::layered(provider, "graph", budget, Charged::Request, retry)
    }

    async fn append(&self, folder: &FolderKey, mail: NewMail) {
        let received = mail.received_at.timestamp_millis();
        let id = self.user.append(&mail.raw, &folder.0, received);
        self.mark(&id, mail.flags, &mail.keywords);
    }

    async fn set_flags(
        &self,
        folder: &FolderKey,
        message_id: &str,
        flags: Flags,
        keywords: &[String],
    ) {
        let truth = self.find(folder, message_id);
        self.mark(&truth.id, flags, keywords);
    }

    async fn move_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey) {
        let truth = self.find(folder, message_id);
        assert!(self.user.move_to(&truth.id, &to.0), "it is there");
    }

    async fn copy_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey) {
        let truth = self.find(folder, message_id);
        self.user.copy_to(&truth.id, &to.0).expect("a copy");
    }

    async fn mark_deleted(&self, _: &FolderKey, _: &str, _: bool) {
        unreachable!("there is no such mark")
    }

    async fn expunge(&self, folder: &FolderKey, message_id: &str) {
        let truth = self.find(folder, message_id);
        assert!(self.user.delete_permanently(&truth.id), "it is there");
    }

    async fn create_folder(&self, name: &str, parent: Option<&FolderKey>) -> FolderKey {
        let parent = parent.map(|parent| parent.0.as_str());
        FolderKey(self.user.create_folder(name, parent).expect("a folder"))
    }

    async fn rename_folder(&self, folder: &FolderKey, name: &str) -> FolderKey {
        assert!(self.user.rename_folder(&folder.0, name), "it is there");
        folder.clone()
    }

    async fn delete_folder(&self, folder: &FolderKey) {
        assert!(
            self.user.delete_folder_permanently(&folder.0),
            "it is there"
        );
    }

    fn correspondents(&self) -> Correspondents {
        Correspondents {
            sender: EMAIL.to_owned(),
            ..Correspondents::default()
        }
    }

    async fn delivered(&self, message_id: &str) -> Vec<Delivered> {
        let sent = self.server.sent().into_iter();
        let of_it = sent.filter(|mail| has_id(&mail.raw, message_id));
        let delivered = of_it.map(|mail| Delivered {
            recipients: mail.recipients,
            octets: mail.raw,
        });
        delivered.collect()
    }

    async fn edit_draft(&self, folder: &FolderKey, message_id: &str, mail: NewMail) -> bool {
        let truth = self.find(folder, message_id);
        assert!(self.user.edit_draft(&truth.id, &mail.raw), "it is there");
        true
    }

    async fn forget_cursors(&self) -> bool {
        self.user.expire_deltas();
        true
    }

    async fn sever(&self) -> bool {
        self.server
            .faults(|faults| faults.cut_connections = When::Always);
        let server = self.server.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(30)).await;
            server.faults(|faults| faults.cut_connections = When::Never);
        });
        true
    }
}

impl Drop for GraphHarness {
    /// What no correct client asks was not asked.
    fn drop(&mut self) {
        let violations = self.server.violations();
        if !self.is_careless.load(Ordering::Relaxed) && !std::thread::panicking() {
            assert!(violations.is_empty(), "{violations:#?}");
        }
    }
}
