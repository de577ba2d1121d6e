//! A mailbox for each test, on one mail server and one gateway for all.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use polypost_tests::{
    Answer, Api, Auth, CLIENT_ID, CLIENT_SECRET, Call, GatewayOptions, GatewayProcess, StoreKind,
};
use serde_json::Value;
use test_servers::{Dialect, Dovecot, RawImap};
use tokio::sync::OnceCell;

/// The program that is tested.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_polypost-under-test"))
}

/// The mail server of all tests; each takes users of its own.
pub async fn dovecot() -> &'static Dovecot {
    Dovecot::shared(Dialect::Qresync).await.unwrap()
}

/// The gateway of all tests.
pub async fn gateway() -> &'static GatewayProcess {
    static GATEWAY: OnceCell<GatewayProcess> = OnceCell::const_new();
    GATEWAY
        .get_or_init(async || {
            let options =
                GatewayOptions::new(StoreKind::Sqlite).set("POLYPOST_SYNC__FRESHNESS", "0s");
            GatewayProcess::start(program(), options).await.unwrap()
        })
        .await
}

/// A user that no other test has.
pub async fn fresh_user() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let users = dovecot().await.users();
    let numbered = users.iter().filter(|user| user.starts_with("u0"));
    numbered.skip(number).map(String::clone).next().unwrap()
}

/// A connected mailbox.
pub struct Mailbox {
    pub user: String,
    pub account: i64,
    pub api: Api,
    pub imap: RawImap,
}

impl Mailbox {
    /// An empty one, with the folders that every user has.
    pub async fn new() -> Self {
        let user = fresh_user().await;
        let server = dovecot().await;
        let imap = server.client(&user).await.unwrap();
        let (account, api) = gateway()
            .await
            .account(&user, server.imap_port())
            .await
            .unwrap();
        Self {
            user,
            account,
            api,
            imap,
        }
    }

    /// Appends to the inbox, received now.
    pub async fn receive(&mut self, raw: &str) {
        self.put("INBOX", raw, &[]).await;
    }

    /// Appends to a folder.
    pub async fn put(&mut self, folder: &str, raw: &str, flags: &[&str]) {
        let crlf = raw.replace('\n', "\r\n");
        self.imap
            .append(folder, crlf.as_bytes(), flags, None)
            .await
            .unwrap();
    }

    /// A call that must succeed.
    pub async fn ok(&self, call: Call) -> Answer {
        let answer = self.api.call(call).await.unwrap();
        assert!(answer.status < 300, "{}", answer.told());
        answer
    }

    /// A call that must fail so.
    pub async fn refused(&self, call: Call, status: u16, code: &str) -> Answer {
        let answer = self.api.call(call).await.unwrap();
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{}",
            answer.told()
        );
        answer
    }

    /// The records of a list.
    pub async fn list(&self, call: Call) -> Vec<Value> {
        self.ok(call).await.records().to_vec()
    }

    /// Subjects that a search finds, sorted.
    pub async fn found(&self, q: &str) -> Vec<String> {
        let call = Call::get("/v1/email/messages").query("q", q);
        let mut subjects = subjects(&self.list(call).await);
        subjects.sort();
        subjects
    }

    /// The only message with this subject, anywhere.
    pub async fn message(&self, subject: &str) -> Value {
        let call = Call::get("/v1/email/messages").query("includeTrashAndJunk", true);
        let records = self.list(call).await;
        let mut same = records.iter().filter(|one| one["subject"] == subject);
        let found = same
            .next()
            .unwrap_or_else(|| panic!("{subject}: {records:?}"));
        assert!(same.next().is_none(), "{subject} twice");
        found.clone()
    }

    /// Its id.
    pub async fn id(&self, subject: &str) -> String {
        text(&self.message(subject).await, "id")
    }

    /// Path of a folder by its id.
    pub async fn path(&self, id: &Value) -> String {
        let folders = self.list(Call::get("/v1/email/folders")).await;
        let folder = folders.iter().find(|folder| folder["id"] == *id);
        text(folder.unwrap(), "fullName")
    }

    /// Id of a folder by its path.
    pub async fn folder(&self, path: &str) -> String {
        let folders = self.list(Call::get("/v1/email/folders")).await;
        let folder = folders.iter().find(|folder| folder["fullName"] == path);
        text(
            folder.unwrap_or_else(|| panic!("{path}: {folders:?}")),
            "id",
        )
    }

    /// Flags and keywords of the message with this subject, as the server has it.
    pub async fn flags(&mut self, folder: &str, subject: &str) -> Vec<String> {
        let dump = self.imap.dump(folder).await.unwrap();
        let line = format!("Subject: {subject}\r\n");
        let mail = dump
            .mails
            .into_values()
            .find(|mail| String::from_utf8_lossy(&mail.raw).contains(&line))
            .unwrap_or_else(|| panic!("{subject} is not in {folder}"));
        mail.flags.into_iter().chain(mail.keywords).collect()
    }

    /// Signs in as the application.
    pub fn basic(&self) -> Api {
        self.api.signed_in(Auth::Basic {
            id: CLIENT_ID.to_owned(),
            secret: CLIENT_SECRET.to_owned(),
            account: Some(self.account),
        })
    }
}

/// A text field that must be there.
pub fn text(value: &Value, field: &str) -> String {
    let text = value[field].as_str();
    text.unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}

/// Texts of an array.
pub fn texts(value: &Value, field: &str) -> Vec<String> {
    let texts = value[field].as_array();
    let texts = texts.unwrap_or_else(|| panic!("no {field} in {value}"));
    texts
        .iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

/// Subjects of records, in their order.
pub fn subjects(records: &[Value]) -> Vec<String> {
    records.iter().map(|one| text(one, "subject")).collect()
}

/// A plain mail.
pub fn mail(subject: &str) -> String {
    format!(
        "From: Bob <bob@example.org>\nTo: Alice <alice@example.org>\nSubject: {subject}\nMessage-ID: \
         <{}@example.org>\nDate: Mon, 02 Nov 2026 10:00:00 +0000\n\nThis is {subject}.\n",
        subject.replace(' ', "-")
    )
}
