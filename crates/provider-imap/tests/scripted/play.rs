//! A mailbox on a server whose answers a test writes down.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use email_model::ScopeKey;
use email_provider::{
    Call, ConnectContext, EmailProvider, EntryKey, ErrorKind, MessageRef, Priority, ProviderPlugin,
    SignIn, SystemClock,
    network::{GuardOptions, GuardedNetwork},
};
use provider_imap::ImapPlugin;
use test_servers::{ScriptedImap, ScriptedStream};
use tokio::time::Instant;

pub const CONDSTORE: &str = "IMAP4rev1 ENABLE IDLE ESEARCH UIDPLUS CONDSTORE UNSELECT";
pub const QRESYNC: &str = "IMAP4rev1 ENABLE IDLE ESEARCH UIDPLUS CONDSTORE QRESYNC UNSELECT";

/// What is answered to commands that begin so, one after the other; the last one again and again. `%` stands for
/// the tag.
type Answers = Vec<(String, VecDeque<String>)>;

#[derive(Clone)]
pub struct Play {
    capabilities: &'static str,
    answers: Arc<Mutex<Answers>>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Play {
    pub fn new(capabilities: &'static str) -> Self {
        Self {
            capabilities,
            answers: Arc::default(),
            heard: Arc::default(),
        }
        .on("ENABLE", &["* ENABLED QRESYNC\r\n% OK"])
    }

    pub fn on(self, command: &str, answers: &[&str]) -> Self {
        let answers = answers.iter().map(|answer| (*answer).to_owned()).collect();
        lock(&self.answers).push((command.to_owned(), answers));
        self
    }

    fn answer(&self, line: &str) -> Option<String> {
        let mut answers = lock(&self.answers);
        let (_, left) = answers
            .iter_mut()
            .find(|(command, _)| line.starts_with(command.as_str()))?;
        match left.len() {
            1 => left.front().cloned(),
            _ => left.pop_front(),
        }
    }

    /// Until the client hangs up.
    async fn serve(&self, mut stream: ScriptedStream) -> Option<()> {
        stream.line("* OK ready").await.ok()?;
        loop {
            let command = stream.read_command().await.ok()?;
            lock(&self.heard).push(command.line.clone());
            let answered = match self.answer(&command.line) {
                Some(answer) if answer.is_empty() => return stream.close().await.ok(),
                Some(answer) => stream.line(&answer.replace('%', &command.tag)).await,
                None => stream.answer(self.capabilities, &command).await,
            };
            answered.ok()?;
        }
    }

    /// Starts the server and opens the mailbox.
    pub async fn open(self) -> Opened {
        let play = self.clone();
        let server = ScriptedImap::start(move |stream| {
            let play = play.clone();
            async move {
                play.serve(stream).await;
                Ok(())
            }
        })
        .await
        .expect("a server");
        let context = context();
        let url = format!("imap://127.0.0.1:{}?security=none", server.port());
        let mailbox = ImapPlugin
            .resolve(&context, &sign_in(&url))
            .await
            .expect("the sign-in is complete");
        let provider = ImapPlugin
            .open(&context, &mailbox.connection)
            .await
            .expect("the mailbox opens");
        Opened {
            provider,
            heard: self.heard,
            _server: server,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn context() -> ConnectContext {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let allow = vec!["127.0.0.0/8".parse().expect("a network")];
    ConnectContext {
        public_url: None,
        network: Arc::new(GuardedNetwork::new(allow, GuardOptions::default())),
        clock: Arc::new(SystemClock),
        tokens: None,
        budget: None,
        config: serde_json::json!({ "watch_connections": 1, "interactive_connections": 1, "bulk_connections": 1 }),
    }
}

pub fn sign_in(url: &str) -> SignIn {
    SignIn {
        service_type: "IMAP".into(),
        email: Some("alice@test.local".into()),
        password: Some("secret".to_owned().into()),
        server_url: Some(url.to_owned()),
        // Nothing answers there: these tests send nothing.
        server_url2: Some("smtp://127.0.0.1:9?security=none".into()),
        ..SignIn::default()
    }
}

/// A mailbox that is open.
pub struct Opened {
    pub provider: Arc<dyn EmailProvider>,
    heard: Arc<Mutex<Vec<String>>>,
    _server: ScriptedImap,
}

impl Opened {
    /// What the server was sent since the last time.
    pub fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.heard))
    }
}

/// What a SELECT of a mailbox of so many messages says.
pub fn selected(exists: u32, mod_seq: u64) -> String {
    format!(
        "* {exists} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 3000000] x\r\n* OK [HIGHESTMODSEQ {mod_seq}] x\r\n% OK [READ-WRITE]"
    )
}

pub fn call() -> Call {
    Call {
        priority: Priority::Interactive,
        deadline: Instant::now() + Duration::from_secs(20),
    }
}

pub fn scope() -> ScopeKey {
    ScopeKey("Work".into())
}

pub fn key(uid: u32) -> EntryKey {
    EntryKey([7_u32.to_be_bytes(), uid.to_be_bytes()].concat())
}

pub fn at(uid: u32) -> MessageRef {
    MessageRef {
        scope: scope(),
        key: key(uid),
    }
}

/// The kind of a failure.
pub fn kind<T>(result: Result<T, email_provider::ProviderError>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind)
}
