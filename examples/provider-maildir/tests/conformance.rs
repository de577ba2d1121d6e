//! The behaviour suite on Maildirs in a temporary directory.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use email_model::{Flags, FolderKey};
use email_provider::{
    ConnectContext, EmailProvider, ProviderPlugin as _, SignIn, SystemClock,
    network::{GuardOptions, GuardedNetwork},
};
use provider_conformance::{Harness, HarnessFacts, NewMail, provider_conformance};
use provider_maildir::MaildirPlugin;
use serde_json::json;
use tempfile::TempDir;

/// Another mail program.
struct MaildirHarness {
    directory: TempDir,
    delivered: AtomicU64,
}

const LETTERS: [(Flags, char); 5] = [
    (Flags::DRAFT, 'D'),
    (Flags::FLAGGED, 'F'),
    (Flags::FORWARDED, 'P'),
    (Flags::ANSWERED, 'R'),
    (Flags::SEEN, 'S'),
];

impl MaildirHarness {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let harness = Self {
            directory,
            delivered: AtomicU64::new(0),
        };
        for folder in ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"] {
            harness.make(folder);
        }
        harness
    }

    fn path(&self, folder: &str) -> PathBuf {
        match folder {
            "INBOX" => self.directory.path().to_owned(),
            _ => self.directory.path().join(format!(".{folder}")),
        }
    }

    fn make(&self, folder: &str) -> FolderKey {
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(self.path(folder).join(part)).unwrap();
        }
        FolderKey(folder.to_owned())
    }

    fn unique(&self) -> String {
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        format!("{number:08}.host")
    }

    /// The file of a message.
    fn find(&self, folder: &FolderKey, message_id: &str) -> PathBuf {
        let parts = ["new", "cur"].map(|part| self.path(&folder.0).join(part));
        let files = parts.iter().flat_map(|part| fs::read_dir(part).unwrap());
        let mut files = files.map(|entry| entry.unwrap().path());
        let wanted = format!("Message-ID: {message_id}");
        let holds = |path: &PathBuf| {
            let text = fs::read(path).unwrap();
            String::from_utf8_lossy(&text).contains(&wanted)
        };
        files.find(holds).expect("the message is there")
    }

    /// Gives the file of a message other letters.
    fn letters(&self, path: &Path, change: impl FnOnce(String) -> String) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (unique, letters) = name.split_once(":2,").unwrap_or((&name, ""));
        let name = format!("{unique}:2,{}", change(letters.to_owned()));
        let folder = path.parent().unwrap().parent().unwrap();
        fs::rename(path, folder.join("cur").join(name)).unwrap();
    }
}

fn letters(flags: Flags) -> String {
    let set = LETTERS.iter().filter(|(flag, _)| flags.contains(*flag));
    set.map(|(_, letter)| letter).collect()
}

#[async_trait]
impl Harness for MaildirHarness {
    fn facts(&self) -> HarnessFacts {
        HarnessFacts {
            patience: Duration::from_secs(5),
            ..HarnessFacts::default()
        }
    }

    async fn provider(&self) -> Arc<dyn EmailProvider> {
        let mailbox = json!({ "path": self.directory.path(), "password": "secret" });
        let context = ConnectContext {
            public_url: None,
            network: Arc::new(GuardedNetwork::new(Vec::new(), GuardOptions::default())),
            clock: Arc::new(SystemClock),
            config: json!({ "mailboxes": { "ann": mailbox } }),
            tokens: None,
            budget: None,
        };
        let sign_in = SignIn {
            login: Some("Ann".to_owned()),
            password: Some("secret".into()),
            ..SignIn::default()
        };
        let mailbox = MaildirPlugin.resolve(&context, &sign_in).await.unwrap();
        let mailbox = MaildirPlugin.prove(&context, mailbox).await.unwrap();
        let open = MaildirPlugin.open(&context, &mailbox.connection);
        open.await.unwrap()
    }

    /// Written to `tmp` first, as the format wants it: nobody sees half a message.
    async fn append(&self, folder: &FolderKey, mail: NewMail) {
        let (folder, unique) = (self.path(&folder.0), self.unique());
        let written = folder.join("tmp").join(&unique);
        fs::write(&written, &mail.raw).unwrap();
        let file = fs::File::options().write(true).open(&written).unwrap();
        let received = SystemTime::from(mail.received_at);
        file.set_modified(received).unwrap();
        let delivered = match letters(mail.flags) {
            letters if letters.is_empty() => folder.join("new").join(unique),
            letters => folder.join("cur").join(format!("{unique}:2,{letters}")),
        };
        fs::rename(written, delivered).unwrap();
    }

    async fn set_flags(
        &self,
        folder: &FolderKey,
        message_id: &str,
        flags: Flags,
        _keywords: &[String],
    ) {
        self.letters(&self.find(folder, message_id), |_| letters(flags));
    }

    async fn move_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey) {
        let path = self.find(folder, message_id);
        let to = self.path(&to.0).join("cur");
        fs::rename(&path, to.join(path.file_name().unwrap())).unwrap();
    }

    async fn copy_message(&self, folder: &FolderKey, message_id: &str, to: &FolderKey) {
        let path = self.find(folder, message_id);
        let received = fs::metadata(&path).unwrap().modified().unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let letters = name.split_once(":2,").map_or("", |(_, letters)| letters);
        let copy = format!("{}:2,{letters}", self.unique());
        let written = self.path(&to.0).join("tmp").join(&copy);
        fs::copy(&path, &written).unwrap();
        let file = fs::File::options().write(true).open(&written).unwrap();
        file.set_modified(received).unwrap();
        fs::rename(written, self.path(&to.0).join("cur").join(copy)).unwrap();
    }

    async fn mark_deleted(&self, folder: &FolderKey, message_id: &str, deleted: bool) {
        self.letters(&self.find(folder, message_id), |letters| {
            let others = letters.replace('T', "");
            if deleted { others + "T" } else { others }
        });
    }

    async fn expunge(&self, folder: &FolderKey, message_id: &str) {
        fs::remove_file(self.find(folder, message_id)).unwrap();
    }

    async fn create_folder(&self, name: &str, parent: Option<&FolderKey>) -> FolderKey {
        match parent {
            Some(parent) => self.make(&format!("{}.{name}", parent.0)),
            None => self.make(name),
        }
    }

    async fn rename_folder(&self, folder: &FolderKey, name: &str) -> FolderKey {
        let key = match folder.0.rsplit_once('.') {
            Some((above, _)) => format!("{above}.{name}"),
            None => name.to_owned(),
        };
        fs::rename(self.path(&folder.0), self.path(&key)).unwrap();
        FolderKey(key)
    }

    async fn delete_folder(&self, folder: &FolderKey) {
        fs::remove_dir_all(self.path(&folder.0)).unwrap();
    }
}

provider_conformance!(MaildirHarness::new());

#[tokio::test]
async fn nobody_signs_in_without_the_password_or_to_another_path() {
    let harness = MaildirHarness::new();
    let context = ConnectContext {
        public_url: None,
        network: Arc::new(GuardedNetwork::new(Vec::new(), GuardOptions::default())),
        clock: Arc::new(SystemClock),
        config: json!({ "mailboxes": {
            "ann": { "path": harness.directory.path(), "password": "secret" },
        }}),
        tokens: None,
        budget: None,
    };
    for (login, password) in [("ann", "wrong"), ("../ann", "secret"), ("bob", "")] {
        let sign_in = SignIn {
            login: Some(login.to_owned()),
            password: Some(password.into()),
            ..SignIn::default()
        };
        let mailbox = MaildirPlugin.resolve(&context, &sign_in).await.unwrap();
        assert!(
            MaildirPlugin.prove(&context, mailbox).await.is_err(),
            "{login}"
        );
    }
}
