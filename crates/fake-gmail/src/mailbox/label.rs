//! Labels: those of the system, and the user's.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Id, Mailbox};
use crate::error::ApiError;

const MOST_LABELS: usize = 10_000;
const LONGEST_NAME: usize = 225;

/// The labels that every mailbox has.
const SYSTEM: [&str; 14] = [
    "INBOX",
    "UNREAD",
    "STARRED",
    "IMPORTANT",
    "SENT",
    "DRAFT",
    "SPAM",
    "TRASH",
    "CHAT",
    "CATEGORY_PERSONAL",
    "CATEGORY_SOCIAL",
    "CATEGORY_PROMOTIONS",
    "CATEGORY_UPDATES",
    "CATEGORY_FORUMS",
];
/// Labels that say what a message is; nobody adds or removes them.
const FIXED: [&str; 3] = ["SENT", "DRAFT", "CHAT"];
/// Names that users cannot give.
const RESERVED: [&str; 10] = [
    "inbox",
    "unread",
    "starred",
    "important",
    "sent",
    "draft",
    "drafts",
    "spam",
    "trash",
    "chat",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub id: String,
    pub name: String,
    pub user: bool,
    pub list_visibility: Option<String>,
    pub message_visibility: Option<String>,
    pub color: Option<Value>,
}

pub(super) fn system() -> BTreeMap<String, Label> {
    SYSTEM
        .iter()
        .map(|&id| {
            let hidden = id.starts_with("CATEGORY_") || id == "CHAT";
            let label = Label {
                id: id.to_owned(),
                name: id.to_owned(),
                user: false,
                list_visibility: hidden.then(|| "labelHide".to_owned()),
                message_visibility: hidden.then(|| "hide".to_owned()),
                color: None,
            };
            (id.to_owned(), label)
        })
        .collect()
}

impl Label {
    pub fn json(&self) -> Value {
        let mut value = json!({
            "id": self.id,
            "name": self.name,
            "type": if self.user { "user" } else { "system" },
        });
        if let Some(visibility) = &self.list_visibility {
            value["labelListVisibility"] = json!(visibility);
        }
        if let Some(visibility) = &self.message_visibility {
            value["messageListVisibility"] = json!(visibility);
        }
        if let Some(color) = &self.color {
            value["color"] = color.clone();
        }
        value
    }
}

impl Mailbox {
    /// Makes a label of this name.
    pub fn create_label(&mut self, name: &str) -> Result<String, ApiError> {
        self.check_name(name, None)?;
        if self.labels.len() >= MOST_LABELS + SYSTEM.len() {
            return Err(ApiError::refused(
                400,
                "invalidArgument",
                "Label limit exceeded",
            ));
        }
        let id = format!("Label_{}", self.next_label);
        self.next_label += 1;
        let label = Label {
            id: id.clone(),
            name: name.to_owned(),
            user: true,
            list_visibility: Some("labelShow".to_owned()),
            message_visibility: Some("show".to_owned()),
            color: None,
        };
        self.labels.insert(id.clone(), label);
        Ok(id)
    }

    /// Whether a label may have this name.
    pub fn check_name(&self, name: &str, own: Option<&str>) -> Result<(), ApiError> {
        let lower = name.trim().to_lowercase();
        let reserved = RESERVED.contains(&lower.as_str()) || lower.starts_with("category_");
        if lower.is_empty() || name.chars().count() > LONGEST_NAME || reserved {
            return Err(ApiError::refused(
                400,
                "invalidArgument",
                "Invalid label name",
            ));
        }
        let taken = self
            .labels
            .values()
            .any(|label| label.name.to_lowercase() == lower && own != Some(label.id.as_str()));
        if taken {
            return Err(ApiError::refused(
                409,
                "aborted",
                "Label name exists or conflicts",
            ));
        }
        Ok(())
    }

    /// The user's own label of this id; those of the system are not changed or deleted.
    pub fn user_label(&mut self, id: &str) -> Result<&mut Label, ApiError> {
        match self.labels.get_mut(id) {
            Some(label) if label.user => Ok(label),
            Some(_) => Err(ApiError::invalid(
                "Invalid update request for a system label",
            )),
            None => Err(ApiError::not_found()),
        }
    }

    /// Takes a label off every message, then away.
    pub fn delete_label(&mut self, id: &str, now_ms: i64) -> Result<(), ApiError> {
        self.user_label(id)?;
        let labelled: Vec<Id> = self
            .messages
            .values()
            .filter(|stored| stored.labels.contains(id))
            .map(|stored| stored.id)
            .collect();
        self.relabel(&labelled, &[], &[id.to_owned()], now_ms);
        self.labels.remove(id);
        Ok(())
    }

    /// Whether these labels may be put on or taken off together.
    pub fn check_relabel(&self, add: &[String], remove: &[String]) -> Result<(), ApiError> {
        if add.is_empty() && remove.is_empty() {
            return Err(ApiError::invalid("No label add or removes specified"));
        }
        if add.len() > 100 || remove.len() > 100 {
            return Err(ApiError::invalid("Too many labels"));
        }
        for id in add.iter().chain(remove) {
            if !self.labels.contains_key(id) {
                // Somebody may just have deleted it.
                let message = format!("labelId not found: {id}");
                return Err(ApiError::refused(400, "invalidArgument", message));
            }
            if FIXED.contains(&id.as_str()) {
                return Err(ApiError::invalid(format!("Invalid label: {id}")));
            }
        }
        if add.iter().any(|id| remove.contains(id)) {
            return Err(ApiError::invalid(
                "Cannot both add and remove the same label",
            ));
        }
        // At most one of these places can be added in a call.
        let places = ["INBOX", "SPAM", "TRASH"];
        let added = places
            .iter()
            .filter(|place| add.iter().any(|id| id == *place));
        if added.count() > 1 {
            return Err(ApiError::invalid(
                "Only one of INBOX, SPAM, TRASH can be added",
            ));
        }
        Ok(())
    }
}
