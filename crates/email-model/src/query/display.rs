//! A query back to text, so that [`parse`](super::parse) gives an equal query.

use std::fmt;

use chrono::SecondsFormat;

use super::{Condition, MessageQuery, Place, Term};
use crate::Timestamp;

impl fmt::Display for MessageQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("-")?;
        }
        self.condition.fmt(f)
    }
}

/// Resolved folders have no written form of their own: they are shown as their keys.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&operand(text)),
            Self::From(text) => write!(f, "from:{}", operand(text)),
            Self::To(text) => write!(f, "to:{}", operand(text)),
            Self::Cc(text) => write!(f, "cc:{}", operand(text)),
            Self::Bcc(text) => write!(f, "bcc:{}", operand(text)),
            Self::Subject(text) => write!(f, "subject:{}", operand(text)),
            Self::After(time) => write!(f, "after:{}", moment(time)),
            Self::Before(time) => write!(f, "before:{}", moment(time)),
            Self::HasAttachment => f.write_str("has:attachment"),
            Self::Unread => f.write_str("is:unread"),
            Self::Read => f.write_str("is:read"),
            Self::Flagged => f.write_str("is:flagged"),
            Self::In(Place::Named(name)) => write!(f, "in:{}", operand(name)),
            Self::In(Place::Folders(keys)) => {
                let keys: Vec<_> = keys.iter().map(|key| key.0.as_str()).collect();
                write!(f, "in:{}", operand(&keys.join(",")))
            }
            Self::Keyword(word) => write!(f, "label:{}", operand(word)),
            Self::Larger(octets) => write!(f, "larger:{octets}"),
            Self::Smaller(octets) => write!(f, "smaller:{octets}"),
            Self::MessageId(id) => write!(f, "rfc822msgid:{}", operand(&format!("<{id}>"))),
        }
    }
}

fn moment(time: &Timestamp) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The text as it stands where nothing in it can be taken for grammar, else in quotes.
fn operand(text: &str) -> String {
    let plain = !text.is_empty()
        && !text.starts_with('-')
        && !matches!(text, "AND" | "OR")
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "@._+-<>%$!#".contains(c));
    if plain {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}
