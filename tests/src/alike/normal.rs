//! What may differ between mailboxes, all of it.
//!
//! Told by `capabilities`:
//!
//! 1. `folders: labels`. A message carries its labels as `keywords`, those among them that are folders, and whoever sets
//!    its keywords names its folder among them; folders are told as labels. A keyword is a folder as well, the message's
//!    `folderId` where it comes before that of another.
//! 2. No `archive` among the `roles`. What is archived has no `folderId`.
//!
//! Told by the contract of every mailbox alike:
//!
//! 3. Ids, versions, tokens and times of the gateway's own doing are opaque. Messages go by their Message-ID here,
//!    conversations by the messages in them, folders by their `sysLabel` or path, attachments by their order.
//! 4. Folders that a mailbox has from the start bear the names of its vendor and its user's language, and there may be
//!    more of them than those with a `sysLabel`.
//! 5. Sync pages have a `bodySnippet` where it is known already. On lists it is the mailbox's own where it has one, which
//!    ends where the mailbox ends it: its beginning is compared.
//! 6. Before a message is read, sizes of its attachments are told as far as they are known without reading it.
//!
//! Told nowhere:
//!
//! 7. A mailbox that keeps one text of a message (Graph) makes the other one of it, with tags and escapes of its own. Bodies
//!    are compared by their words, and their lines end everywhere with LF; texts beside HTML are not compared where they say
//!    something else.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::script::{FOLDERS, KEYWORDS};

/// How a mailbox's answers become those of any mailbox.
#[derive(Debug, Clone, Default)]
pub(super) struct Normal {
    are_labels: bool,
    has_archive: bool,
    /// What folders go by, by their ids.
    folders: BTreeMap<String, String>,
    /// Paths of the folders that the test made and the mailbox has.
    own: BTreeSet<String>,
}

/// A text, or what is between the tags of HTML, with one space between words.
fn words(body: &str) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        text.push_str(before);
        let is_tag = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        let end = tag.find('>').filter(|_| is_tag).map_or(1, |end| end + 1);
        text.push_str(if is_tag { " " } else { "<" });
        rest = &tag[end..];
    }
    text.push_str(rest);
    for (escape, sign) in [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")] {
        text = text.replace(escape, sign);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters of a snippet that every mailbox must show: Dovecot has a space where a tag ends, others have none.
const BEGINNING: usize = 19;

fn without_sizes(record: &mut Value) {
    let attachments = record["attachments"].as_array_mut();
    for attachment in attachments.into_iter().flatten() {
        if let Some(fields) = attachment.as_object_mut() {
            fields.remove("size");
        }
    }
}

/// What the folder for archived messages goes by.
const ARCHIVE: &str = "(archive)";

impl Normal {
    /// By `capabilities` of `GET /v1/account`.
    pub fn new(capabilities: &Value) -> Result<Self> {
        let roles = capabilities["roles"].as_array().context("no roles")?;
        Ok(Self {
            are_labels: capabilities["folders"] == "labels",
            has_archive: roles.iter().any(|role| role == "archive"),
            ..Self::default()
        })
    }

    /// Learns the folders, and gives those that every mailbox must have: the ones with a `sysLabel`, the archive, and
    /// these paths, which the test made.
    pub fn folders(
        &mut self,
        records: &[Value],
        archive: Option<&str>,
        made: &[String],
    ) -> Result<Value> {
        self.folders.clear();
        self.own.clear();
        for record in records {
            let text = |field: &str| record[field].as_str();
            let (id, path) = (text("id"), text("fullName"));
            let (id, path) = id.zip(path).context("a folder without id or path")?;
            let name = match text("sysLabel") {
                Some(label) => format!("({label})"),
                None if Some(id) == archive => ARCHIVE.to_owned(),
                None => {
                    if FOLDERS.contains(&path) {
                        self.own.insert(path.to_owned());
                    }
                    path.to_owned()
                }
            };
            self.folders.insert(id.to_owned(), name);
        }
        let mut shown = Map::new();
        for record in records {
            let name = self.name(&record["id"]);
            if !name.starts_with('(') && !made.contains(&name) {
                continue;
            }
            let mut folder = record.clone();
            let fields = folder.as_object_mut().context("a folder")?;
            fields.remove("id");
            if let Some(parent) = fields.remove("parentId") {
                fields.insert("parentId".to_owned(), json!(self.name(&parent)));
            }
            let kind = json!(self.are_labels);
            if fields.remove("isLabel") != Some(kind) {
                fields.insert("isLabel".to_owned(), json!("not as capabilities say"));
            }
            if fields.remove("isFolder") != Some(json!(!self.are_labels)) {
                fields.insert("isFolder".to_owned(), json!("not as capabilities say"));
            }
            if name.starts_with('(') {
                fields.remove("name");
                fields.remove("fullName");
            }
            shown.insert(name, folder);
        }
        // Where nothing stands for it, it is where messages without a folder are.
        if !self.has_archive && archive.is_none() {
            shown.insert(ARCHIVE.to_owned(), json!({}));
        }
        Ok(Value::Object(shown))
    }

    /// What a folder goes by.
    fn name(&self, id: &Value) -> String {
        match id.as_str() {
            Some(id) => self
                .folders
                .get(id)
                .cloned()
                .unwrap_or_else(|| format!("the unknown folder {id}")),
            None if !self.has_archive => ARCHIVE.to_owned(),
            None => "nowhere".to_owned(),
        }
    }

    /// Where a message is. One that is nowhere but in its keywords is archived.
    pub fn place(&self, record: &Value) -> String {
        let name = self.name(&record["folderId"]);
        if !self.are_labels || !KEYWORDS.contains(&name.as_str()) {
            return name;
        }
        let labels = record["keywords"].as_array().into_iter().flatten();
        let mut own = labels
            .filter_map(Value::as_str)
            .filter(|label| self.own.contains(*label));
        own.next().unwrap_or(ARCHIVE).to_owned()
    }

    /// What is to be sent as a message's keywords so that it has these, and stays in its folder.
    pub fn keywords(&self, words: &[&'static str], folder: Option<&str>) -> Value {
        let folder = folder.filter(|_| self.are_labels);
        words.iter().copied().chain(folder).collect()
    }

    /// A message or a removal without what is opaque.
    pub fn record(&self, record: &Value) -> Value {
        let mut record = record.clone();
        let folder = self.place(&record);
        let Some(fields) = record.as_object_mut() else {
            return record;
        };
        for opaque in ["id", "threadId", "version", "timestamp"] {
            if let Some(value) = fields.remove(opaque) {
                fields.insert(format!("has {opaque}"), json!(!value.is_null()));
            }
        }
        fields.insert("folderId".to_owned(), json!(folder));
        if let Some(Value::Array(keywords)) = fields.get_mut("keywords")
            && self.are_labels
        {
            keywords.retain(|keyword| {
                !keyword
                    .as_str()
                    .is_some_and(|keyword| self.own.contains(keyword))
            });
        }
        if let Some(Value::Array(attachments)) = fields.get_mut("attachments") {
            for attachment in attachments.iter_mut().filter_map(Value::as_object_mut) {
                attachment.remove("id");
            }
        }
        if let Some(Value::String(body)) = fields.get_mut("body") {
            *body = match body.contains('\r') {
                true => "lines that do not end with LF".to_owned(),
                false => words(body),
            };
        }
        record
    }

    /// A message of a list.
    pub fn listed(&self, record: &Value) -> Value {
        let mut record = self.record(record);
        without_sizes(&mut record);
        if let Some(Value::String(snippet)) = record.get_mut("bodySnippet") {
            *snippet = snippet.chars().take(BEGINNING).collect();
        }
        record
    }

    /// A message of a sync page.
    pub fn synced(&self, record: &Value) -> Value {
        let mut record = self.record(record);
        without_sizes(&mut record);
        if let Some(fields) = record.as_object_mut() {
            fields.remove("bodySnippet");
            if let Some(Value::Array(omitted)) = fields.get_mut("omitted") {
                omitted.retain(|field| field != "bodySnippet");
            }
        }
        record
    }
}
