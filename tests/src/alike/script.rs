//! What happens to the mailboxes.

use std::collections::BTreeSet;
use std::fmt;

use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::kept::{Kept, State};
use super::letters::{Letter, Letters};

/// Where a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Inbox,
    /// Out of the way, in no folder of the user's own.
    Archive,
    Trash,
    Junk,
    Sent,
    Drafts,
    /// A folder by its path.
    Own(String),
}

/// One change.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// A message comes, read or not.
    Deliver(Letter, Place, bool),
    /// Its user reads it, or marks it as not read.
    Read(Letter, bool),
    Flag(Letter, bool),
    /// A keyword is set, or cleared.
    Label(Letter, &'static str, bool),
    Move(Letter, Place),
    /// For good.
    Delete(Letter),
    /// By its path; what is above is there.
    CreateFolder(String),
    /// The same through the gateway.
    Ask(Letter, Ask),
}

/// What is asked of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    Unread(bool),
    Flagged(bool),
    Archived(bool),
    Keywords {
        /// All that are to be there.
        words: Vec<&'static str>,
        /// The folder that the message is to stay in: one more where folders are labels.
        folder: Option<String>,
    },
    Trash,
    Forever,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deliver(letter, place, read) => {
                write!(f, "deliver {} to {place:?}, read {read}", letter.message_id)
            }
            Self::Read(letter, read) => write!(f, "{}: read {read}", letter.message_id),
            Self::Flag(letter, flagged) => write!(f, "{}: flagged {flagged}", letter.message_id),
            Self::Label(letter, word, set) => write!(f, "{}: {word} {set}", letter.message_id),
            Self::Move(letter, place) => write!(f, "{}: to {place:?}", letter.message_id),
            Self::Delete(letter) => write!(f, "{}: gone for good", letter.message_id),
            Self::CreateFolder(path) => write!(f, "the folder {path}"),
            Self::Ask(letter, ask) => write!(f, "{}: by the gateway {ask:?}", letter.message_id),
        }
    }
}

/// Draws changes, each of which has an effect.
#[derive(Debug)]
pub(super) struct Script {
    rng: ChaCha8Rng,
    letters: Letters,
    kept: Vec<Kept>,
    folders: Vec<String>,
}

/// No two of them one above the other unless made in this order.
pub(super) const FOLDERS: [&str; 4] = ["Work", "Work/Deep", "Bücher", "Invoices 2024"];

/// What every mailbox can have as a keyword (an atom of IMAP's), and as a label below another.
pub(super) const KEYWORDS: [&str; 4] = ["Red", "to-do", "$Later", "Team/Blue"];

impl Script {
    pub fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            letters: Letters::new(seed),
            kept: Vec::new(),
            folders: Vec::new(),
        }
    }

    /// What is there before anybody looks.
    pub fn beginning(&mut self) -> Vec<Change> {
        let mut changes = vec![self.create_folder()];
        changes.extend((0..12).map(|_| Some(self.deliver())));
        changes.extend((0..4).map(|_| self.label()));
        self.look();
        changes.into_iter().flatten().collect()
    }

    /// What happens until the clients look again.
    pub fn round(&mut self) -> Vec<Change> {
        self.look();
        let count = self.rng.random_range(3..9);
        (0..count).filter_map(|_| self.change()).collect()
    }

    fn look(&mut self) {
        for kept in &mut self.kept {
            kept.seen = Some(kept.now.clone());
        }
    }

    /// All messages that are there.
    pub fn letters(&self) -> impl Iterator<Item = &Letter> {
        self.kept.iter().map(|kept| &kept.letter)
    }

    /// Paths of the folders that were made.
    pub fn folders(&self) -> &[String] {
        &self.folders
    }

    fn change(&mut self) -> Option<Change> {
        match self.rng.random_range(0..100) {
            0..30 => Some(self.deliver()),
            30..34 => self.create_folder(),
            34..46 => self.mark(),
            46..56 => self.label(),
            56..72 => self.relocate(),
            72..79 => self.delete(),
            _ => self.ask(),
        }
    }

    fn deliver(&mut self) -> Change {
        let letter = self.letters.write(&mut self.rng);
        let place = match self.rng.random_range(0..10) {
            0..6 => Place::Inbox,
            6 => Place::Sent,
            7 => Place::Drafts,
            _ => self.any_place(),
        };
        let read = match place {
            Place::Sent | Place::Drafts => true,
            _ => self.rng.random_bool(0.3),
        };
        self.kept.push(Kept {
            letter: letter.clone(),
            now: State {
                place: place.clone(),
                read,
                flagged: false,
                keywords: BTreeSet::new(),
            },
            seen: None,
        });
        Change::Deliver(letter, place, read)
    }

    fn create_folder(&mut self) -> Option<Change> {
        let path = FOLDERS.get(self.folders.len())?;
        self.folders.push((*path).to_owned());
        Some(Change::CreateFolder((*path).to_owned()))
    }

    fn mark(&mut self) -> Option<Change> {
        let flags = self.rng.random_bool(0.4);
        let may_change = |kept: &&mut Kept| {
            if flags {
                kept.may_flag()
            } else {
                kept.may_read()
            }
        };
        let kept = self
            .kept
            .iter_mut()
            .filter(may_change)
            .choose(&mut self.rng)?;
        let letter = kept.letter.clone();
        if flags {
            kept.now.flagged = !kept.now.flagged;
            return Some(Change::Flag(letter, kept.now.flagged));
        }
        kept.now.read = !kept.now.read;
        Some(Change::Read(letter, kept.now.read))
    }

    fn label(&mut self) -> Option<Change> {
        let word = self.any_keyword();
        let at = self.any(|kept| kept.may_label(word))?;
        let kept = &mut self.kept[at];
        let set = kept.label(word);
        Some(Change::Label(kept.letter.clone(), word, set))
    }

    /// What was sent and what is drafted stays where it is: with labels it would be there beside wherever it goes.
    fn relocate(&mut self) -> Option<Change> {
        let place = self.any_place();
        let kept = self
            .kept
            .iter_mut()
            .filter(|kept| kept.can_move() && kept.may_go_to(&place))
            .choose(&mut self.rng)?;
        kept.now.place = place.clone();
        Some(Change::Move(kept.letter.clone(), place))
    }

    /// Not what nobody knows yet: that it was there at all may be told or not.
    fn delete(&mut self) -> Option<Change> {
        let at = self.any(Kept::may_go)?;
        let letter = self.kept.remove(at).letter;
        self.letters.forget(&letter);
        Some(Change::Delete(letter))
    }

    /// A client asks for what it was told of.
    fn ask(&mut self) -> Option<Change> {
        let which = self.rng.random_range(0..10);
        let word = self.any_keyword();
        let at = self.any(|kept| kept.seen.is_some())?;
        let kept = &mut self.kept[at];
        let letter = kept.letter.clone();
        let is_at = |place| kept.now.place == place;
        let ask = match which {
            0 | 1 if kept.may_read() => {
                kept.now.read = !kept.now.read;
                Ask::Unread(!kept.now.read)
            }
            2 if kept.may_flag() => {
                kept.now.flagged = !kept.now.flagged;
                Ask::Flagged(kept.now.flagged)
            }
            3..=5 if is_at(Place::Inbox) && kept.may_go_to(&Place::Archive) => {
                kept.now.place = Place::Archive;
                Ask::Archived(true)
            }
            3..=5 if is_at(Place::Archive) && kept.may_go_to(&Place::Inbox) => {
                kept.now.place = Place::Inbox;
                Ask::Archived(false)
            }
            3..=6 if kept.can_move() && kept.may_go_to(&Place::Trash) => {
                kept.now.place = Place::Trash;
                Ask::Trash
            }
            7 if kept.may_go() => {
                self.kept.remove(at);
                self.letters.forget(&letter);
                Ask::Forever
            }
            8 | 9 if kept.may_label(word) => {
                kept.label(word);
                Ask::Keywords {
                    words: kept.now.keywords.iter().copied().collect(),
                    folder: match &kept.now.place {
                        Place::Own(path) => Some(path.clone()),
                        _ => None,
                    },
                }
            }
            _ => return None,
        };
        Some(Change::Ask(letter, ask))
    }

    fn any(&mut self, suits: impl Fn(&Kept) -> bool) -> Option<usize> {
        (0..self.kept.len())
            .filter(|&at| suits(&self.kept[at]))
            .choose(&mut self.rng)
    }

    fn any_keyword(&mut self) -> &'static str {
        let word = KEYWORDS.choose(&mut self.rng);
        word.copied().unwrap_or(KEYWORDS[0])
    }

    fn any_place(&mut self) -> Place {
        let own = self.folders.choose(&mut self.rng).cloned();
        let fixed = [Place::Inbox, Place::Archive, Place::Trash, Place::Junk];
        match own {
            Some(own) if self.rng.random_bool(0.4) => Place::Own(own),
            _ => fixed.choose(&mut self.rng).cloned().unwrap_or(Place::Inbox),
        }
    }
}
