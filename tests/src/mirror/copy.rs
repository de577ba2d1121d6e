//! A client's copy.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::WalkError;

/// What is kept of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `folderId`.
    pub folder: Option<String>,
    /// `sysLabels`.
    pub labels: BTreeSet<String>,
    /// `sysClassifications`.
    pub classifications: BTreeSet<String>,
    /// `keywords`.
    pub keywords: BTreeSet<String>,
    /// `receivedAt`.
    pub received: Option<DateTime<Utc>>,
    /// `internetMessageId`.
    pub message_id: Option<String>,
    /// `threadId`.
    pub thread: Option<String>,
}

/// A record of either stream. Without a message it is a removal.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub id: String,
    pub version: i64,
    pub live: Option<Record>,
}

impl Change {
    /// Reads a record; the OpenAPI document does not demand what the contract does.
    pub fn read(value: &Value, is_live: bool) -> Result<Self, WalkError> {
        let missing =
            |field: &str| WalkError::Violation(format!("a record without {field}: {value}"));
        let text = |field: &str| value[field].as_str().map(str::to_owned);
        let texts = |field: &str| -> Result<BTreeSet<String>, WalkError> {
            let listed = value[field].as_array().ok_or_else(|| missing(field))?;
            let set: BTreeSet<String> = listed
                .iter()
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect();
            if set.len() == listed.len() {
                Ok(set)
            } else {
                Err(WalkError::Violation(format!("{field} twice: {value}")))
            }
        };
        let live = if is_live {
            let received = text("receivedAt").and_then(|text| text.parse().ok());
            Some(Record {
                folder: text("folderId"),
                labels: texts("sysLabels")?,
                classifications: texts("sysClassifications")?,
                keywords: texts("keywords")?,
                received,
                message_id: text("internetMessageId"),
                thread: text("threadId"),
            })
        } else {
            None
        };
        Ok(Self {
            id: text("id").ok_or_else(|| missing("id"))?,
            version: value["version"]
                .as_i64()
                .ok_or_else(|| missing("version"))?,
            live,
        })
    }
}

#[derive(Debug, Clone)]
struct Held {
    version: i64,
    live: Option<Record>,
}

/// Messages by id, and removals as far as they are needed to tell what is newer.
#[derive(Debug, Clone, Default)]
pub struct Copy {
    held: BTreeMap<String, Held>,
}

impl Copy {
    /// A record beside what is known of the message.
    pub(super) fn describe(&self, change: &Change) -> String {
        let held = self.held.get(&change.id);
        format!("  {change:?}\n    was {held:?}")
    }

    /// Of two records for one id the higher version wins.
    pub(super) fn apply_by_version(&mut self, change: Change) {
        let newer = self
            .held
            .get(&change.id)
            .is_none_or(|held| held.version <= change.version);
        if newer {
            self.set(change);
        }
    }

    /// The last record wins. That versions never fall is looked at but not relied on.
    pub(super) fn apply_in_order(&mut self, changes: &[Change]) -> Result<(), WalkError> {
        for change in changes {
            if let Some(held) = self.held.get(&change.id)
                && held.version > change.version
            {
                return Err(WalkError::Violation(format!(
                    "a record older than the one before it, of version {}: {change:?}",
                    held.version
                )));
            }
            self.set(change.clone());
        }
        Ok(())
    }

    fn set(&mut self, change: Change) {
        let Change { id, version, live } = change;
        self.held.insert(id, Held { version, live });
    }

    /// Its messages by id.
    pub fn live(&self) -> impl Iterator<Item = (&String, &Record)> {
        self.held
            .iter()
            .filter_map(|(id, held)| Some((id, held.live.as_ref()?)))
    }

    /// What it knows of an id: version, and the message unless it is gone.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<(i64, Option<&Record>)> {
        let held = self.held.get(id)?;
        Some((held.version, held.live.as_ref()))
    }
}
