//! Labels: folders and keywords at once. What the API keeps as labels and the gateway as flags or
//! classifications is neither.

use std::collections::BTreeMap;

use email_model::{Classification, Flags, FolderKey, FolderKind, FolderRole, Labels};
use email_provider::{EntryState, Folder};
use google_gmail1::api;

use crate::ids::LabelId;

pub(crate) const INBOX: &str = "INBOX";
pub(crate) const TRASH: &str = "TRASH";
pub(crate) const SPAM: &str = "SPAM";
pub(crate) const SENT: &str = "SENT";
pub(crate) const DRAFT: &str = "DRAFT";
pub(crate) const UNREAD: &str = "UNREAD";
pub(crate) const STARRED: &str = "STARRED";
pub(crate) const IMPORTANT: &str = "IMPORTANT";
/// Messages of the chat service of times past, which are no mail.
pub(crate) const CHAT: &str = "CHAT";

/// The system's labels that are places, with names and roles.
const PLACES: [(&str, &str, FolderRole); 5] = [
    (INBOX, "Inbox", FolderRole::Inbox),
    (SENT, "Sent", FolderRole::Sent),
    (DRAFT, "Drafts", FolderRole::Drafts),
    (TRASH, "Trash", FolderRole::Trash),
    (SPAM, "Spam", FolderRole::Junk),
];

/// Those that are classifications.
const CLASSIFICATIONS: [(&str, Classification); 5] = [
    ("CATEGORY_PERSONAL", Classification::Personal),
    ("CATEGORY_SOCIAL", Classification::Social),
    ("CATEGORY_PROMOTIONS", Classification::Promotions),
    ("CATEGORY_UPDATES", Classification::Updates),
    ("CATEGORY_FORUMS", Classification::Forums),
];

/// The roles of the places.
pub(crate) fn roles() -> Vec<FolderRole> {
    PLACES.iter().map(|(_, _, role)| *role).collect()
}

/// Whether it is one of the system's places.
pub(crate) fn is_place(label: &str) -> bool {
    PLACES.iter().any(|(id, _, _)| *id == label)
}

/// The system's labels that make up a message's state.
pub(crate) fn of_state() -> impl Iterator<Item = &'static str> {
    let places = PLACES.iter().map(|(id, _, _)| *id);
    let classifications = CLASSIFICATIONS.iter().map(|(id, _)| *id);
    places
        .chain([UNREAD, STARRED, IMPORTANT, CHAT])
        .chain(classifications)
}

/// The mailbox's labels at some moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct LabelTable {
    /// Names of the user's own, by id.
    own: BTreeMap<String, String>,
    /// The system's that are there.
    system: Vec<String>,
}

impl LabelTable {
    /// Labels with odd ids are not there: they could not be asked for.
    pub(crate) fn new(labels: Vec<api::Label>) -> Self {
        let mut table = Self::default();
        for label in labels {
            let Some(id) = label.id.filter(|id| LabelId::parse(id).is_some()) else {
                continue;
            };
            match label.type_.as_deref() {
                Some("user") => {
                    let name = label.name.unwrap_or_else(|| id.clone());
                    table.own.insert(id, name);
                }
                _ => table.system.push(id),
            }
        }
        table
    }

    /// The table with one of the user's own more.
    pub(crate) fn with(&self, id: &str, name: &str) -> Self {
        let mut table = self.clone();
        table.own.insert(id.to_owned(), name.to_owned());
        table
    }

    /// Ids of the user's own labels.
    pub(crate) fn own(&self) -> impl Iterator<Item = &str> {
        self.own.keys().map(String::as_str)
    }

    /// Whether the label is there.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.own.contains_key(id) || self.system.iter().any(|label| label == id)
    }

    /// Whether messages can be in it.
    pub(crate) fn is_folder(&self, id: &str) -> bool {
        self.own.contains_key(id) || is_place(id)
    }

    /// The user's own label of this name; letter by letter first, else in any case, since no two differ
    /// by case only.
    pub(crate) fn by_name(&self, name: &str) -> Option<&str> {
        let exact = self.own.iter().find(|(_, own)| *own == name);
        let folded = name.to_lowercase();
        exact
            .or_else(|| {
                self.own
                    .iter()
                    .find(|(_, own)| own.to_lowercase() == folded)
            })
            .map(|(id, _)| id.as_str())
    }

    /// The name of the user's own label.
    pub(crate) fn name(&self, id: &str) -> Option<&str> {
        self.own.get(id).map(String::as_str)
    }

    /// Whether all labels of a message are known: if not, the table is too old.
    pub(crate) fn knows(&self, labels: &[String]) -> bool {
        labels.iter().all(|label| {
            // The user's own begin so; the system's do not change.
            !label.starts_with("Label_") || self.own.contains_key(label)
        })
    }

    /// All folders: the system's places and the user's own labels.
    pub(crate) fn folders(&self) -> Vec<Folder> {
        let places = PLACES.iter().map(|(id, name, role)| Folder {
            key: FolderKey((*id).to_owned()),
            name: (*name).to_owned(),
            full_name: (*name).to_owned(),
            parent: None,
            role: Some(*role),
            kind: FolderKind::Label,
            selectable: true,
        });
        let by_name: BTreeMap<&str, &str> = self
            .own
            .iter()
            .map(|(id, name)| (name.as_str(), id.as_str()))
            .collect();
        let own = self.own.iter().map(|(id, name)| {
            let above = ancestors(name).find_map(|above| {
                let parent = by_name.get(above).filter(|parent| *parent != id)?;
                Some((above.len() + 1, FolderKey((*parent).to_owned())))
            });
            let (start, parent) = match above {
                Some((start, parent)) => (start, Some(parent)),
                None => (0, None),
            };
            Folder {
                key: FolderKey(id.clone()),
                name: name[start..].to_owned(),
                full_name: name.clone(),
                parent,
                role: None,
                kind: FolderKind::Label,
                selectable: true,
            }
        });
        places.chain(own).collect()
    }

    /// A message's state by its labels.
    pub(crate) fn state(&self, labels: &[String]) -> EntryState {
        let has = |label: &str| labels.iter().any(|one| one == label);
        let mut flags = Flags::empty();
        flags.set(Flags::SEEN, !has(UNREAD));
        flags.set(Flags::FLAGGED, has(STARRED));
        flags.set(Flags::IMPORTANT, has(IMPORTANT));
        flags.set(Flags::DRAFT, has(DRAFT));
        let keywords = labels.iter().filter_map(|label| self.own.get(label));
        let mut state = EntryState {
            labels: Labels::new(flags, keywords.cloned().collect()),
            folders: labels
                .iter()
                .filter(|label| self.is_folder(label))
                .map(|label| FolderKey(label.clone()))
                .collect(),
        };
        state.folders.sort();
        state.folders.dedup();
        let classes = CLASSIFICATIONS.iter().filter(|(label, _)| has(label));
        state.labels.classifications = classes.map(|(_, class)| *class).collect();
        state.labels.classifications.sort();
        state
    }
}

/// The names above one, nearest first: of `a/b/c` `a/b` and `a`.
pub(crate) fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    let ends = name.rmatch_indices('/').map(|(at, _)| at);
    ends.filter(|at| *at > 0 && at + 1 < name.len())
        .map(|at| &name[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(own: &[(&str, &str)]) -> LabelTable {
        let label = |id: &str, name: &str, kind: &str| api::Label {
            id: Some(id.into()),
            name: Some(name.into()),
            type_: Some(kind.into()),
            ..api::Label::default()
        };
        let mut labels = vec![
            label("INBOX", "INBOX", "system"),
            label("CHAT", "CHAT", "system"),
        ];
        labels.extend(own.iter().map(|(id, name)| label(id, name, "user")));
        labels.push(label("../odd", "odd", "user"));
        LabelTable::new(labels)
    }

    #[test]
    fn the_hierarchy_is_in_the_names_and_may_have_gaps() {
        let table = table(&[
            ("Label_1", "work"),
            ("Label_2", "work/2024/q1"),
            ("Label_3", "lost/child"),
            ("Label_4", "work/"),
        ]);
        let folders = table.folders();
        let of = |id: &str| {
            let folder = folders.iter().find(|folder| folder.key.0 == id).unwrap();
            (
                folder.name.as_str(),
                folder.parent.as_ref().map(|key| key.0.as_str()),
            )
        };
        assert_eq!(of("Label_2"), ("2024/q1", Some("Label_1")));
        assert_eq!(of("Label_3"), ("lost/child", None));
        assert_eq!(of("Label_4"), ("work/", None));
        assert_eq!(of("INBOX"), ("Inbox", None));
        assert_eq!(folders.len(), 9);
    }

    #[test]
    fn labels_are_flags_places_keywords_and_classifications() {
        let table = table(&[("Label_1", "b"), ("Label_2", "a")]);
        let labels = [
            "INBOX",
            "Label_1",
            "Label_2",
            "STARRED",
            "CATEGORY_FORUMS",
            "YELLOW_STAR",
        ];
        let state = table.state(&labels.map(str::to_owned));
        assert_eq!(state.labels.flags, Flags::SEEN | Flags::FLAGGED);
        assert_eq!(state.labels.keywords, ["a", "b"]);
        assert_eq!(state.labels.classifications, [Classification::Forums]);
        let folders: Vec<_> = state.folders.iter().map(|key| key.0.as_str()).collect();
        assert_eq!(folders, ["INBOX", "Label_1", "Label_2"]);
        assert!(table.knows(&labels.map(str::to_owned)));
        assert!(!table.knows(&["Label_9".to_owned()]));
    }

    #[test]
    fn a_label_is_found_by_its_name_in_any_case() {
        let table = table(&[("Label_1", "Red"), ("Label_2", "blue")]);
        assert_eq!(table.by_name("red"), Some("Label_1"));
        assert_eq!(table.by_name("Blue"), Some("Label_2"));
        assert_eq!(table.by_name("gre"), None);
    }
}
