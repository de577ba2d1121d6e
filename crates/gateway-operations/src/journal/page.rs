//! What a page of observations means: a pure computation from the loaded rows to one commit.

mod conversations;
mod fields;
mod places;
mod state;

use std::collections::{HashMap, HashSet};

use email_model::{EntryKey, FolderId, Labels, MessageId, ThreadId, Timestamp};
use email_provider::Identity;
use gateway_store::{Commit, Loaded, ScopeNumber};

use self::state::State;
use super::Announce;

/// A place in the provider, by number.
pub(crate) type Place = (ScopeNumber, EntryKey);

/// An entry as the provider tells of it, in the gateway's terms. `None` is "not told".
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    pub place: Place,
    /// Needed for a place that is not known yet.
    pub identity: Option<Identity>,
    pub thread: Option<ThreadFact>,
    pub received_at: Option<Timestamp>,
    pub labels: Option<Labels>,
    pub folders: Option<Vec<FolderId>>,
    pub message_id: Option<String>,
    /// The sealed envelope.
    pub envelope: Option<Vec<u8>>,
    /// What was known of its content is no longer so.
    pub revised: bool,
}

/// What is known of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ThreadFact {
    /// For good.
    Known(ThreadId),
    /// The parent's, once that is there.
    OfParent {
        /// Message-ID of the parent, with angle brackets.
        parent: String,
        /// Until then.
        otherwise: ThreadId,
    },
}

/// How many ordinals of an identity are looked at in one go.
pub(crate) const ORDINALS: u32 = 2;

/// What [`compute`] needs besides the rows.
pub(crate) struct Question<'a> {
    pub mailbox: &'a str,
    pub observations: &'a [Observation],
    pub vanished: &'a [Place],
    /// Places known to be empty although no feed has told so yet.
    pub dead: &'a HashSet<Place>,
    pub announce: Announce,
    /// Folders that what the gateway itself writes goes to: drafts, sent messages.
    pub own: &'a HashSet<FolderId>,
    pub now: Timestamp,
    pub tick: i64,
}

/// What [`compute`] found.
pub(crate) enum Answer {
    /// To be committed.
    Commit(Box<Outcome>),
    /// More ordinals of these identities have to be loaded: all those looked at are taken.
    MoreOrdinals,
}

/// A computed change.
pub(crate) struct Outcome {
    pub commit: Commit,
    /// Which message is at each observed place, in the order of the observations.
    pub placed: Vec<MessageId>,
    /// Messages that lost their last entry.
    pub orphaned: usize,
}

/// Computes what a page changes. `ordinals` is how many ordinals of each identity were loaded.
pub(crate) fn compute(question: &Question<'_>, loaded: &Loaded, ordinals: u32) -> Answer {
    let mut state = State::new(question, loaded);
    let new_by_message_id = count_new(question, &state);
    for observation in question.observations {
        let known = state.places.get(&observation.place).copied();
        let id = match known {
            Some(id) => id,
            None => match state.settle_new(observation, ordinals, &new_by_message_id) {
                Some(id) => id,
                None => return Answer::MoreOrdinals,
            },
        };
        state.placed.push(id);
        state.observe(id, observation);
    }
    for place in question.vanished {
        state.vanish(place);
    }
    Answer::Commit(Box::new(state.finish()))
}

/// How many new entries of the page carry each Message-ID.
fn count_new<'a>(question: &Question<'a>, state: &State<'_>) -> HashMap<&'a str, usize> {
    let mut counts = HashMap::new();
    for observation in question.observations {
        if let Some(id) = observation.message_id.as_deref()
            && !state.places.contains_key(&observation.place)
        {
            *counts.entry(id).or_insert(0) += 1;
        }
    }
    counts
}
