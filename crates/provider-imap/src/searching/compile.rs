//! The uniform grammar as SEARCH keys (RFC 3501 section 6.4.4).

use chrono::Duration;
use email_model::query::{Condition, Term};

use crate::protocol::SearchKey;

/// A compiled query.
pub(super) struct Compiled {
    pub key: SearchKey,
    /// Terms that SEARCH does not express, or not exactly: to be checked on each hit.
    pub unchecked: Vec<usize>,
}

pub(super) fn compile(terms: &[Term]) -> Compiled {
    let mut keys = Vec::new();
    let mut unchecked = Vec::new();
    for (index, term) in terms.iter().enumerate() {
        let (key, exactly) = condition(&term.condition);
        if !exactly {
            unchecked.push(index);
        }
        match key {
            // What is only nearly the condition leaves too much out when it is turned round.
            Some(key) if term.negated && exactly => keys.push(key.negated()),
            Some(key) if !term.negated => keys.push(key),
            _ => {}
        }
    }
    let key = if keys.is_empty() {
        SearchKey::All
    } else {
        SearchKey::And(keys)
    };
    Compiled { key, unchecked }
}

/// The key of a condition, wide enough for all that fulfil it, and whether it is exact.
fn condition(condition: &Condition) -> (Option<SearchKey>, bool) {
    let exact = |key| (Some(key), true);
    match condition {
        Condition::Text(text) => exact(SearchKey::Text(text.clone())),
        Condition::From(text) => exact(SearchKey::From(text.clone())),
        Condition::To(text) => exact(SearchKey::To(text.clone())),
        Condition::Cc(text) => exact(SearchKey::Cc(text.clone())),
        Condition::Bcc(text) => exact(SearchKey::Bcc(text.clone())),
        Condition::Subject(text) => exact(SearchKey::Subject(text.clone())),
        // SINCE and BEFORE go by days, in the server's time zone.
        Condition::After(time) => (
            Some(SearchKey::Since((*time - Duration::days(1)).date_naive())),
            false,
        ),
        Condition::Before(time) => (
            Some(SearchKey::Before((*time + Duration::days(2)).date_naive())),
            false,
        ),
        Condition::HasAttachment => (None, false),
        Condition::Unread => exact(SearchKey::Seen.negated()),
        Condition::Read => exact(SearchKey::Seen),
        Condition::Flagged => exact(SearchKey::Flagged),
        // The folders searched are chosen by it.
        Condition::In(_) => (None, true),
        Condition::Keyword(keyword) if is_atom(keyword) => {
            exact(SearchKey::Keyword(keyword.clone()))
        }
        Condition::Keyword(_) => (None, false),
        Condition::Larger(octets) => exact(SearchKey::Larger(*octets)),
        Condition::Smaller(octets) => exact(SearchKey::Smaller(*octets)),
        // HEADER finds a part of the id as well.
        Condition::MessageId(id) => (
            Some(SearchKey::Header("Message-ID".into(), id.clone())),
            false,
        ),
    }
}

fn is_atom(keyword: &str) -> bool {
    !keyword.is_empty()
        && keyword
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte))
}
