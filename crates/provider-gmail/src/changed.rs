//! What the history tells of messages.
//!
//! The labels that it shows of them may be missing, those of the change, or today's, and reading a message costs as
//! much as ten pages of history: so they are believed where they agree with all that the page says was added and
//! taken away, of a message's last record, after which nothing else happened or will be told; else the message
//! is told bare, and read by whoever wants to know.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use google_gmail1::api::{History, Message};

use crate::{ids::HexId, labels::CHAT};

/// What a page of the history tells.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// In the order of the changes.
    order: Vec<Told>,
    pub gone: BTreeSet<HexId>,
    chats: HashSet<HexId>,
    /// Which labels were added (true) and taken away, at last.
    labelled: HashMap<HexId, BTreeMap<String, bool>>,
}

/// A message as a record shows it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub id: HexId,
    pub thread: Option<String>,
    /// Where they are believed.
    pub labels: Option<Vec<String>>,
}

impl Changed {
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty() && self.gone.is_empty()
    }

    pub(crate) fn add(&mut self, record: History) {
        let added = record.messages_added.into_iter().flatten();
        let labelled = record.labels_added.into_iter().flatten();
        let unlabelled = record.labels_removed.into_iter().flatten();
        let deleted = record.messages_deleted.into_iter().flatten();
        let mut touched: Vec<Option<Message>> = added.map(|one| one.message).collect();
        let labelled = labelled.map(|one| (one.message, one.label_ids, true));
        let unlabelled = unlabelled.map(|one| (one.message, one.label_ids, false));
        for (message, labels, is_there) in labelled.chain(unlabelled) {
            if let Some(id) = message.as_ref().and_then(id) {
                let labels = labels.into_iter().flatten().map(|label| (label, is_there));
                self.labelled.entry(id).or_default().extend(labels);
            }
            touched.push(message);
        }
        let deleted: Vec<_> = deleted.filter_map(|one| one.message).collect();
        // A kind of record that is not known yet still names its messages.
        if touched.is_empty() && deleted.is_empty() {
            let named = record.messages.into_iter().flatten();
            touched.extend(named.map(|named| {
                Some(Message {
                    label_ids: None,
                    ..named
                })
            }));
        }
        for message in touched.into_iter().flatten() {
            self.touch(message);
        }
        let gone = deleted.into_iter().filter_map(|message| id(&message));
        self.gone.extend(gone);
    }

    fn touch(&mut self, message: Message) {
        let Some(id) = id(&message) else { return };
        let labels = message.label_ids;
        if labels.iter().flatten().any(|label| label == CHAT) {
            self.chats.insert(id);
            return;
        }
        let thread = message.thread_id;
        self.order.push(Told { id, thread, labels });
    }

    /// Each message once, in the order of their last changes. An id is never given again: what was deleted is
    /// gone, whatever else is told of it.
    pub(crate) fn told(&self) -> Vec<Told> {
        let mut known = HashSet::new();
        let mut all: Vec<Told> = Vec::new();
        for told in self.order.iter().rev() {
            let is_other = self.gone.contains(&told.id) || self.chats.contains(&told.id);
            if !is_other && known.insert(&told.id) {
                let labels = told.labels.clone();
                all.push(Told {
                    labels: labels.filter(|labels| self.agrees(&told.id, labels)),
                    ..told.clone()
                });
            }
        }
        all.reverse();
        all
    }

    /// Whether these labels are what the changes have led to.
    fn agrees(&self, id: &HexId, labels: &[String]) -> bool {
        let mut changes = self.labelled.get(id).into_iter().flatten();
        changes.all(|(label, is_there)| labels.contains(label) == *is_there)
    }
}

fn id(message: &Message) -> Option<HexId> {
    HexId::parse(message.id.as_deref()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(records: serde_json::Value) -> Changed {
        let records: Vec<History> = serde_json::from_value(records).unwrap();
        let mut changed = Changed::default();
        records.into_iter().for_each(|record| changed.add(record));
        changed
    }

    fn keys(changed: &Changed) -> (Vec<String>, Vec<String>) {
        let text = |id: &HexId| id.as_str().to_owned();
        let told = changed.told().iter().map(|told| text(&told.id)).collect();
        (told, changed.gone.iter().map(text).collect())
    }

    #[test]
    fn each_message_is_told_once_in_the_order_of_its_last_change() {
        let one = |id: &str| serde_json::json!([{"message": {"id": id, "threadId": "f"}}]);
        let page = changed(serde_json::json!([
            {"id": "1", "messagesAdded": one("a")},
            {"id": "2", "messagesAdded": one("b")},
            {"id": "2", "messagesAdded": one("b")},
            {"id": "3", "labelsAdded": one("a")},
            {"id": "4", "messages": [{"id": "c"}]},
        ]));
        assert_eq!(keys(&page).0, ["b", "a", "c"]);
        let told = page.told();
        assert!(told[0].thread.is_some() && told[2].thread.is_none());
    }

    #[test]
    fn a_replaced_draft_vanishes_and_its_revision_is_new() {
        let page = changed(serde_json::json!([
            {"id": "1", "labelsAdded": [{"message": {"id": "a"}, "labelIds": ["STARRED"]}]},
            {"id": "2", "messagesDeleted": [{"message": {"id": "a"}}],
                "messagesAdded": [{"message": {"id": "b", "labelIds": ["DRAFT"]}}]},
        ]));
        assert_eq!(keys(&page), (vec!["b".to_owned()], vec!["a".to_owned()]));
    }

    #[test]
    fn labels_are_believed_where_they_agree_with_what_was_done() {
        let change = |labels: &[&str], done: &[&str]| {
            let message = serde_json::json!({"id": "a", "labelIds": labels});
            serde_json::json!([{"message": message, "labelIds": done}])
        };
        let labels = |records| changed(records).told().remove(0).labels;
        let starred = change(&["INBOX", "STARRED"], &["STARRED"]);
        let read = change(&["INBOX", "STARRED"], &["UNREAD"]);
        let of_the_change = serde_json::json!([
            {"id": "1", "labelsAdded": change(&["INBOX", "STARRED", "UNREAD"], &["STARRED"])},
            {"id": "2", "labelsRemoved": read},
        ]);
        let told = Some(vec!["INBOX".to_owned(), "STARRED".to_owned()]);
        assert_eq!(labels(of_the_change), told);
        let todays = serde_json::json!([
            {"id": "1", "labelsAdded": starred}, {"id": "2", "labelsRemoved": read},
        ]);
        assert_eq!(labels(todays), told);
        for odd in [
            // before the change
            serde_json::json!([{"id": "1", "labelsRemoved": change(&["UNREAD"], &["UNREAD"])}]),
            serde_json::json!([{"id": "1", "labelsAdded": change(&["INBOX"], &["STARRED"])}]),
            // not of the last change
            serde_json::json!([
                {"id": "1", "labelsAdded": starred},
                {"id": "2", "labelsAdded": change(&["INBOX", "Label_1"], &["Label_1"])},
            ]),
            // none are shown, which is no word of there being none
            serde_json::json!([{"id": "1", "labelsAdded": [{"message": {"id": "a"}}]}]),
            // of a kind that is not known
            serde_json::json!([{"id": "1", "messages": [{"id": "a", "labelIds": ["INBOX"]}]}]),
        ] {
            assert_eq!(labels(odd.clone()), None, "{odd}");
        }
    }

    #[test]
    fn chats_and_odd_ids_are_not_told() {
        let page = changed(serde_json::json!([
            {"id": "1", "messagesAdded": [{"message": {"id": "a", "labelIds": ["CHAT"]}}]},
            {"id": "2", "labelsRemoved": [{"message": {"id": "a"}}, {"message": {"id": "../x"}}]},
        ]));
        assert_eq!(keys(&page), (vec![], vec![]));
    }
}
