use chrono::NaiveDate;

use super::{
    command::{Command, checked_keyword},
    error::{Error, Result},
    uid_set::UidSet,
};

/// A condition of SEARCH (RFC 3501 section 6.4.4). Texts are matched case-insensitively as substrings,
/// though some servers match words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchKey {
    /// Every message.
    All,
    /// All of these; none of them is every message.
    And(Vec<Self>),
    /// One of the two.
    Or(Box<Self>, Box<Self>),
    /// Not this.
    Not(Box<Self>),
    /// These UIDs. Keep the set short: it goes into one line, see [`super::Quirks::command_length`].
    Uid(UidSet),
    /// Read.
    Seen,
    /// Starred.
    Flagged,
    /// Answered.
    Answered,
    /// Marked for removal.
    Deleted,
    /// A draft.
    Draft,
    /// Has this keyword.
    Keyword(String),
    /// In header or body.
    Text(String),
    /// In the body.
    Body(String),
    /// In the subject.
    Subject(String),
    /// In the sender.
    From(String),
    /// In a recipient.
    To(String),
    /// In a copy's recipient.
    Cc(String),
    /// In a blind copy's recipient.
    Bcc(String),
    /// In a header field; an empty text asks whether it is there.
    Header(String, String),
    /// Received on this day or later, whatever the time and time zone.
    Since(NaiveDate),
    /// Received before this day.
    Before(NaiveDate),
    /// More octets.
    Larger(u64),
    /// Fewer octets.
    Smaller(u64),
    /// Changed at this modification sequence or later (CONDSTORE).
    ModSeq(u64),
    /// RFC 8474 (OBJECTID).
    EmailId(String),
    /// RFC 8474 (OBJECTID).
    ThreadId(String),
    /// Gmail's own search language.
    GmailRaw(String),
    /// Gmail's id of the message.
    GmailMessageId(u64),
    /// Gmail's id of the conversation.
    GmailThreadId(u64),
}

impl SearchKey {
    /// How deep conditions may be put into one another.
    const DEEPEST: usize = 50;

    /// Not this. Never a negation of a negation, which Courier cannot parse.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(key) => *key,
            key => Self::Not(Box::new(key)),
        }
    }

    /// One of these; of none, nothing.
    pub fn any(keys: impl IntoIterator<Item = Self>) -> Self {
        let mut keys: Vec<Self> = keys.into_iter().collect();
        // A balanced tree: a chain would be as deep as it is long.
        while keys.len() > 1 {
            let mut pairs = Vec::with_capacity(keys.len().div_ceil(2));
            let mut rest = keys.into_iter();
            while let Some(first) = rest.next() {
                pairs.push(match rest.next() {
                    Some(second) => Self::Or(Box::new(first), Box::new(second)),
                    None => first,
                });
            }
            keys = pairs;
        }
        keys.pop().unwrap_or_else(|| Self::All.negated())
    }

    /// Whether all texts are ASCII, so that no character set has to be named.
    pub(super) fn is_ascii(&self) -> bool {
        match self {
            Self::And(keys) => keys.iter().all(Self::is_ascii),
            Self::Or(first, second) => first.is_ascii() && second.is_ascii(),
            Self::Not(key) => key.is_ascii(),
            Self::Text(text)
            | Self::Body(text)
            | Self::Subject(text)
            | Self::From(text)
            | Self::To(text)
            | Self::Cc(text)
            | Self::Bcc(text)
            | Self::Header(_, text)
            | Self::GmailRaw(text) => text.is_ascii(),
            _ => true,
        }
    }

    /// Adds the condition to a command.
    pub(super) fn write(&self, command: Command) -> Result<Command> {
        self.write_at(command.raw(" "), Self::DEEPEST)
    }

    fn write_at(&self, command: Command, depth: usize) -> Result<Command> {
        if depth == 0 {
            return Err(Error::Invalid("the search is nested too deeply".into()));
        }
        let text =
            |command: Command, name: &str, text: &str| command.raw(name).string(text.as_bytes());
        match self {
            Self::All => Ok(command.raw("ALL")),
            Self::And(keys) if keys.is_empty() => Ok(command.raw("ALL")),
            Self::And(keys) => {
                let mut command = command;
                for (index, key) in keys.iter().enumerate() {
                    let before = if index == 0 { "(" } else { " " };
                    command = key.write_at(command.raw(before), depth - 1)?;
                }
                Ok(command.raw(")"))
            }
            Self::Or(first, second) => {
                let command = first.write_at(command.raw("OR "), depth - 1)?;
                second.write_at(command.raw(" "), depth - 1)
            }
            Self::Not(key) => key.write_at(command.raw("NOT "), depth - 1),
            Self::Uid(uids) if uids.is_empty() => Ok(command.raw("NOT ALL")),
            Self::Uid(uids) => Ok(command.raw("UID").word(uids)),
            Self::Seen => Ok(command.raw("SEEN")),
            Self::Flagged => Ok(command.raw("FLAGGED")),
            Self::Answered => Ok(command.raw("ANSWERED")),
            Self::Deleted => Ok(command.raw("DELETED")),
            Self::Draft => Ok(command.raw("DRAFT")),
            Self::Keyword(keyword) => Ok(command.raw("KEYWORD").word(checked_keyword(keyword)?)),
            Self::Text(value) => text(command, "TEXT", value),
            Self::Body(value) => text(command, "BODY", value),
            Self::Subject(value) => text(command, "SUBJECT", value),
            Self::From(value) => text(command, "FROM", value),
            Self::To(value) => text(command, "TO", value),
            Self::Cc(value) => text(command, "CC", value),
            Self::Bcc(value) => text(command, "BCC", value),
            Self::Header(name, value) => command
                .raw("HEADER")
                .string(name.as_bytes())?
                .string(value.as_bytes()),
            Self::Since(day) => Ok(command.raw("SINCE").word(day.format("%-d-%b-%Y"))),
            Self::Before(day) => Ok(command.raw("BEFORE").word(day.format("%-d-%b-%Y"))),
            Self::Larger(octets) => Ok(command
                .raw("LARGER")
                .word((*octets).min(u64::from(u32::MAX)))),
            Self::Smaller(octets) => Ok(command
                .raw("SMALLER")
                .word((*octets).min(u64::from(u32::MAX)))),
            Self::ModSeq(mod_seq) => Ok(command.raw("MODSEQ").word(mod_seq)),
            Self::EmailId(id) => Ok(command.raw("EMAILID").word(checked_keyword(id)?)),
            Self::ThreadId(id) => Ok(command.raw("THREADID").word(checked_keyword(id)?)),
            Self::GmailRaw(value) => text(command, "X-GM-RAW", value),
            Self::GmailMessageId(id) => Ok(command.raw("X-GM-MSGID").word(id)),
            Self::GmailThreadId(id) => Ok(command.raw("X-GM-THRID").word(id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &SearchKey) -> String {
        key.write(Command::new("UID SEARCH")).unwrap().text
    }

    #[test]
    fn conditions_become_a_command() {
        let day = NaiveDate::from_ymd_opt(2024, 2, 1).unwrap();
        let key = SearchKey::And(vec![
            SearchKey::And(vec![SearchKey::Seen, SearchKey::Since(day)]),
            SearchKey::Deleted.negated(),
            SearchKey::any([
                SearchKey::From("a \"b\"".into()),
                SearchKey::Uid(UidSet::range(1, 3)),
                SearchKey::All,
            ]),
        ]);
        assert_eq!(
            text(&key),
            r#"UID SEARCH ((SEEN SINCE 1-Feb-2024) NOT DELETED OR OR FROM "a \"b\"" UID 1:3 ALL)"#
        );
        assert_eq!(text(&SearchKey::any([])), "UID SEARCH NOT ALL");
        assert!(!SearchKey::Subject("ä".into()).negated().is_ascii());
    }

    #[test]
    fn what_is_negated_twice_is_not_negated() {
        assert_eq!(
            text(&SearchKey::Seen.negated().negated()),
            "UID SEARCH SEEN"
        );
    }

    #[test]
    fn a_search_cannot_carry_another_command() {
        for key in [
            SearchKey::Text("x\r\nA1 LOGOUT".into()),
            SearchKey::Keyword("a b".into()),
            SearchKey::Header("x\n".into(), String::new()),
            SearchKey::EmailId("M1) ALL".into()),
        ] {
            assert!(key.write(Command::new("UID SEARCH")).is_err(), "{key:?}");
        }
    }

    #[test]
    fn a_deep_search_is_refused_and_a_long_one_is_not() {
        let mut key = SearchKey::All;
        for _ in 0..100 {
            key = SearchKey::And(vec![key]);
        }
        assert!(key.write(Command::new("UID SEARCH")).is_err());
        assert!(
            SearchKey::any(vec![SearchKey::Seen; 10_000])
                .write(Command::new("X"))
                .is_ok()
        );
    }
}
