//! The mailboxes, and how each takes a change.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use test_servers::{Dialect, Dovecot, DovecotOptions, RawImap};

use super::letters::Letter;
use super::script::{Change, Place};
use crate::{Api, GatewayProcess, Google, Microsoft};

/// A mailbox.
pub(super) enum Side {
    Dovecot(Box<DovecotSide>),
    Gmail(GmailSide),
    Graph(GraphSide),
}

impl Side {
    /// Makes a change behind the gateway's back.
    pub async fn apply(&mut self, change: &Change) -> Result<()> {
        match self {
            Self::Dovecot(side) => side.apply(change).await,
            Self::Gmail(side) => side.apply(change),
            Self::Graph(side) => side.apply(change),
        }
    }

    /// What no correct client asks was not asked.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Dovecot(_) => {}
            Self::Gmail(side) => {
                let violations = side.google.gmail.violations();
                ensure!(violations.is_empty(), "{violations:#?}");
            }
            Self::Graph(side) => {
                let violations = side.microsoft.graph.violations();
                ensure!(violations.is_empty(), "{violations:#?}");
            }
        }
        Ok(())
    }
}

/// Dovecot's.
pub(super) struct DovecotSide {
    server: Dovecot,
    imap: RawImap,
}

const USER: &str = "alice@test.local";

impl DovecotSide {
    pub async fn start() -> Result<Self> {
        let server = Dovecot::start(DovecotOptions {
            dialect: Dialect::Qresync,
            users: 0,
            ..DovecotOptions::default()
        })
        .await?;
        let imap = server.client(USER).await?;
        Ok(Self { server, imap })
    }

    pub async fn connect(&self, gateway: &GatewayProcess) -> Result<Api> {
        let (_, api) = gateway.account(USER, self.server.imap_port()).await?;
        Ok(api)
    }

    async fn apply(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::Deliver(letter, place, read) => {
                let draft = (*place == Place::Drafts).then_some("\\Draft");
                let seen = read.then_some("\\Seen");
                let flags: Vec<&str> = draft.into_iter().chain(seen).collect();
                let received = Some(letter.received.fixed_offset());
                let name = mailbox(place);
                self.imap
                    .append(&name, &letter.raw, &flags, received)
                    .await?;
                Ok(())
            }
            Change::Read(letter, set) => self.store(letter, *set, "\\Seen").await,
            Change::Flag(letter, set) => self.store(letter, *set, "\\Flagged").await,
            Change::Label(letter, word, set) => self.store(letter, *set, word).await,
            Change::Move(letter, place) => {
                let uid = self.select(letter).await?;
                self.imap.move_to(&uid, &mailbox(place)).await
            }
            Change::Delete(letter) => {
                let uid = self.select(letter).await?;
                self.imap.expunge(&uid).await
            }
            Change::CreateFolder(path) => self.imap.create(&encoded(path)).await,
            Change::Ask(..) => Ok(()),
        }
    }

    async fn store(&mut self, letter: &Letter, set: bool, flag: &str) -> Result<()> {
        let uid = self.select(letter).await?;
        let change = if set { "+FLAGS" } else { "-FLAGS" };
        self.imap.store(&uid, change, &[flag]).await
    }

    /// Selects the folder that the message is in, and gives its UID.
    async fn select(&mut self, letter: &Letter) -> Result<String> {
        let search = format!("HEADER Message-ID \"{}\"", letter.message_id);
        for listed in self.imap.list("*").await? {
            self.imap.select(&listed.name).await?;
            if let [uid] = self.imap.uid_search(&search).await?.as_slice() {
                return Ok(uid.to_string());
            }
        }
        anyhow::bail!("{} is nowhere", letter.message_id)
    }
}

fn mailbox(place: &Place) -> String {
    match place {
        Place::Inbox => "INBOX".to_owned(),
        Place::Archive => "Archive".to_owned(),
        Place::Trash => "Trash".to_owned(),
        Place::Junk => "Junk".to_owned(),
        Place::Sent => "Sent".to_owned(),
        Place::Drafts => "Drafts".to_owned(),
        Place::Own(path) => encoded(path),
    }
}

/// As the wire has it (RFC 3501 section 5.1.3).
fn encoded(path: &str) -> String {
    path.replace('ü', "&APw-")
}

/// Gmail's.
pub(super) struct GmailSide {
    google: Google,
    /// Labels that are folders, by name.
    labels: BTreeMap<String, String>,
    /// Messages by Message-ID.
    ids: BTreeMap<String, String>,
}

/// The system's labels that are places.
const PLACES: [&str; 5] = ["INBOX", "TRASH", "SPAM", "SENT", "DRAFT"];

impl GmailSide {
    pub fn new(google: Google) -> Self {
        Self {
            google,
            labels: BTreeMap::new(),
            ids: BTreeMap::new(),
        }
    }

    fn apply(&mut self, change: &Change) -> Result<()> {
        let user = &self.google.user;
        match change {
            Change::Deliver(letter, place, read) => {
                let mut labels = self.label(place)?;
                labels.extend((!read).then(|| "UNREAD".to_owned()));
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                let received = letter.received.timestamp_millis();
                let id = user.append(&letter.raw, &labels, received);
                self.ids.insert(letter.message_id.clone(), id);
            }
            Change::Read(letter, true) => self.modify(letter, &[], &["UNREAD"])?,
            Change::Read(letter, false) => self.modify(letter, &["UNREAD"], &[])?,
            Change::Flag(letter, true) => self.modify(letter, &["STARRED"], &[])?,
            Change::Flag(letter, false) => self.modify(letter, &[], &["STARRED"])?,
            Change::Label(letter, word, set) => {
                let label = self.keyword(word)?;
                match set {
                    true => self.modify(letter, &[&label], &[])?,
                    false => self.modify(letter, &[], &[&label])?,
                }
            }
            Change::Move(letter, place) => {
                let add = self.label(place)?;
                let id = self.id(letter)?;
                let has = user.message(id).context("it is there")?.labels;
                let own: Vec<&String> = self.labels.values().collect();
                let remove: Vec<&str> = has
                    .iter()
                    .filter(|label| PLACES.contains(&label.as_str()) || own.contains(label))
                    .filter(|label| !add.contains(label))
                    .map(String::as_str)
                    .collect();
                let add: Vec<&str> = add.iter().map(String::as_str).collect();
                self.modify(letter, &add, &remove)?;
            }
            Change::Delete(letter) => {
                user.delete(self.id(letter)?);
            }
            Change::CreateFolder(path) => {
                let id = user.create_label(path).context("a label")?;
                self.labels.insert(path.clone(), id);
            }
            Change::Ask(..) => {}
        }
        Ok(())
    }

    fn id(&self, letter: &Letter) -> Result<&String> {
        self.ids.get(&letter.message_id).context("it was delivered")
    }

    fn modify(&self, letter: &Letter, add: &[&str], remove: &[&str]) -> Result<()> {
        let done = self.google.user.modify(self.id(letter)?, add, remove);
        ensure!(done, "{} is not there", letter.message_id);
        Ok(())
    }

    /// The label of this name, which the gateway may have made.
    fn keyword(&self, word: &str) -> Result<String> {
        let labels = self.google.user.labels().into_iter();
        let mut found = labels.filter(|(_, name)| name == word);
        match found.next() {
            Some((id, _)) => Ok(id),
            None => self.google.user.create_label(word).context("a label"),
        }
    }

    fn label(&self, place: &Place) -> Result<Vec<String>> {
        let label = match place {
            Place::Inbox => "INBOX",
            Place::Archive => return Ok(Vec::new()),
            Place::Trash => "TRASH",
            Place::Junk => "SPAM",
            Place::Sent => "SENT",
            Place::Drafts => "DRAFT",
            Place::Own(path) => self.labels.get(path).context("it was made")?,
        };
        Ok(vec![label.to_owned()])
    }
}

/// Graph's.
pub(super) struct GraphSide {
    microsoft: Microsoft,
    /// Folders by path.
    folders: BTreeMap<String, String>,
    /// Messages by Message-ID.
    ids: BTreeMap<String, String>,
}

impl GraphSide {
    pub fn new(microsoft: Microsoft) -> Self {
        Self {
            microsoft,
            folders: BTreeMap::new(),
            ids: BTreeMap::new(),
        }
    }

    fn apply(&mut self, change: &Change) -> Result<()> {
        let user = &self.microsoft.user;
        let done = match change {
            Change::Deliver(letter, place, read) => {
                let received = letter.received.timestamp_millis();
                let id = user.append(&letter.raw, self.folder(place)?, received);
                let done = user.set_read(&id, *read);
                self.ids.insert(letter.message_id.clone(), id);
                done
            }
            Change::Read(letter, set) => user.set_read(self.id(letter)?, *set),
            Change::Flag(letter, set) => user.set_flag(self.id(letter)?, *set),
            Change::Label(letter, word, set) => {
                let id = self.id(letter)?;
                let mut words = user.message(id).context("it is there")?.categories;
                words.retain(|has| has != word);
                words.extend(set.then(|| (*word).to_owned()));
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                user.set_categories(id, &words)
            }
            Change::Move(letter, place) => user.move_to(self.id(letter)?, self.folder(place)?),
            Change::Delete(letter) => user.delete_permanently(self.id(letter)?),
            Change::CreateFolder(path) => {
                let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
                let above = self.folders.get(above).map(String::as_str);
                let id = user.create_folder(name, above).context("a folder")?;
                self.folders.insert(path.clone(), id);
                true
            }
            Change::Ask(..) => true,
        };
        ensure!(done, "it is not there");
        Ok(())
    }

    fn id(&self, letter: &Letter) -> Result<&String> {
        self.ids.get(&letter.message_id).context("it was delivered")
    }

    fn folder(&self, place: &Place) -> Result<&str> {
        Ok(match place {
            Place::Inbox => "inbox",
            Place::Archive => "archive",
            Place::Trash => "deleteditems",
            Place::Junk => "junkemail",
            Place::Sent => "sentitems",
            Place::Drafts => "drafts",
            Place::Own(path) => self.folders.get(path).context("it was made")?,
        })
    }
}
