//! The uniform search grammar: what `q` means, whatever the backend.
//!
//! A query is a conjunction of terms. Parsing lives in [`parse`]; a backend compiles the terms into
//! its own language and names what it cannot express, so that the gateway filters it afterwards with
//! [`MessageQuery::matches`] or refuses it. A term is never ignored.

mod display;
mod matching;
mod parse;

pub use matching::Candidate;
pub use parse::{QueryError, parse};

use crate::{FolderKey, Timestamp};

/// Terms joined by AND. No terms: every message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageQuery {
    /// The terms, in the order written.
    pub terms: Vec<Term>,
}

/// One condition, perhaps negated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Written with a leading `-`.
    pub negated: bool,
    /// What must (not) hold.
    pub condition: Condition,
}

/// What a term asks. Text is matched case-insensitively as a substring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Free text: headers or body.
    Text(String),
    /// `from:` in name or address.
    From(String),
    /// `to:` in name or address.
    To(String),
    /// `cc:` in name or address.
    Cc(String),
    /// `bcc:` in name or address.
    Bcc(String),
    /// `subject:`.
    Subject(String),
    /// `after:`, `newer_than:`: received at this time or later.
    After(Timestamp),
    /// `before:`, `older_than:`: received before this time.
    Before(Timestamp),
    /// `has:attachment`: one that is not inline.
    HasAttachment,
    /// `is:unread`.
    Unread,
    /// `is:read`.
    Read,
    /// `is:flagged`.
    Flagged,
    /// `in:` a folder or system label.
    In(Place),
    /// `label:` a keyword, the whole word, case-insensitively.
    Keyword(String),
    /// `larger:` more octets than this.
    Larger(u64),
    /// `smaller:` fewer octets than this.
    Smaller(u64),
    /// `rfc822msgid:`, without angle brackets.
    MessageId(String),
}

/// Where `in:` points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// As written: a folder's id or name, or a system label. The gateway resolves it.
    Named(String),
    /// Resolved: any of these folders.
    Folders(Vec<FolderKey>),
}
