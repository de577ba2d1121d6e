//! A mailbox that sends, and messages for it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use email_mime::compose::{Composed, Form, Limits, Purpose, compose};
use email_model::{Address, Body, OutgoingMessage, Timestamp};
use email_provider::{
    ByteStream, Call, ConnectContext, Connection, EmailProvider, ErrorKind, MessageCopy,
    MessageOctets, Outgoing, Priority, ProviderError, ProviderPlugin, ProviderResult, SendEnvelope,
    SignIn, Submission, Submitted, SystemClock,
    network::{GuardOptions, GuardedNetwork},
    oauth::AccessTokens,
};
use futures::{StreamExt as _, stream};
use provider_imap::ImapPlugin;
use test_servers::{Dialect, Dovecot, PASSWORD, Postfix, RawImap, StoredMail};
use tokio::time::Instant;

pub fn call() -> Call {
    call_within(Duration::from_secs(30))
}

pub fn call_within(time: Duration) -> Call {
    Call {
        priority: Priority::Interactive,
        deadline: Instant::now() + time,
    }
}

/// A number that no other test has.
pub fn number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// A recipient that no other test has.
pub fn somebody() -> String {
    format!("somebody{}@example.com", number())
}

pub fn context(ca: Option<&Postfix>, tokens: Option<Arc<dyn AccessTokens>>) -> ConnectContext {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let allow = vec!["127.0.0.0/8".parse().expect("a network")];
    ConnectContext {
        public_url: None,
        network: Arc::new(GuardedNetwork::new(allow, GuardOptions::default())),
        clock: Arc::new(SystemClock),
        tokens,
        budget: None,
        config: match ca {
            Some(postfix) => serde_json::json!({ "ca_file": postfix.ca_pem_path() }),
            None => serde_json::Value::Null,
        },
    }
}

/// A mailbox of one user.
pub struct Mailbox {
    pub provider: Arc<dyn EmailProvider>,
    pub user: String,
    pub context: ConnectContext,
    pub connection: Connection,
    imap: u16,
}

impl Mailbox {
    /// On the shared Dovecot, by this URL of a sending server.
    pub async fn new(smtp: &str, ca: Option<&Postfix>) -> Self {
        let dovecot = Dovecot::shared(Dialect::Qresync).await.expect("Dovecot");
        let users = dovecot.users();
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let user = users[NEXT.fetch_add(1, Ordering::SeqCst) % users.len()].clone();
        Self::on(dovecot.imap_port(), dovecot.imap_port(), &user, smtp, ca).await
    }

    /// On any server; `raw` is the port for looking behind the gateway's back.
    pub async fn on(imap: u16, raw: u16, user: &str, smtp: &str, ca: Option<&Postfix>) -> Self {
        let context = context(ca, None);
        let sign_in = sign_in(imap, user, smtp);
        let mailbox = ImapPlugin
            .resolve(&context, &sign_in)
            .await
            .expect("the sign-in is complete");
        let mailbox = ImapPlugin
            .prove(&context, mailbox)
            .await
            .expect("the server takes the sign-in");
        let provider = ImapPlugin
            .open(&context, &mailbox.connection)
            .await
            .expect("the mailbox opens");
        Self {
            provider,
            user: user.to_owned(),
            context,
            connection: mailbox.connection,
            imap: raw,
        }
    }

    /// Sends over the plain port of the shared Postfix.
    pub async fn plain() -> (Self, &'static Postfix) {
        let postfix = Postfix::shared().await.expect("Postfix");
        (Self::new(&plain(postfix.plain_port()), None).await, postfix)
    }

    /// The same mailbox without a connection.
    pub async fn reopen(&self) -> Arc<dyn EmailProvider> {
        ImapPlugin
            .open(&self.context, &self.connection)
            .await
            .expect("the mailbox opens")
    }

    pub async fn submit(&self, outgoing: &Outgoing) -> ProviderResult<Submitted> {
        submit(self.provider.as_ref(), outgoing, call()).await
    }

    pub async fn client(&self) -> RawImap {
        RawImap::login(self.imap, &self.user)
            .await
            .expect("a client")
    }

    /// What lies in a folder.
    pub async fn stored(&self, folder: &str) -> Vec<StoredMail> {
        let mut client = self.client().await;
        let dump = client.dump(folder).await.expect("a dump");
        dump.mails.into_values().collect()
    }
}

pub fn sign_in(imap: u16, user: &str, smtp: &str) -> SignIn {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, imap));
    SignIn {
        service_type: "IMAP".into(),
        email: Some(user.to_owned()),
        password: Some(PASSWORD.to_owned().into()),
        server_url: Some(format!("imap://{address}?security=none")),
        server_url2: Some(smtp.to_owned()),
        ..SignIn::default()
    }
}

pub fn plain(port: u16) -> String {
    format!("smtp://127.0.0.1:{port}?security=none")
}

pub async fn submit(
    provider: &dyn EmailProvider,
    outgoing: &Outgoing,
    call: Call,
) -> ProviderResult<Submitted> {
    let submitter = provider.submitter().expect("a submitter");
    submitter.submit(call, Submission::Message(outgoing)).await
}

pub fn kind<T>(result: ProviderResult<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind)
}

/// A message from a user.
pub fn message(from: &str, to: &[&str]) -> OutgoingMessage {
    let number = number();
    OutgoingMessage {
        message_id: format!("<{number}.{}@example.com>", std::process::id()),
        date: Timestamp::from_timestamp(1_700_000_000, 0).expect("a time"),
        from: Some(Address::bare(from)),
        to: to.iter().copied().map(Address::bare).collect(),
        subject: Some(format!("Message {number}")),
        body: Body {
            text: Some(format!("First line of {number}\n.\n..dots\nFrom here\n")),
            html: None,
        },
        ..OutgoingMessage::default()
    }
}

/// A composed message, in chunks of at most 64 KiB.
#[derive(Debug)]
struct Octets(Composed);

impl MessageOctets for Octets {
    fn length(&self, copy: MessageCopy) -> u64 {
        self.0.length(form(copy))
    }

    fn read(&self, copy: MessageCopy) -> ByteStream {
        let mut pieces = Vec::new();
        for chunk in self.0.chunks(form(copy)) {
            let chunk = chunk.expect("in memory");
            for at in (0..chunk.len()).step_by(64 << 10) {
                pieces.push(Ok(chunk.slice(at..chunk.len().min(at + (64 << 10)))));
            }
        }
        stream::iter(pieces).boxed()
    }
}

fn form(copy: MessageCopy) -> Form {
    match copy {
        MessageCopy::Wire => Form::Wire,
        MessageCopy::Kept => Form::Kept,
    }
}

pub fn outgoing(message: OutgoingMessage) -> Outgoing {
    composed(message, Purpose::Send)
}

pub fn draft(message: OutgoingMessage) -> Outgoing {
    composed(message, Purpose::Draft)
}

fn composed(message: OutgoingMessage, purpose: Purpose) -> Outgoing {
    let limits = Limits {
        recipients: 1_000,
        octets: 100 << 20,
        internationalised: true,
    };
    let composed = compose(&message, purpose, &limits).expect("a message");
    let envelope = composed.envelope();
    Outgoing {
        message_id: composed.message_id().to_owned(),
        envelope: SendEnvelope {
            sender: envelope.sender.clone(),
            recipients: envelope.recipients.clone(),
            internationalised: envelope.internationalised,
        },
        octets: Arc::new(Octets(composed)),
        message: Arc::new(message),
        answers: None,
    }
}

/// All octets of a copy.
pub async fn octets(outgoing: &Outgoing, copy: MessageCopy) -> Vec<u8> {
    let mut all = Vec::new();
    let mut stream = outgoing.octets.read(copy);
    while let Some(chunk) = stream.next().await {
        all.extend_from_slice(&chunk.expect("in memory"));
    }
    all
}

/// Octets that a test decides, the same for both copies; `None` is where reading them fails.
#[derive(Debug)]
pub struct Raw(pub Vec<Option<Bytes>>, pub u64);

impl MessageOctets for Raw {
    fn length(&self, _: MessageCopy) -> u64 {
        self.1
    }

    fn read(&self, _: MessageCopy) -> ByteStream {
        let fail = || ProviderError::new(ErrorKind::Unavailable, "an attachment is gone");
        let pieces: Vec<_> = self
            .0
            .iter()
            .map(|piece| piece.clone().ok_or_else(fail))
            .collect();
        stream::iter(pieces).boxed()
    }
}

/// A message of these octets.
pub fn raw(from: &str, to: &str, pieces: Vec<Option<Bytes>>, length: u64) -> Outgoing {
    Outgoing {
        octets: Arc::new(Raw(pieces, length)),
        ..outgoing(message(from, &[to]))
    }
}
