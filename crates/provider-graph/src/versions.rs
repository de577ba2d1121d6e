//! Which versions of drafts were told.
//!
//! A draft is edited in place, under its id, and only its version shows that it says something else. A feed tells the same
//! version several times: it is news once.

use crate::{ids::ItemId, wire::Message};

/// Most versions that are kept; the oldest are forgotten, and would be news again.
pub(crate) const MOST: usize = 1_000;

/// Marks of drafts and of their versions, in the order in which they were told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Versions(pub Vec<(u64, u64)>);

impl Versions {
    /// Notes what was told of a message; whether it is a draft in a version that was not told before.
    pub(crate) fn note(&mut self, id: &ItemId, message: &Message) -> bool {
        if message.is_draft != Some(true) {
            return false;
        }
        let Some(version) = &message.change_key else {
            return true;
        };
        let told = (id.mark(""), id.mark(version));
        if self.0.contains(&told) {
            return false;
        }
        self.0.push(told);
        let most = self.0.len().saturating_sub(MOST);
        self.0.drain(..most);
        true
    }

    /// Whether it was told to be a draft.
    pub(crate) fn are_of(&self, id: &ItemId) -> bool {
        let mark = id.mark("");
        self.0.iter().any(|(draft, _)| *draft == mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(is_draft: Option<bool>, version: Option<&str>) -> Message {
        Message {
            is_draft,
            change_key: version.map(str::to_owned),
            ..Message::default()
        }
    }

    #[test]
    fn each_version_of_a_draft_is_news_once() {
        let (one, other) = (ItemId::parse("a").unwrap(), ItemId::parse("b").unwrap());
        let mut versions = Versions::default();
        assert!(versions.note(&one, &told(Some(true), Some("1"))));
        assert!(versions.note(&one, &told(Some(true), Some("2"))));
        assert!(!versions.note(&one, &told(Some(true), Some("1"))));
        assert!(versions.note(&other, &told(Some(true), Some("1"))));
        assert!(versions.note(&other, &told(Some(true), None)));
        assert!(!versions.note(&one, &told(Some(false), Some("3"))));
        assert!(!versions.note(&one, &told(None, Some("4"))));
        assert!(versions.are_of(&one) && !versions.are_of(&ItemId::parse("c").unwrap()));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let id = ItemId::parse("a").unwrap();
        let mut versions = Versions::default();
        for version in 0..=MOST {
            let version = version.to_string();
            assert!(versions.note(&id, &told(Some(true), Some(&version))));
        }
        assert_eq!(versions.0.len(), MOST);
        assert!(versions.note(&id, &told(Some(true), Some("0"))));
    }
}
