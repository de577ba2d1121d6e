//! The behaviour suite on real servers: Dovecot with QRESYNC, with CONDSTORE alone, with neither, and
//! Courier; all of them send through Postfix.

mod server;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use email_model::{Flags, FolderKey};
use email_provider::{
    ConnectContext, EmailProvider, ProviderPlugin, SignIn, SystemClock,
    network::{GuardOptions, GuardedNetwork},
};
use provider_conformance::{
    Correspondents, Delivered, Harness, HarnessFacts, NewMail, provider_conformance,
};
use provider_imap::{ImapPlugin, protocol::MailboxName};
use test_servers::{Dialect, FaultProxy, Postfix, RawImap};
use tokio::sync::Mutex;

use self::server::{PASSWORD, Server};

struct ImapHarness {
    server: Server,
    postfix: &'static Postfix,
    user: String,
    proxy: FaultProxy,
    client: Mutex<RawImap>,
}

impl ImapHarness {
    async fn new(server: Server) -> Self {
        let user = server.user();
        let proxy = FaultProxy::to_port(server.port()).expect("a proxy");
        let client = Mutex::new(server.client(&user).await);
        Self {
            server,
            postfix: Postfix::shared().await.expect("Postfix starts"),
            user,
            proxy,
            client,
        }
    }

    /// The one message of a folder with this Message-ID.
    async fn select(&self, client: &mut RawImap, folder: &FolderKey, message_id: &str) -> String {
        client.select(&folder.0).await.expect("the folder is there");
        let criteria = format!("HEADER Message-ID \"{message_id}\"");
        let uids = client.uid_search(&criteria).await.expect("a search");
        let [uid] = uids.as_slice() else {
            panic!("{message_id} is there {} times", uids.len())
        };
        uid.to_string()
    }
}

/// A name as it stands on the wire: modified UTF-7 is ASCII.
fn wire(name: &str) -> String {
    String::from_utf8_lossy(MailboxName::encode(name).wire()).into_owned()
}

fn stored(flags: Flags, keywords: &[String]) -> Vec<String> {
    let system = [
        (Flags::SEEN, "\\Seen"),
        (Flags::FLAGGED, "\\Flagged"),
        (Flags::ANSWERED, "\\Answered"),
        (Flags::DRAFT, "\\Draft"),
        (Flags::FORWARDED, "$Forwarded"),
        (Flags::IMPORTANT, "$Important"),
    ];
    let system = system
        .iter()
        .filter(|(flag, _)| flags.contains(*flag))
        .map(|(_, name)| (*name).to_owned());
    system.chain(keywords.iter().cloned()).collect()
}

fn as_strs(flags: &[String]) -> Vec<&str> {
    flags.iter().map(String::as_str).collect()
}

#[async_trait]
impl Harness for ImapHarness {
    fn facts(&self) -> HarnessFacts {
        HarnessFacts {
            patience: Duration::from_secs(20),
            history: 40,
            ends_last_line: self.server.ends_last_line(),
            sends: true,
            drafts: true,
            ..HarnessFacts::default()
        }
    }

    async fn provider(&self) -> Arc<dyn EmailProvider> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let allow = vec!["127.0.0.0/8".parse().expect("a network")];
        let context = ConnectContext {
            public_url: None,
            network: Arc::new(GuardedNetwork::new(allow, GuardOptions::default())),
            clock: Arc::new(SystemClock),
            tokens: None,
            budget: None,
            config: serde_json::json!({ "watch_connections": 1, "interactive_connections": 2, "bulk_connections": 2 }),
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.proxy.port()));
        let sign_in = SignIn {
            service_type: "IMAP".into(),
            email: Some(self.user.clone()),
            password: Some(PASSWORD.to_owned().into()),
            server_url: Some(format!("imap://{address}?security=none")),
            server_url2: Some(format!(
                "smtp://127.0.0.1:{}?security=none",
                self.postfix.plain_port()
            )),
            ..SignIn::default()
        };
        let mailbox = ImapPlugin
            .resolve(&context, &sign_in)
            .await
            .expect("the sign-in is complete");
        let mailbox = ImapPlugin
            .prove(&context, mailbox)
            .await
            .expect("the server takes the sign-in");
        ImapPlugin
            .open(&context, &mailbox.connection)
            .await
            .expect("the mailbox opens")
    }

    async fn append(&self, folder: &FolderKey, mail: NewMail) {
        let flags = stored(mail.flags, &mail.keywords);
        let date = mail.received_at.fixed_offset();
        let mut client = self.client.lock().await;
        client
            .append(&folder.0, &mail.raw, &as_strs(&flags), Some(date))
            .await
            .expect("appended");
    }

    async fn set_flags(
        &self,
        folder: &FolderKey,
        message_id: &str,
        flags: Flags,
        keywords: &[String],
    ) {
        let mut client = self.client.lock().await;
        let uid = self.select(&mut client, folder, message_id).await;
        client
            .store(&uid, "FLAGS", &as_strs(&stored(flags, keywords)))
            .await
            .expect("stored");
    }

    async fn move_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey) {
        let mut client = self.client.lock().await;
        let uid = self.select(&mut client, folder, message_id).await;
        client.move_to(&uid, &to.0).await.expect("moved");
    }

    async fn copy_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey) {
        let mut client = self.client.lock().await;
        let uid = self.select(&mut client, folder, message_id).await;
        client.copy(&uid, &to.0).await.expect("copied");
    }

    async fn mark_deleted(&self, folder: &FolderKey, message_id: &str, deleted: bool) {
        let mut client = self.client.lock().await;
        let uid = self.select(&mut client, folder, message_id).await;
        let change = if deleted { "+FLAGS" } else { "-FLAGS" };
        client
            .store(&uid, change, &["\\Deleted"])
            .await
            .expect("stored");
    }

    async fn expunge(&self, folder: &FolderKey, message_id: &str) {
        let mut client = self.client.lock().await;
        let uid = self.select(&mut client, folder, message_id).await;
        client
            .store(&uid, "+FLAGS", &["\\Deleted"])
            .await
            .expect("stored");
        client.expunge(&uid).await.expect("expunged");
    }

    async fn create_folder(&self, name: &str, parent: Option<&FolderKey>) -> FolderKey {
        let name = wire(name);
        let name = match parent {
            Some(parent) => format!("{}{}{name}", parent.0, self.server.separator()),
            None => format!("{}{name}", self.server.prefix()),
        };
        self.client
            .lock()
            .await
            .create(&name)
            .await
            .expect("created");
        FolderKey(name)
    }

    async fn rename_folder(&self, folder: &FolderKey, name: &str) -> FolderKey {
        let above = folder
            .0
            .rfind(self.server.separator())
            .map_or("", |at| &folder.0[..=at]);
        let name = format!("{above}{}", wire(name));
        let mut client = self.client.lock().await;
        client.rename(&folder.0, &name).await.expect("renamed");
        FolderKey(name)
    }

    async fn delete_folder(&self, folder: &FolderKey) {
        let mut client = self.client.lock().await;
        // Courier keeps a mailbox that is selected.
        client.select("INBOX").await.expect("the inbox is there");
        client.delete(&folder.0).await.expect("deleted");
    }

    fn correspondents(&self) -> Correspondents {
        Correspondents {
            sender: self.user.clone(),
            refused: Some("reject@reader.example".into()),
            ..Correspondents::default()
        }
    }

    async fn delivered(&self, message_id: &str) -> Vec<Delivered> {
        let field = format!("Message-ID: {message_id}\r\n");
        let delivered = self.postfix.settled().await.expect("an empty queue");
        delivered
            .into_iter()
            .filter(|one| String::from_utf8_lossy(&one.octets).contains(&field))
            .map(|one| Delivered {
                recipients: vec![one.recipient],
                octets: one.octets,
            })
            .collect()
    }

    async fn sever(&self) -> bool {
        self.proxy.cut_now();
        true
    }

    async fn reset_keys(&self, folder: &FolderKey) -> bool {
        // Courier renumbers only while nobody has the folder open.
        self.proxy.cut_now();
        let mut client = self.client.lock().await;
        self.server
            .reset_uidvalidity(&mut client, &self.user, &folder.0)
            .await;
        true
    }
}

mod qresync {
    use super::*;
    provider_conformance!(ImapHarness::new(Server::dovecot(Dialect::Qresync).await).await);
}

mod condstore {
    use super::*;
    provider_conformance!(ImapHarness::new(Server::dovecot(Dialect::CondstoreOnly).await).await);
}

mod plain {
    use super::*;
    provider_conformance!(ImapHarness::new(Server::dovecot(Dialect::Plain).await).await);
}

mod courier {
    use super::*;
    provider_conformance!(ImapHarness::new(Server::courier().await).await);
}
