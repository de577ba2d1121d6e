//! Notifications: what is watched, and what a push subscription delivers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::mailbox::{Change, Mailbox};

/// A user's watch on the mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub topic: String,
    pub labels: Vec<String>,
    /// Labels not to be told of, instead of those to be told of.
    pub exclude: bool,
    pub expires_ms: i64,
    /// All but the first notification in a second are dropped.
    pub rate_limit: bool,
}

/// A notification on its way.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub email: String,
    pub history_id: u64,
    pub topic: String,
    pub at_ms: i64,
    pub number: u64,
}

impl Mailbox {
    /// Notifies the watch of changes that concern it.
    pub fn notify(&mut self, history_id: u64, changes: &[Change], now_ms: i64) {
        let Some(watch) = &self.watch else { return };
        let concerns = |change: &Change| {
            let labelled =
                |label: &String| change.labels.contains(label) || change.delta.contains(label);
            watch.labels.is_empty() || watch.labels.iter().any(labelled) != watch.exclude
        };
        let dropped = watch.rate_limit && now_ms.saturating_sub(self.last_push_ms) < 1000;
        if watch.expires_ms <= now_ms || dropped || !changes.iter().any(concerns) {
            return;
        }
        let topic = watch.topic.clone();
        self.push_count += 1;
        self.last_push_ms = now_ms;
        self.pushes.push(Push {
            email: self.email.clone(),
            history_id,
            topic,
            at_ms: now_ms,
            number: self.push_count,
        });
    }
}

impl Push {
    /// The body of a push request, as of Pub/Sub's documentation of push subscriptions.
    pub fn envelope(&self, ids_as_strings: bool) -> Value {
        let history_id = if ids_as_strings {
            json!(self.history_id.to_string())
        } else {
            json!(self.history_id)
        };
        let data = json!({"emailAddress": self.email, "historyId": history_id}).to_string();
        let id = format!("{}{:06}", self.at_ms, self.number);
        let time = rfc3339(self.at_ms);
        let project = self.topic.split('/').nth(1).unwrap_or("project");
        json!({
            "message": {
                "data": STANDARD.encode(data),
                "messageId": id,
                "message_id": id,
                "publishTime": time,
                "publish_time": time,
            },
            "subscription": format!("projects/{project}/subscriptions/mail"),
        })
    }
}

fn rfc3339(ms: i64) -> String {
    mail_parser::DateTime::from_timestamp(ms / 1000).to_rfc3339()
}
