//! The example backend in a gateway: a directory, changed by another program, as the API's clients see it.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

use std::fs;
use std::path::Path;

use polypost::server::{self, Parts};
use polypost::{Config, providers};
use polypost_tests::{Answer, Api, Auth, CLIENT_ID, CLIENT_SECRET, Call, Storage, StoreKind};
use provider_maildir::MaildirPlugin;
use serde_json::json;
use tokio::net::TcpListener;

fn deliver(folder: &Path, number: u32) {
    let raw = format!(
        "From: bob@example.org\r\nTo: ann@example.org\r\nSubject: mail {number}\r\n\
         Message-ID: <{number}@example.org>\r\n\r\nHello.\r\n"
    );
    let name = format!("{number}.host");
    fs::write(folder.join("tmp").join(&name), raw).unwrap();
    fs::rename(
        folder.join("tmp").join(&name),
        folder.join("new").join(name),
    )
    .unwrap();
}

fn make(folder: &Path) {
    for part in ["tmp", "new", "cur"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
}

/// A client of the updated stream.
struct Client {
    api: Api,
    token: String,
}

impl Client {
    /// What a walk tells: subject, folder's name, whether it is unread, and the id.
    async fn walk(&mut self) -> Vec<(String, String, bool, String)> {
        let mut told = Vec::new();
        let mut parameter = "deltaToken";
        loop {
            let call = Call::get("/v1/email/sync/updated").query(parameter, &self.token);
            let page = done(self.api.call(call).await);
            for record in page.records() {
                let text = |field: &str| record[field].as_str().unwrap_or_default().to_owned();
                let folder = self.folder(&text("folderId")).await;
                let unread = record["sysLabels"].as_array().unwrap();
                let unread = unread.contains(&json!("unread"));
                told.push((text("subject"), folder, unread, text("id")));
            }
            let next = |field: &str| page.json[field].as_str().map(str::to_owned);
            if let Some(token) = next("nextDeltaToken") {
                self.token = token;
                return told;
            }
            self.token = next("nextPageToken").unwrap();
            parameter = "pageToken";
        }
    }

    async fn folder(&self, id: &str) -> String {
        let folders = done(self.api.call(Call::get("/v1/email/folders")).await);
        let found = folders.records().iter().find(|one| one["id"] == id);
        found.unwrap()["name"].as_str().unwrap().to_owned()
    }
}

fn done(answer: Result<Answer, polypost_tests::Failure>) -> Answer {
    let answer = answer.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.told());
    answer
}

#[tokio::test]
async fn a_message_in_a_directory_is_delivered_read_and_moved() {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let storage = Storage::new(StoreKind::Sqlite).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (inbox, archive) = (directory.path(), directory.path().join(".Archive"));
    make(inbox);
    make(&archive);
    deliver(inbox, 1);
    let mut config = Config {
        data_dir: storage.data_dir(),
        client_id: Some(CLIENT_ID.to_owned()),
        client_secret: Some(CLIENT_SECRET.into()),
        ..Config::default()
    };
    let mailbox = json!({ "path": inbox, "password": "secret" });
    let section = json!({ "mailboxes": { "ann": mailbox } });
    config.providers.insert("maildir".to_owned(), section);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let parts = Parts {
        registry: providers::registry().register(MaildirPlugin),
        listener: Some(listener),
        ..Parts::default()
    };
    let running = server::start(&config, parts, Default::default())
        .await
        .unwrap();
    let auth = Auth::Basic {
        id: CLIENT_ID.to_owned(),
        secret: CLIENT_SECRET.to_owned(),
        account: None,
    };
    let application = Api::new(&base, auth);
    let account = |password: &str| {
        Call::post("/v1/am/accounts").query("ensureAccess", true).json(json!({
            "serviceType": "Maildir", "active": true, "loginString": "ann", "password": password,
        }))
    };
    let refused = application.call(account("guessed")).await.unwrap();
    assert_ne!(refused.status, 200);
    let saved = done(application.call(account("secret")).await);
    let token = saved.json["accessToken"].as_str().unwrap().to_owned();
    let api = Api::new(&base, Auth::Bearer(token));
    let sync = Call::post("/v1/email/sync").query("awaitReady", true);
    let started = done(api.call(sync).await);
    let token = started.json["syncUpdatedToken"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut client = Client { api, token };

    let first = client.walk().await;
    let [(subject, folder, true, id)] = &first[..] else {
        panic!("{first:?}");
    };
    assert_eq!((&**subject, &**folder), ("mail 1", "INBOX"));
    deliver(inbox, 2);
    let second = client.walk().await;
    assert_eq!((second.len(), &*second[0].0), (1, "mail 2"));
    // Another program shows the first one to somebody, who files it.
    fs::rename(inbox.join("new/1.host"), archive.join("cur/1.host:2,S")).unwrap();
    let moved = client.walk().await;
    let expected = ("mail 1".to_owned(), "Archive".to_owned(), false, id.clone());
    assert_eq!(moved, [expected], "one update, of the message that it was");
    assert_eq!(client.walk().await, []);
    running.stop().await.unwrap();
}
