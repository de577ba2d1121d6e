//! What the fake itself says the mailbox holds.

use std::collections::BTreeMap;

use chrono::DateTime;
use fake_gmail::User;

use crate::{Folders, Key, Truth, hash_of};

/// The places that stand for all of a message's labels, the first one that it has; and what `sysLabels` says.
const PLACES: [(&str, &str, &str); 5] = [
    ("TRASH", "Trash", "trash"),
    ("SPAM", "Spam", "junk"),
    ("DRAFT", "Drafts", "draft"),
    ("INBOX", "Inbox", "inbox"),
    ("SENT", "Sent", "sent"),
];

const FLAGS: [(&str, &str); 3] = [
    ("UNREAD", "unread"),
    ("STARRED", "flagged"),
    ("IMPORTANT", "important"),
];

/// All messages but those of the chat service.
pub(super) fn of(user: &User) -> Truth {
    let names: BTreeMap<String, String> = user.labels().into_iter().collect();
    let mut truth = Truth::default();
    for message in user.messages() {
        let has = |label: &str| message.labels.iter().any(|one| one == label);
        if has("CHAT") {
            continue;
        }
        let places = || PLACES.iter().filter(|(label, _, _)| has(label));
        let keywords = message.labels.iter().filter_map(|label| names.get(label));
        let folder = match places().next() {
            Some((_, folder, _)) => folder,
            None if keywords.clone().next().is_some() => Folders::OWN,
            None => Folders::NONE,
        };
        let flags = FLAGS.iter().filter(|(label, _)| has(label));
        let labels = places()
            .map(|(_, _, label)| *label)
            .chain(flags.map(|(_, label)| *label));
        let categories = message.labels.iter();
        let categories = categories.filter_map(|label| label.strip_prefix("CATEGORY_"));
        let key = Key {
            folder: folder.to_owned(),
            hash: hash_of(&message.raw),
            labels: labels.map(str::to_owned).collect(),
            classifications: categories.map(str::to_lowercase).collect(),
            keywords: keywords.cloned().collect(),
            received: DateTime::from_timestamp_millis(message.internal_date).unwrap_or_default(),
        };
        *truth.counts.entry(key).or_default() += 1;
    }
    truth
}
