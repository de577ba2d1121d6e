//! The written form of a query.
//!
//! Terms stand side by side and must all hold; an upper-case `AND` between them changes nothing.
//! A term is `word`, `"some words"` or `operator:value`, and a leading `-` negates it. Within quotes a
//! backslash takes the next character as it stands; a quote elsewhere than at the beginning of a
//! word or value is an ordinary character. Operators are written in any case.
//!
//! Alternatives (`OR`, `|`, `{ }`) and groups (`( )`) are refused. So are operators that a common
//! mail search has and this one has not, because looking for them as text would quietly find
//! something else; any other `word:rest` (a URL, a time, `Re:`) is free text.

mod value;

use super::{Condition, MessageQuery, Place, Term};
use crate::Timestamp;

/// Longest query, in characters.
const MAX_LENGTH: usize = 2_000;
/// Most terms in a query.
const MAX_TERMS: usize = 50;
/// Operators known from other mail searches and not offered here.
const REFUSED: [&str; 12] = [
    "size",
    "filename",
    "list",
    "category",
    "deliveredto",
    "body",
    "header",
    "attachment",
    "participants",
    "sent",
    "received",
    "kind",
];

/// Why a query is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Longer than 2,000 characters.
    #[error("the query is longer than {MAX_LENGTH} characters")]
    TooLong,
    /// More than 50 terms.
    #[error("the query has more than {MAX_TERMS} terms")]
    TooManyTerms,
    /// NUL, a line break or another control character.
    #[error("a control character at position {position}")]
    ControlCharacter {
        /// In characters, from 1.
        position: usize,
    },
    /// A term that cannot be honoured.
    #[error("`{term}` at position {position}: {reason}")]
    Term {
        /// The term as written, at most its first 80 characters.
        term: String,
        /// Where it begins, in characters, from 1.
        position: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Reads a query. `now` is what `newer_than:` and `older_than:` count back from.
///
/// # Errors
/// [`QueryError`] for anything that would have to be ignored or guessed.
pub fn parse(text: &str, now: Timestamp) -> Result<MessageQuery, QueryError> {
    if text.chars().nth(MAX_LENGTH).is_some() {
        return Err(QueryError::TooLong);
    }
    if let Some(index) = text.chars().position(|c| c.is_control() && c != '\t') {
        return Err(QueryError::ControlCharacter {
            position: index + 1,
        });
    }
    let mut terms = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let written = rest;
        let refusal = |reason| {
            let end = written.find(char::is_whitespace).unwrap_or(written.len());
            QueryError::Term {
                term: written[..end].chars().take(80).collect(),
                position: text[..text.len() - written.len()].chars().count() + 1,
                reason,
            }
        };
        let (term, after) = read_term(written, now).map_err(refusal)?;
        if let Some(term) = term {
            if terms.len() == MAX_TERMS {
                return Err(QueryError::TooManyTerms);
            }
            terms.push(term);
        }
        rest = after.trim_start();
    }
    Ok(MessageQuery { terms })
}

/// One term off the beginning of `written`, and what follows; no term for `AND`.
fn read_term(written: &str, now: Timestamp) -> Result<(Option<Term>, &str), &'static str> {
    let (negated, term) = match written.strip_prefix('-') {
        Some(term) => (true, term),
        None => (false, written),
    };
    let end = term.find(char::is_whitespace).unwrap_or(term.len());
    let word = &term[..end];
    match word {
        "" => return Err("there is nothing to negate"),
        "AND" if !negated => return Ok((None, &term[end..])),
        "OR" | "|" => return Err("alternatives are not supported: all terms must hold"),
        _ if word.starts_with('{') => {
            return Err("alternatives in braces are not supported: all terms must hold");
        }
        _ if word.starts_with('(') => {
            return Err("groups are not supported; put text with parentheses in quotes");
        }
        _ => {}
    }
    let operator = word
        .split_once(':')
        .map(|(name, _)| name.to_ascii_lowercase());
    let (condition, rest) = match operator {
        Some(name) if is_operator(&name) => {
            let (value, rest) = read_value(&term[name.len() + 1..])?;
            (condition(&name, value, now)?, rest)
        }
        Some(name) if REFUSED.contains(&name.as_str()) => {
            return Err("this operator is not supported; put it in quotes to look for the text");
        }
        _ => {
            let (text, rest) = read_value(term)?;
            (Condition::Text(text), rest)
        }
    };
    Ok((Some(Term { negated, condition }), rest))
}

/// A word, or text in quotes, and what follows.
fn read_value(written: &str) -> Result<(String, &str), &'static str> {
    let Some(quoted) = written.strip_prefix('"') else {
        let end = written.find(char::is_whitespace).unwrap_or(written.len());
        return match &written[..end] {
            "" => Err("a value must follow the colon"),
            word if word.starts_with(['(', '{']) => Err("groups are not supported"),
            word => Ok((word.to_owned(), &written[end..])),
        };
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => {
                let rest = &quoted[index + 1..];
                if rest.chars().next().is_some_and(|c| !c.is_whitespace()) {
                    return Err("a space must follow the closing quote");
                }
                if value.trim().is_empty() {
                    return Err("there is nothing between the quotes");
                }
                return Ok((value, rest));
            }
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    Err("the closing quote is missing")
}

fn is_operator(name: &str) -> bool {
    matches!(
        name,
        "from"
            | "to"
            | "cc"
            | "bcc"
            | "subject"
            | "after"
            | "before"
            | "newer"
            | "older"
            | "newer_than"
            | "older_than"
            | "has"
            | "is"
            | "in"
            | "label"
            | "larger"
            | "smaller"
            | "rfc822msgid"
    )
}

fn condition(name: &str, value: String, now: Timestamp) -> Result<Condition, &'static str> {
    Ok(match name {
        "from" => Condition::From(value),
        "to" => Condition::To(value),
        "cc" => Condition::Cc(value),
        "bcc" => Condition::Bcc(value),
        "subject" => Condition::Subject(value),
        "after" | "newer" => Condition::After(value::time(&value)?),
        "before" | "older" => Condition::Before(value::time(&value)?),
        "newer_than" => Condition::After(value::ago(&value, now)?),
        "older_than" => Condition::Before(value::ago(&value, now)?),
        "has" => match value.to_ascii_lowercase().as_str() {
            "attachment" | "attachments" => Condition::HasAttachment,
            _ => return Err("only has:attachment is supported"),
        },
        "is" => match value.to_ascii_lowercase().as_str() {
            "unread" | "unseen" => Condition::Unread,
            "read" | "seen" => Condition::Read,
            "flagged" | "starred" => Condition::Flagged,
            _ => return Err("only is:unread, is:read and is:flagged are supported"),
        },
        "in" => Condition::In(Place::Named(value)),
        "label" => Condition::Keyword(value),
        "larger" => Condition::Larger(value::octets(&value)?),
        "smaller" => Condition::Smaller(value::octets(&value)?),
        _ => Condition::MessageId(value::message_id(value)?),
    })
}

#[cfg(test)]
mod tests;
