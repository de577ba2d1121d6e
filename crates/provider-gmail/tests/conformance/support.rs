//! A mailbox at the fake server, opened as the gateway opens it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use email_model::{Flags, FolderKey};
use email_provider::{
    ConnectContext, Connection, EmailProvider, ProviderPlugin as _, SignIn, SystemClock,
    layers::{self, Budget, RetryConfig},
    network::{GuardOptions, GuardedNetwork},
};
use fake_gmail::{FakeGmail, Faults, Truth, User};
use fake_oauth::FakeOAuth;
use provider_conformance::{Correspondents, Delivered, Harness, HarnessFacts, NewMail};
use provider_gmail::GmailPlugin;
use secrecy::SecretString;

/// Whose mailbox it is.
pub const EMAIL: &str = "ann@gmail.example";
/// Everything, permanent deletion included.
pub const SCOPE: &str = "https://mail.google.com/";
/// More than any test spends.
const PLENTY: u32 = 1_000_000_000;

/// One mailbox for one test.
pub struct GmailHarness {
    pub oauth: FakeOAuth,
    pub server: FakeGmail,
    pub user: User,
    pub plugin: Arc<GmailPlugin>,
    pub context: ConnectContext,
    /// The test asks what no correct client does.
    pub is_careless: AtomicBool,
    /// Labels that were made as folders; all others are keywords.
    folders: Mutex<BTreeSet<String>>,
}

impl GmailHarness {
    /// Starts a server with these faults.
    pub async fn start(faults: impl FnOnce(&mut Faults)) -> Self {
        let oauth = FakeOAuth::start().await.expect("a port");
        let server = FakeGmail::start(&oauth).await.expect("a port");
        let user = server.user(EMAIL);
        server.settings(|settings| {
            settings.units_per_user = PLENTY;
            settings.units_per_project = PLENTY;
        });
        server.faults(faults);
        let quota = serde_json::json!({
            "user_units": PLENTY,
            "project_units": PLENTY,
            "throttle_pause_ms": 5,
        });
        let config = serde_json::json!({
            "api_url": server.url(),
            "userinfo_url": oauth.userinfo_url(),
            "quota": quota,
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
        Self {
            oauth,
            server,
            user,
            plugin: Arc::new(GmailPlugin::default()),
            context,
            is_careless: AtomicBool::new(false),
            folders: Mutex::default(),
        }
    }

    /// The same mailbox.
    pub fn again(&self) -> Self {
        let folders = self.folders.lock().expect("a lock").clone();
        Self {
            oauth: self.oauth.clone(),
            server: self.server.clone(),
            user: self.user.clone(),
            plugin: Arc::clone(&self.plugin),
            context: self.context.clone(),
            is_careless: AtomicBool::new(true),
            folders: Mutex::new(folders),
        }
    }

    /// What is stored of it.
    pub async fn connection(&self) -> Connection {
        let sign_in = SignIn {
            access_token: Some(SecretString::from(self.server.token(EMAIL, &[SCOPE]))),
            ..SignIn::default()
        };
        let mailbox = self.plugin.resolve(&self.context, &sign_in).await;
        mailbox.expect("a sign-in").connection
    }

    /// Opens it without any layer.
    pub async fn open(&self, context: &ConnectContext) -> Arc<dyn EmailProvider> {
        let connection = self.connection().await;
        let provider = self.plugin.open(context, &connection).await;
        provider.expect("a mailbox")
    }

    fn find(&self, folder: &FolderKey, message_id: &str) -> Truth {
        let found = self
            .user
            .messages()
            .into_iter()
            .find(|truth| truth.labels.contains(&folder.0) && has_id(&truth.raw, message_id));
        found.unwrap_or_else(|| panic!("{message_id} is not in {folder}"))
    }

    /// Ids of the labels that are these keywords, made where they are not there.
    fn labels_of(&self, keywords: &[String]) -> Vec<String> {
        let label = |word: &String| {
            let there = self
                .user
                .labels()
                .into_iter()
                .find(|(_, name)| name == word);
            let made = there
                .map(|(id, _)| id)
                .or_else(|| self.user.create_label(word));
            made.expect("a label")
        };
        keywords.iter().map(label).collect()
    }

    fn modify(&self, truth: &Truth, labels: BTreeSet<String>) {
        let old: BTreeSet<String> = truth.labels.iter().cloned().collect();
        let add: Vec<&str> = labels.difference(&old).map(String::as_str).collect();
        let remove: Vec<&str> = old.difference(&labels).map(String::as_str).collect();
        assert!(self.user.modify(&truth.id, &add, &remove), "it is there");
    }
}

fn has_id(raw: &[u8], message_id: &str) -> bool {
    let line = format!("Message-ID: {message_id}\r\n").into_bytes();
    raw.windows(line.len()).any(|window| window == line)
}

fn flag_labels(flags: Flags) -> Vec<String> {
    let mut labels = Vec::new();
    for (label, is_there) in [
        ("UNREAD", !flags.contains(Flags::SEEN)),
        ("STARRED", flags.contains(Flags::FLAGGED)),
        ("IMPORTANT", flags.contains(Flags::IMPORTANT)),
    ] {
        if is_there {
            labels.push(label.to_owned());
        }
    }
    labels
}

#[async_trait]
impl Harness for GmailHarness {
    fn facts(&self) -> HarnessFacts {
        HarnessFacts {
            deleted_mark: false,
            copies: false,
            keywords_are_folders: true,
            sends: true,
            drafts: true,
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
        let charged = email_provider::Charged::Request;
        layers::layered(provider, "gmail", budget, charged, retry)
    }

    async fn append(&self, folder: &FolderKey, mail: NewMail) {
        let mut labels = flag_labels(mail.flags);
        labels.extend(self.labels_of(&mail.keywords));
        labels.push(folder.0.clone());
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let received = mail.received_at.timestamp_millis();
        self.user.append(&mail.raw, &labels, received);
    }

    async fn set_flags(
        &self,
        folder: &FolderKey,
        message_id: &str,
        flags: Flags,
        keywords: &[String],
    ) {
        let truth = self.find(folder, message_id);
        let folders = self.folders.lock().expect("a lock").clone();
        let is_place = |label: &String| {
            folders.contains(label)
                || ["INBOX", "TRASH", "SPAM", "SENT", "DRAFT"].contains(&label.as_str())
        };
        let mut labels: BTreeSet<String> = truth
            .labels
            .iter()
            .filter(|l| is_place(l))
            .cloned()
            .collect();
        labels.extend(flag_labels(flags));
        labels.extend(self.labels_of(keywords));
        self.modify(&truth, labels);
    }

    async fn move_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey) {
        let truth = self.find(folder, message_id);
        let mut labels: BTreeSet<String> = truth.labels.iter().cloned().collect();
        labels.remove(&folder.0);
        labels.insert(to.0.clone());
        self.modify(&truth, labels);
    }

    async fn copy_message(&self, _: &FolderKey, _: &str, _: &FolderKey) {
        unreachable!("one message has many labels")
    }

    async fn mark_deleted(&self, _: &FolderKey, _: &str, _: bool) {
        unreachable!("there is no such mark")
    }

    async fn expunge(&self, folder: &FolderKey, message_id: &str) {
        let truth = self.find(folder, message_id);
        assert!(self.user.delete(&truth.id), "it is there");
    }

    async fn create_folder(&self, name: &str, parent: Option<&FolderKey>) -> FolderKey {
        let above = parent.map(|parent| {
            let labels = self.user.labels();
            let above = labels.into_iter().find(|(id, _)| *id == parent.0);
            above.expect("a label").1
        });
        let name = match above {
            Some(above) => format!("{above}/{name}"),
            None => name.to_owned(),
        };
        let id = self.user.create_label(&name).expect("a label");
        self.folders.lock().expect("a lock").insert(id.clone());
        FolderKey(id)
    }

    async fn rename_folder(&self, folder: &FolderKey, name: &str) -> FolderKey {
        assert!(self.user.rename_label(&folder.0, name), "it is there");
        folder.clone()
    }

    async fn delete_folder(&self, folder: &FolderKey) {
        assert!(self.user.delete_label(&folder.0), "it is there");
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
        of_it
            .map(|mail| Delivered {
                recipients: mail.recipients,
                octets: mail.raw,
            })
            .collect()
    }

    async fn keep_draft(&self, _: &FolderKey, mail: NewMail) {
        self.user.create_draft(&mail.raw);
    }

    async fn edit_draft(&self, folder: &FolderKey, message_id: &str, mail: NewMail) -> bool {
        let draft = self.find(folder, message_id).draft_id.expect("a draft");
        self.user.edit_draft(&draft, &mail.raw).is_some()
    }

    async fn forget_cursors(&self) -> bool {
        self.user.expire_history();
        true
    }

    async fn sever(&self) -> bool {
        self.server.faults(|faults| faults.cut_connections = 1.0);
        let server = self.server.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(30)).await;
            server.faults(|faults| faults.cut_connections = 0.0);
        });
        true
    }
}

impl Drop for GmailHarness {
    /// What no correct client asks was not asked.
    fn drop(&mut self) {
        let violations = self.server.violations();
        if !self.is_careless.load(Ordering::Relaxed) && !std::thread::panicking() {
            assert!(violations.is_empty(), "{violations:#?}");
        }
    }
}
