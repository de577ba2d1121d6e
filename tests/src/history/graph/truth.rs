//! What the fake itself says the mailbox holds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use fake_graph::{TrueFolder, User};

use crate::{Key, Truth, hash_of};

/// What a well-known folder adds to the `sysLabels` of its messages.
const ROLES: [(&str, &str); 5] = [
    ("inbox", "inbox"),
    ("sentitems", "sent"),
    ("drafts", "draft"),
    ("deleteditems", "trash"),
    ("junkemail", "junk"),
];

/// The folders that hold mail: neither hidden nor below what is, and no searches.
pub(super) fn places(user: &User) -> BTreeMap<String, Place> {
    let all: BTreeMap<String, TrueFolder> = user
        .folders()
        .into_iter()
        .map(|folder| (folder.id.clone(), folder))
        .collect();
    let place = |folder: &TrueFolder| {
        let mut path = Vec::new();
        let mut at = Some(folder);
        while let Some(folder) = at {
            if folder.hidden || folder.search {
                return None;
            }
            path.push(folder.name.as_str());
            at = all.get(folder.parent.as_ref()?);
        }
        path.reverse();
        Some(Place {
            path: path.join("/"),
            well_known: folder.well_known.clone(),
        })
    };
    let places = all.values();
    places
        .filter_map(|folder| Some((folder.id.clone(), place(folder)?)))
        .collect()
}

/// A folder that mail is in.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Names from the top.
    pub path: String,
    /// The name that can stand for its id.
    pub well_known: Option<String>,
}

/// All messages in such folders.
pub(super) fn of(user: &User) -> Truth {
    let places = places(user);
    let mut truth = Truth::default();
    for message in user.messages() {
        let Some(place) = places.get(&message.folder).filter(|_| !message.chat) else {
            continue;
        };
        let role = ROLES
            .iter()
            .find(|(name, _)| place.well_known.as_deref() == Some(name));
        let labels: BTreeSet<&str> = [
            role.map(|(_, label)| *label),
            message.draft.then_some("draft"),
            (!message.read).then_some("unread"),
            message.flagged.then_some("flagged"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let key = Key {
            folder: place.path.clone(),
            hash: hash_of(&message.raw),
            labels: labels.into_iter().map(str::to_owned).collect(),
            classifications: BTreeSet::new(),
            keywords: message.categories.into_iter().collect(),
            // The API tells whole seconds.
            received: DateTime::from_timestamp(message.received_ms.div_euclid(1_000), 0)
                .unwrap_or_default(),
        };
        *truth.counts.entry(key).or_default() += 1;
    }
    truth
}
