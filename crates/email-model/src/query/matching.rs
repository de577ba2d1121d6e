//! Whether a message answers a query: the filter for what a backend cannot search itself.

use super::{Condition, MessageQuery, Place, Term};
use crate::{Address, Body, Envelope, Flags, FolderKey, Labels};

/// A message that may answer a query.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Subject, addresses, dates, size, attachments.
    pub envelope: &'a Envelope,
    /// Flags and keywords.
    pub labels: &'a Labels,
    /// Where the message is.
    pub folders: &'a [FolderKey],
    /// Needed when [`MessageQuery::needs_body`]. `text` is what is searched, so it should be made
    /// from the HTML where a message has no plain alternative; the HTML is searched as it stands
    /// when `text` is missing.
    pub body: Option<&'a Body>,
}

impl MessageQuery {
    /// Whether every term holds.
    pub fn matches(&self, candidate: &Candidate<'_>) -> bool {
        self.terms.iter().all(|term| term.matches(candidate))
    }

    /// Whether the body is needed to tell.
    pub fn needs_body(&self) -> bool {
        self.terms.iter().any(|term| term.condition.needs_body())
    }
}

impl Term {
    /// Whether the term certainly holds. What the candidate does not tell (an unknown size, a body
    /// that was not loaded) satisfies neither a condition nor its negation.
    pub fn matches(&self, candidate: &Candidate<'_>) -> bool {
        self.condition
            .holds(candidate)
            .is_some_and(|holds| holds != self.negated)
    }
}

impl Condition {
    /// Whether the body is needed to tell.
    pub fn needs_body(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// `None`: the candidate does not tell.
    fn holds(&self, candidate: &Candidate<'_>) -> Option<bool> {
        let envelope = candidate.envelope;
        let flags = candidate.labels.flags;
        let received = envelope.received_at.or(envelope.sent_at);
        Some(match self {
            Self::Text(text) => return found(&text.to_lowercase(), candidate),
            Self::From(text) => named(text, envelope.from.as_slice()),
            Self::To(text) => named(text, &envelope.to),
            Self::Cc(text) => named(text, &envelope.cc),
            Self::Bcc(text) => named(text, &envelope.bcc),
            Self::Subject(text) => envelope
                .subject
                .as_deref()
                .is_some_and(|s| contains(s, &text.to_lowercase())),
            Self::After(time) => received? >= *time,
            Self::Before(time) => received? < *time,
            Self::HasAttachment => envelope.has_attachments()?,
            Self::Unread => !flags.contains(Flags::SEEN),
            Self::Read => flags.contains(Flags::SEEN),
            Self::Flagged => flags.contains(Flags::FLAGGED),
            Self::In(Place::Named(_)) => return None,
            Self::In(Place::Folders(keys)) => {
                candidate.folders.iter().any(|folder| keys.contains(folder))
            }
            Self::Keyword(word) => {
                let word = word.to_lowercase();
                candidate
                    .labels
                    .keywords
                    .iter()
                    .any(|keyword| keyword.to_lowercase() == word)
            }
            Self::Larger(octets) => envelope.size? > *octets,
            Self::Smaller(octets) => envelope.size? < *octets,
            Self::MessageId(id) => envelope
                .message_id
                .as_deref()
                .is_some_and(|own| bare(own).eq_ignore_ascii_case(id)),
        })
    }
}

/// `needle` is in lower case.
fn contains(haystack: &str, needle: &str) -> bool {
    haystack.to_lowercase().contains(needle)
}

fn named(text: &str, addresses: &[Address]) -> bool {
    let needle = text.to_lowercase();
    addresses.iter().any(|address| shows(address, &needle))
}

/// The mailbox is searched as a header shows it, so that `from:"Ann <ann@example.org>"` is found.
fn shows(address: &Address, needle: &str) -> bool {
    match (address.name.as_deref(), address.address.as_deref()) {
        (Some(name), Some(address)) => contains(&format!("{name} <{address}>"), needle),
        (Some(one), None) | (None, Some(one)) => contains(one, needle),
        (None, None) => false,
    }
}

fn found(needle: &str, candidate: &Candidate<'_>) -> Option<bool> {
    let envelope = candidate.envelope;
    let addresses = envelope
        .from
        .iter()
        .chain(&envelope.to)
        .chain(&envelope.cc)
        .chain(&envelope.bcc)
        .chain(&envelope.reply_to);
    let in_headers = envelope
        .subject
        .as_deref()
        .is_some_and(|s| contains(s, needle))
        || addresses.into_iter().any(|address| shows(address, needle));
    if in_headers {
        return Some(true);
    }
    let body = candidate.body?;
    let text = body.text.as_deref().or(body.html.as_deref());
    Some(text.is_some_and(|text| contains(text, needle)))
}

fn bare(id: &str) -> &str {
    let id = id.trim();
    id.strip_prefix('<')
        .and_then(|id| id.strip_suffix('>'))
        .unwrap_or(id)
}

#[cfg(test)]
mod tests;
