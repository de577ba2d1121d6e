//! What the script knows of a message, and what may happen to it until the clients look again.

use std::collections::BTreeSet;

use super::letters::Letter;
use super::script::Place;

/// A message that is there.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub letter: Letter,
    pub now: State,
    /// As the clients last saw it; what came in this round they do not know yet.
    ///
    /// What changes and changes back before they look again may be told or not, and what changes and goes may be told as
    /// it was before or after, as a pass came between or none did: no history has either.
    pub seen: Option<State>,
}

/// What can change of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub place: Place,
    pub read: bool,
    pub flagged: bool,
    pub keywords: BTreeSet<&'static str>,
}

impl Kept {
    pub fn can_move(&self) -> bool {
        !matches!(self.now.place, Place::Sent | Place::Drafts)
    }

    pub fn may_go_to(&self, place: &Place) -> bool {
        let was_there = |seen: &State| seen.place == *place;
        self.now.place != *place && !self.seen.as_ref().is_some_and(was_there)
    }

    pub fn may_go(&self) -> bool {
        self.seen.as_ref() == Some(&self.now)
    }

    pub fn may_read(&self) -> bool {
        let differs = |seen: &State| seen.read != self.now.read;
        !self.seen.as_ref().is_some_and(differs)
    }

    pub fn may_flag(&self) -> bool {
        let differs = |seen: &State| seen.flagged != self.now.flagged;
        !self.seen.as_ref().is_some_and(differs)
    }

    pub fn may_label(&self, word: &str) -> bool {
        let has = |state: &State| state.keywords.contains(word);
        let differs = |seen: &State| has(seen) != has(&self.now);
        !self.seen.as_ref().is_some_and(differs)
    }

    /// Sets the keyword, or clears it where it is set; whether it is set then.
    pub fn label(&mut self, word: &'static str) -> bool {
        let set = self.now.keywords.insert(word);
        if !set {
            self.now.keywords.remove(word);
        }
        set
    }
}
