//! What the mail server itself says the mailbox holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};
use test_servers::RawImap;

/// SHA-256 in hex.
#[must_use]
pub fn hash_of(raw: &[u8]) -> String {
    Sha256::digest(raw)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// All that a copy must agree on about one message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Path of its folder, elements joined by `/`; of a mailbox with labels as [`Folders`] has it.
    pub folder: String,
    /// SHA-256 of its bytes.
    pub hash: String,
    /// Its `sysLabels`.
    pub labels: BTreeSet<String>,
    /// Its `sysClassifications`.
    pub classifications: BTreeSet<String>,
    /// Keywords.
    pub keywords: BTreeSet<String>,
    /// When the server received it.
    pub received: DateTime<Utc>,
}

/// A mailbox's messages, as many as there are of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Truth {
    /// How often each occurs.
    pub counts: BTreeMap<Key, usize>,
}

/// How names on the wire become paths.
#[derive(Debug, Clone, Copy)]
pub struct Naming {
    /// What stands before each folder but the inbox.
    pub prefix: &'static str,
    /// What separates levels.
    pub separator: char,
}

/// Folders that every server here has under these names, and what they are for.
const ROLES: [(&str, &str); 4] = [
    ("INBOX", "inbox"),
    ("Sent", "sent"),
    ("Trash", "trash"),
    ("Junk", "junk"),
];

/// Names with letters that the wire writes otherwise (RFC 3501 section 5.1.3), and what they say.
pub const ENCODED: [(&str, &str); 2] = [("B&APw-cher", "Bücher"), ("R&-D", "R&D")];

impl Naming {
    /// The path of a folder as clients of the gateway see it.
    #[must_use]
    pub fn path(self, wire: &str) -> String {
        let own = wire.strip_prefix(self.prefix).unwrap_or(wire);
        let mut path = own.replace(self.separator, "/");
        for (encoded, plain) in ENCODED {
            path = path.replace(encoded, plain);
        }
        path
    }

    /// The name on the wire of a folder below another, or at the top.
    #[must_use]
    pub fn below(self, parent: Option<&str>, name: &str) -> String {
        match parent {
            Some(parent) => format!("{parent}{}{name}", self.separator),
            None => format!("{}{name}", self.prefix),
        }
    }
}

/// What the folder's path says it is for, drafts apart.
fn role_of(path: &str) -> Option<&'static str> {
    ROLES
        .iter()
        .find_map(|(name, role)| (*name == path).then_some(*role))
}

/// A mailbox's folders as its clients know them.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    paths: BTreeMap<String, String>,
    /// Ids of those that stand for a kind of message.
    kinds: BTreeSet<String>,
    are_labels: bool,
}

impl Folders {
    /// Of the records of `GET /v1/email/folders`.
    #[must_use]
    pub fn of(records: &[Value]) -> Self {
        let mut folders = Self::default();
        for record in records {
            let text = |field: &str| record[field].as_str().map(str::to_owned);
            let (Some(id), Some(path)) = (text("id"), text("fullName")) else {
                continue;
            };
            if record["sysLabel"].is_string() {
                folders.kinds.insert(id.clone());
            }
            folders.are_labels |= record["isLabel"] == true;
            folders.paths.insert(id, path);
        }
        folders
    }

    /// What a [`Key`] says of a message's folder: its path. Where folders are labels a message may carry many and is
    /// shown in one: of the user's own this must be the one with the lowest id, and which one that is
    /// nobody but the gateway knows: [`Self::OWN`] stands for it, [`Self::NONE`] for none.
    ///
    /// # Errors
    /// When it is another one.
    pub fn of_message(&self, folder: Option<&str>, keywords: &BTreeSet<String>) -> Result<String> {
        let own = |id: &&String| {
            let path = self.paths.get(*id);
            !self.kinds.contains(*id) && path.is_some_and(|path| keywords.contains(path))
        };
        match folder {
            None if self.are_labels => Ok(Self::NONE.to_owned()),
            None => bail!("no folderId"),
            Some(id) => {
                let path = self.paths.get(id);
                let path = path.with_context(|| format!("the unknown folder {id}"))?;
                if !self.are_labels || self.kinds.contains(id) {
                    return Ok(path.clone());
                }
                let first = self.paths.keys().find(own).map(String::as_str);
                ensure!(first == Some(id), "{path} is not the first of {keywords:?}");
                Ok(Self::OWN.to_owned())
            }
        }
    }

    /// One of the user's own labels.
    pub const OWN: &str = "(a label)";

    /// No label at all.
    pub const NONE: &str = "(no label)";
}

impl Truth {
    /// Asks the server. What is marked `\Deleted` counts as gone.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn of(client: &mut RawImap, naming: Naming) -> Result<Self> {
        let mut truth = Self::default();
        for dump in client.dump_all().await?.into_values() {
            let folder = naming.path(&dump.name);
            for mail in dump.mails.into_values() {
                if has(&mail.flags, "\\Deleted") {
                    continue;
                }
                let draft = has(&mail.flags, "\\Draft") || folder == "Drafts";
                let labels = [
                    (!has(&mail.flags, "\\Seen")).then_some("unread"),
                    has(&mail.flags, "\\Flagged").then_some("flagged"),
                    draft.then_some("draft"),
                    role_of(&folder),
                ];
                let key = Key {
                    folder: folder.clone(),
                    hash: hash_of(&mail.raw),
                    labels: labels.into_iter().flatten().map(str::to_owned).collect(),
                    classifications: BTreeSet::new(),
                    keywords: mail.keywords,
                    received: mail.internal_date.to_utc(),
                };
                *truth.counts.entry(key).or_default() += 1;
            }
        }
        Ok(truth)
    }

    /// How often a message with these bytes occurs, anywhere.
    #[must_use]
    pub fn occurrences(&self) -> BTreeMap<&str, usize> {
        let mut all = BTreeMap::new();
        for (key, count) in &self.counts {
            *all.entry(key.hash.as_str()).or_default() += count;
        }
        all
    }
}

fn has(flags: &BTreeSet<String>, flag: &str) -> bool {
    flags.iter().any(|one| one.eq_ignore_ascii_case(flag))
}

/// What a sync with `daysWithin` must hold.
///
/// Messages received since `start`: all of them, exactly. Older ones: those that changed since the sync began, that is
/// as many of each kind as there are more than in `before`, the mailbox as it was then. It may hold older ones beyond that,
/// as far as they exist: a change that was undone, or one that the gateway had noticed late.
#[derive(Debug, Clone)]
pub struct Window {
    /// Where the window begins.
    pub start: DateTime<Utc>,
    /// What there was when the sync began.
    pub before: Truth,
}

impl Window {
    /// How often there was the like of a message when the sync began. Folders may have got other paths meanwhile, which
    /// changes no message: where nothing was at its path, it may have been at any other.
    fn had(&self, key: &Key) -> usize {
        let had = &self.before.counts;
        let is_known = had.keys().any(|old| old.folder == key.folder);
        had.iter()
            .filter(|(old, _)| !is_known || old.folder == key.folder)
            .filter(|(old, _)| {
                let folder = key.folder.clone();
                Key {
                    folder,
                    ..(*old).clone()
                } == *key
            })
            .map(|(_, count)| *count)
            .sum()
    }
}

/// What is wrong with a copy.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// Messages that the copy lacks.
    pub missing: Vec<Key>,
    /// Messages of the copy that do not exist so, with their ids.
    pub extra: Vec<(Key, Vec<String>)>,
}

impl Difference {
    /// Compares a copy, ids by key, with the truth.
    #[must_use]
    pub fn between(
        truth: &Truth,
        copy: &BTreeMap<Key, Vec<String>>,
        window: Option<&Window>,
    ) -> Self {
        let mut difference = Self::default();
        for (key, count) in &truth.counts {
            let required = match window {
                Some(window) if key.received < window.start => {
                    count.saturating_sub(window.had(key))
                }
                _ => *count,
            };
            let held = copy.get(key).map_or(0, Vec::len);
            for _ in held..required {
                difference.missing.push(key.clone());
            }
        }
        for (key, ids) in copy {
            let allowed = truth.counts.get(key).copied().unwrap_or(0);
            if ids.len() > allowed {
                difference.extra.push((key.clone(), ids.clone()));
            }
        }
        difference
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty()
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for key in &self.missing {
            writeln!(f, "  missing: {}", told(key))?;
            for (other, ids) in self
                .extra
                .iter()
                .filter(|(other, _)| other.hash == key.hash)
            {
                writeln!(f, "    instead: {} {ids:?}", told(other))?;
            }
        }
        let alone = |key: &Key| self.missing.iter().all(|other| other.hash != key.hash);
        for (key, ids) in self.extra.iter().filter(|(key, _)| alone(key)) {
            writeln!(f, "  extra: {} {ids:?}", told(key))?;
        }
        Ok(())
    }
}

fn told(key: &Key) -> String {
    let mut text = format!(
        "{} in {:?}, received {}",
        key.hash.get(..12).unwrap_or(&key.hash),
        key.folder,
        key.received
    );
    for word in key.labels.iter().chain(&key.classifications) {
        text.push(' ');
        text.push_str(word);
    }
    for keyword in &key.keywords {
        text.push_str(" #");
        text.push_str(keyword);
    }
    text
}
